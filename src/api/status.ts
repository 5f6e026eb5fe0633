/** What `/status` answers; declared with the gauges that are computed from it. */
export type { ChainStatus, Status } from "../instrument/status.ts";
