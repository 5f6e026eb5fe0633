/** What users import as `spindex/testing`. */
export { type AttributeValue, type FileSpan, readTraceFile, TraceModel, traceModelOf } from "./trace-file.ts";
