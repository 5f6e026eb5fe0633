/** What `/status` answers; declared with the gauges that are computed from it. */
export type { ChainStatus, QueueStatus, SourceStatus, Status } from "../instrument/status.ts";
