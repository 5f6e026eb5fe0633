/** What users import as `spindex/testing`. */
export type { SkippedEvent } from "../store/drain-run.ts";
export type { RawEventRow } from "../write/raw-events.ts";
export type { EmittedBlock, EmittedPlace } from "./test-chain.ts";
export { createTestIndexer, type EmittedEvent, type TestIndexer, type TestIndexerOptions } from "./test-indexer.ts";
export { type AttributeValue, type FileSpan, readTraceFile, TraceModel, traceModelOf } from "./trace-file.ts";
