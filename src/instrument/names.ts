/**
 * The telemetry contract in code: every span, attribute, metric and log event, named once. Public API: docs/telemetry.md
 * is rendered from here, and a name that is not here is a type error.
 */
import { ATTRIBUTES, type AttributeName } from "./names/attributes.ts";
import { SPAN_EVENTS, SPANS, type SpanDefinition, type SpanEventName, type SpanName } from "./names/spans.ts";

export { LOG_EVENTS, type LogEvent, type LogEventDefinition } from "./names/log-events.ts";
export {
  BUCKETS,
  LOOP_STATES,
  METRIC_PREFIX,
  type MetricDefinition,
  WAIT_SERIES,
  type WaitLoop,
  type WaitState,
} from "./names/metric-definition.ts";
export {
  type CounterName,
  type GaugeName,
  type HistogramName,
  type LabelsOf,
  METRICS,
  type MetricName,
  type SummaryName,
} from "./names/metrics.ts";
export { ATTRIBUTES, SPAN_EVENTS, SPANS, type SpanDefinition, type SpanEventName, type SpanName };

type ValueOfType<T> = T extends "string"
  ? string
  : T extends "boolean"
    ? boolean
    : T extends "string[]"
      ? readonly string[]
      : T extends "int" | "double"
        ? number
        : never;

type Valued<A extends AttributeName> = {
  readonly [K in A]?: ValueOfType<(typeof ATTRIBUTES)[K]["type"]> | undefined;
};

/** The attributes that a span may have; undefined ones are left out. */
export type SpanAttributes<N extends SpanName> = Valued<(typeof SPANS)[N]["attributes"][number]>;
/** The attributes that a span event may have. */
export type EventAttributes<E extends SpanEventName> = Valued<(typeof SPAN_EVENTS)[E]["attributes"][number]>;
/** The events that a span may have. */
export type EventOf<N extends SpanName> = (typeof SPANS)[N]["events"][number] & SpanEventName;
