import { TraceFlags } from "@opentelemetry/api";
import type { ReadableSpan, SpanProcessor } from "@opentelemetry/sdk-trace";
import { messageOf } from "../../errors.ts";
import { backoffMs } from "../../lib/backoff.ts";
import type { Clock } from "../../lib/clock.ts";
import { type Logger, logEvent } from "../log.ts";
import { redact } from "../redact.ts";
import type { Delivery, SpanSink } from "./span-sink.ts";
import type { SpanCounts } from "./tracing.ts";

export interface ExportQueueOptions {
  readonly sink: SpanSink;
  /** Where the fate of each span is counted. */
  readonly counts: SpanCounts;
  readonly clock: Clock;
  readonly log: Logger;
  /** Called after each request, with the seconds that it took. */
  readonly onRequest: (seconds: number) => void;
}

const REQUEST_SPANS = 512;
/** About 30 MB: a minute of an outage under load, hours of one at the head. */
const MAX_SPANS = 32 * REQUEST_SPANS;
/** How long spans wait for others to share a request. */
const GATHER_MS = 1_000;
const REQUEST_MS = 10_000;
const RETRY = { firstMs: 1_000, maxMs: 30_000 };
/** The longest wait that a collector may ask for. */
const MAX_RETRY_MS = 60_000;
/** How long a flush may take: the end of a process must not be held up by a collector that is slow or away. */
const FLUSH_MS = 2_000;
const FLUSH_UNWELL_MS = 200;

/**
 * Sends ended spans to one sink in the background: one request at a time, behind it a bounded queue. While the sink is
 * away the newest spans are kept and sent later; the oldest are dropped. The fate of each span is counted once:
 * exported, failed (refused, or nobody knows) or dropped (never sent).
 */
export class ExportQueue implements SpanProcessor {
  readonly #o: ExportQueueOptions;
  /** The spans of one request each, oldest first. */
  #requests: ReadableSpan[][] = [];
  #queued = 0;
  #sending = 0;
  #sentAt = 0;
  /** Requests in a row that were not taken. */
  #failures = 0;
  #retryAfterMs = 0;
  /** What was logged last and still holds. */
  #problem: string | undefined;
  #draining: Promise<void> | undefined;
  #pause = new AbortController();
  #request = new AbortController();
  /** Flushes under way: they wait for nothing but answers. */
  #flushes = 0;
  #closed: Promise<void> | undefined;
  #isClosed = false;

  constructor(options: ExportQueueOptions) {
    this.#o = options;
  }

  /** Spans in memory: those of the request under way included. */
  get size(): number {
    return this.#queued + this.#sending;
  }

  onStart(): void {}

  onEnd(span: ReadableSpan): void {
    if ((span.spanContext().traceFlags & TraceFlags.SAMPLED) === 0) return;
    if (this.#isClosed) {
      this.#o.counts.dropped++;
      return;
    }
    const last = this.#requests.at(-1);
    if (last === undefined || last.length >= REQUEST_SPANS) this.#requests.push([span]);
    else last.push(span);
    this.#queued++;
    if (this.size > MAX_SPANS) this.#dropOldest();
    if (this.#queued >= REQUEST_SPANS && this.#failures === 0) this.#pause.abort();
    this.#arm();
  }

  /** Sends what is queued, once: a request that fails ends it. Takes 2 s at most, and 0.2 s when the sink is unwell. */
  async forceFlush(): Promise<void> {
    const underWayMs = this.#sending > 0 ? this.#o.clock.now() - this.#sentAt : 0;
    const isUnwell = this.#failures > 0 || underWayMs > FLUSH_MS;
    await this.#within(isUnwell ? FLUSH_UNWELL_MS : FLUSH_MS, this.#flush());
  }

  shutdown(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #flush(): Promise<void> {
    this.#flushes++;
    this.#pause.abort();
    await this.#draining;
    this.#flushes--;
    this.#arm();
  }

  async #close(): Promise<void> {
    const { counts, log, sink } = this.#o;
    await this.forceFlush();
    if (this.size > 0) {
      const problem = this.#problem ?? "its answers take too long";
      logEvent(log, "telemetry.flush_timeout", { problem: redact(problem), spans: this.size });
    }
    this.#isClosed = true;
    this.#pause.abort();
    this.#request.abort();
    await this.#draining;
    counts.dropped += this.#queued;
    this.#requests = [];
    this.#queued = 0;
    await this.#within(
      FLUSH_UNWELL_MS,
      sink.close().catch(() => {}),
    );
  }

  /** One drain at a time; the next begins when spans are left. */
  #arm(): void {
    if (this.#draining !== undefined || this.#queued === 0 || this.#flushes > 0 || this.#isClosed) return;
    this.#draining = this.#drain().finally(() => {
      this.#draining = undefined;
      this.#arm();
    });
  }

  async #drain(): Promise<void> {
    await this.#wait();
    do await this.#sendOne();
    while (this.#failures === 0 && !this.#isClosed && this.#queued >= (this.#flushes > 0 ? 1 : REQUEST_SPANS));
  }

  async #wait(): Promise<void> {
    this.#pause = new AbortController();
    const { clock } = this.#o;
    const waitMs = this.#failures === 0 ? GATHER_MS : backoffMs(this.#failures, RETRY, clock);
    await clock.sleep(Math.max(waitMs, this.#retryAfterMs), this.#pause.signal);
  }

  async #sendOne(): Promise<void> {
    // What led to the end of a process is the newest: at a flush it goes first.
    const spans = this.#flushes > 0 ? this.#requests.pop() : this.#requests.shift();
    if (spans === undefined || this.#isClosed) return;
    const { clock, counts } = this.#o;
    this.#queued -= spans.length;
    this.#sending = spans.length;
    this.#sentAt = clock.now();
    const delivery = await this.#delivered(spans);
    this.#sending = 0;
    this.#o.onRequest((clock.now() - this.#sentAt) / 1000);
    this.#failures = delivery.kind === "taken" ? 0 : this.#failures + 1;
    this.#retryAfterMs = delivery.kind === "away" ? Math.min(delivery.retryAfterMs ?? 0, MAX_RETRY_MS) : 0;
    if (delivery.kind === "taken") {
      counts.exported += spans.length - delivery.rejected;
      counts.failed += delivery.rejected;
    } else if (delivery.kind === "lost") counts.failed += spans.length;
    else this.#putBack(spans);
    this.#note(delivery);
  }

  /** The outcome within the deadline; a request that is cut off may have arrived. */
  async #delivered(spans: readonly ReadableSpan[]): Promise<Delivery> {
    const { clock, sink } = this.#o;
    const request = new AbortController();
    this.#request = request;
    const late = clock.sleep(REQUEST_MS, request.signal).then((): Delivery => {
      return { kind: "lost", problem: `no answer within ${REQUEST_MS / 1000} s` };
    });
    const send = async (): Promise<Delivery> => {
      await spans[0]?.resource.waitForAsyncAttributes?.();
      return sink.send(spans, request.signal);
    };
    try {
      return await Promise.race([send(), late]);
    } catch (error) {
      return { kind: "lost", problem: messageOf(error) };
    } finally {
      request.abort();
    }
  }

  #putBack(spans: ReadableSpan[]): void {
    if (this.#flushes > 0) this.#requests.push(spans);
    else this.#requests.unshift(spans);
    this.#queued += spans.length;
    if (this.size > MAX_SPANS) this.#dropOldest();
  }

  #dropOldest(): void {
    const oldest = this.#requests.shift() ?? [];
    this.#queued -= oldest.length;
    this.#o.counts.dropped += oldest.length;
  }

  /** A problem is logged once, until it is another one or has passed. */
  #note({ kind, problem }: Delivery): void {
    if (this.#isClosed || problem === this.#problem) return;
    const { log, counts } = this.#o;
    this.#problem = problem;
    if (problem !== undefined) logEvent(log, "telemetry.problem", { problem: redact(problem) });
    else if (kind === "taken") logEvent(log, "telemetry.recovered", { failed: counts.failed, dropped: counts.dropped });
  }

  async #within(ms: number, work: Promise<void>): Promise<void> {
    const over = new AbortController();
    await Promise.race([work, this.#o.clock.sleep(ms, over.signal)]);
    over.abort();
  }
}
