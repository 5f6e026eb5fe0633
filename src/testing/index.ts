/** What users import as `spindex/testing`. */
export { readTraceFile } from "../instrument/recorded/otlp-json.ts";
export type {
  AttributeValue,
  RecordedAttributes,
  SpanKindName,
  TraceEvent,
  TraceModel,
  TraceSpan,
} from "../instrument/recorded/trace-model.ts";
export { type WaterfallOptions, waterfall } from "../instrument/recorded/waterfall.ts";
export type { SkippedEvent } from "../store/drain-run.ts";
export type { RawEventRow } from "../write/raw-events.ts";
export { type CollectOptions, collectTraces, type TraceCollector } from "./collect-traces.ts";
export { type Duration, expectTrace, type SpanExpectation, type TraceExpectation } from "./expect-trace.ts";
export type { EmittedBlock, EmittedPlace } from "./test-chain.ts";
export { createTestIndexer, type EmittedEvent, type TestIndexer, type TestIndexerOptions } from "./test-indexer.ts";
export { startTraceReceiver, type TraceReceiver } from "./trace-receiver.ts";
