import { type OtlpRequest, spansOf } from "../../src/instrument/recorded/otlp-json.ts";
import { TraceModel, type TraceSpan } from "../../src/instrument/recorded/trace-model.ts";
import { systemClock } from "../../src/lib/clock.ts";

/** What operators' tools ask: Jaeger for traces, Prometheus for series and exemplars. Nothing here knows the indexer. */

/** Jaeger's answer to a search, or to a trace id: all spans that it has. */
export async function searchTraces(
  jaegerUrl: string,
  search: { readonly service: string; readonly operation?: string; readonly since: number },
): Promise<TraceModel> {
  const query = new URLSearchParams({
    "query.service_name": search.service,
    ...(search.operation === undefined ? {} : { "query.operation_name": search.operation }),
    "query.start_time_min": new Date(search.since).toISOString(),
    "query.start_time_max": new Date(systemClock.now() + 60_000).toISOString(),
    "query.num_traces": "1000000",
    "query.raw_traces": "true",
  });
  return modelOf(await fetch(`${jaegerUrl}/api/v3/traces?${query}`));
}

/** The spans of one trace; an empty model when Jaeger does not know it. */
export async function traceOf(jaegerUrl: string, traceId: string): Promise<TraceModel> {
  return modelOf(await fetch(`${jaegerUrl}/api/v3/traces/${traceId}?raw_traces=true`));
}

async function modelOf(response: Response): Promise<TraceModel> {
  if (response.status === 404) return new TraceModel([]);
  if (!response.ok) throw new Error(`Jaeger answers ${response.status}: ${await response.text()}`);
  const { result } = (await response.json()) as { readonly result: OtlpRequest };
  return new TraceModel(spansOf(result));
}

/** The span with this id. */
export function spanOf(model: TraceModel, spanId: string): TraceSpan | undefined {
  return model.spans.find((span) => span.spanId === spanId);
}

export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** The value of a query now. */
export async function query(prometheusUrl: string, expr: string): Promise<Sample[]> {
  interface Vector {
    readonly result: readonly { readonly metric: Sample["labels"]; readonly value: readonly [number, string] }[];
  }
  const { result } = await ask<Vector>(prometheusUrl, "query", { query: expr });
  return result.map(({ metric, value }) => ({ labels: metric, value: Number(value[1]) }));
}

export interface Exemplar {
  /** Of the series that it is a point of. */
  readonly series: Readonly<Record<string, string>>;
  readonly traceId: string;
  readonly spanId: string;
  readonly value: number;
}

/** The exemplars of the last ten minutes, newest last. */
export async function queryExemplars(prometheusUrl: string, expr: string): Promise<Exemplar[]> {
  const now = systemClock.now() / 1000;
  const series = await ask<
    readonly {
      readonly seriesLabels: Exemplar["series"];
      readonly exemplars: readonly { readonly labels: Readonly<Record<string, string>>; readonly value: string }[];
    }[]
  >(prometheusUrl, "query_exemplars", { query: expr, start: String(now - 600), end: String(now + 60) });
  return series.flatMap(({ seriesLabels, exemplars }) =>
    exemplars.map(({ labels, value }) => ({
      series: seriesLabels,
      traceId: labels.trace_id ?? "",
      spanId: labels.span_id ?? "",
      value: Number(value),
    })),
  );
}

export interface LoadedRule {
  readonly name: string;
  readonly health: string;
  readonly lastError: string | undefined;
  /** Of alerts. */
  readonly state: string | undefined;
}

export async function loadedRules(prometheusUrl: string): Promise<LoadedRule[]> {
  const { groups } = await ask<{ readonly groups: readonly { readonly rules: readonly LoadedRule[] }[] }>(
    prometheusUrl,
    "rules",
    {},
  );
  return groups.flatMap(({ rules }) =>
    rules.map(({ name, health, lastError, state }) => ({ name, health, lastError, state })),
  );
}

async function ask<T>(url: string, what: string, parameters: Readonly<Record<string, string>>): Promise<T> {
  const response = await fetch(`${url}/api/v1/${what}?${new URLSearchParams(parameters)}`);
  const answer = (await response.json()) as { readonly status: string; readonly error?: string; readonly data: T };
  if (answer.status !== "success") throw new Error(`${what} ${parameters.query ?? ""}: ${answer.error}`);
  return answer.data;
}

/** Asks again and again until the answer fits; at the end of its patience it gives the last one, to be asserted on. */
export async function eventually<T>(
  askAgain: () => Promise<T>,
  fits: (answer: T) => boolean,
  patienceMs = 30_000,
): Promise<T> {
  const deadline = systemClock.now() + patienceMs;
  for (;;) {
    const answer = await askAgain();
    if (fits(answer) || systemClock.now() > deadline) return answer;
    await systemClock.sleep(200);
  }
}
