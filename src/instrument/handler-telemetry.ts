import type { ChainLabel } from "../chain/chain-label.ts";

/** Log lines of handlers. The message is constant; values go into `fields`. */
export interface HandlerLog {
  debug(message: string, fields?: Readonly<Record<string, unknown>>): void;
  info(message: string, fields?: Readonly<Record<string, unknown>>): void;
  warn(message: string, fields?: Readonly<Record<string, unknown>>): void;
  error(message: string, fields?: Readonly<Record<string, unknown>>): void;
}

/** What a span can be told about what it stands for. */
export type HandlerSpanValue = string | number | bigint | boolean;

/** A span of a handler, while it is open. */
export interface HandlerSpan {
  /** Notes what is worth knowing. Undefined values are left out; texts are cut at 1,024 characters. */
  set(attributes: Readonly<Record<string, HandlerSpanValue | undefined>>): void;
  /** A span inside of this one. */
  readonly span: RunInSpan;
}

/**
 * Runs `run` inside a span, and gives what it gives. An error, or a rejection, is recorded on the span and goes on.
 * Where nothing keeps the batch's spans `run` is called, and nothing else happens.
 */
export type RunInSpan = <T>(name: string, run: (span: HandlerSpan) => T) => T;

export type LabelValue = string | number | bigint | boolean;

/** Labels of one observation: a value for each label that was declared. */
export type LabelsGiven<Label extends string> = [Label] extends [never]
  ? []
  : [labels: { readonly [Name in Label]: LabelValue }];

/** Counts what happens. */
export interface HandlerCounter<Label extends string = never> {
  /** @param by at least 0 */
  add(by: number | bigint, ...labels: LabelsGiven<Label>): void;
}

/** Sorts values into buckets. */
export interface HandlerHistogram<Label extends string = never> {
  observe(value: number | bigint, ...labels: LabelsGiven<Label>): void;
}

export interface CounterOptions<Label extends string> {
  /** What a high value means, for those who read the metrics page. */
  readonly help: string;
  /** Names of labels, at most 5. A label of more than 100 values is cut: further ones become `other`. */
  readonly labels?: readonly Label[];
}

export interface HistogramOptions<Label extends string> extends CounterOptions<Label> {
  /** Upper bounds, rising, at most 20. Default: from a millisecond to a minute, in seconds. */
  readonly buckets?: readonly number[];
}

/**
 * Metrics of the project's own, on the same page as ours. The first call with a name declares it; later ones give the
 * same metric. What is counted in a handler whose changes are undone is not counted.
 */
export interface HandlerMetrics {
  /**
   * `spindex_user_<name>_total`.
   * @throws SpindexError METRIC_INVALID
   */
  counter<const Label extends string = never>(name: string, options: CounterOptions<Label>): HandlerCounter<Label>;
  /**
   * `spindex_user_<name>`; end the name with its unit: `order_size_bytes`.
   * @throws SpindexError METRIC_INVALID
   */
  histogram<const Label extends string = never>(
    name: string,
    options: HistogramOptions<Label>,
  ): HandlerHistogram<Label>;
}

/** Which handler runs, and on what. */
export interface HandlerPlace {
  /** `Contract.Event`; `setup` for the set-up. */
  readonly handler: string;
  readonly chain: ChainLabel;
  /** Both are undefined in the set-up. */
  readonly block?: number;
  readonly logIndex?: number;
}

/** What handlers of one batch say by themselves, and which part of it counts. */
export interface HandlerTelemetry {
  readonly log: HandlerLog;
  readonly span: RunInSpan;
  readonly metrics: HandlerMetrics;
  /** The block before is complete: what was counted in it stays. */
  beginBlock(): void;
  beginEvent(): void;
  /** What was counted since the event, or the block, began is not counted. */
  undoEvent(): void;
  undoBlock(): void;
}
