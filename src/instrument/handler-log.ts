import type { HandlerLog, HandlerPlace } from "./handler-telemetry.ts";
import type { LineIds } from "./instruments.ts";
import type { Logger } from "./log.ts";
import type { LOG_EVENTS } from "./names.ts";

/** What leads from a line to the batch in whose handlers it was written. */
export interface LineOrigin {
  readonly batchId: number;
  readonly ids: LineIds;
  readonly place: () => HandlerPlace;
}

/** `log` in handlers: their lines say where they were written, and no field of theirs can say otherwise. */
export function handlerLog(log: Logger, { batchId, ids, place }: LineOrigin): HandlerLog {
  const write =
    (level: "debug" | "info" | "warn" | "error") =>
    (message: string, fields: Readonly<Record<string, unknown>> = {}): void => {
      // What is not written shall cost next to nothing.
      if (!log.isLevelEnabled(level)) return;
      const { handler, chain, block, logIndex } = place();
      const where = { batch_id: batchId, chain: chain.name, handler, block, log_index: logIndex, ...ids };
      log[level]({ ...fields, ...where, event: EVENT }, message);
    };
  return { debug: write("debug"), info: write("info"), warn: write("warn"), error: write("error") };
}

const EVENT = "handler.log" satisfies keyof typeof LOG_EVENTS;
