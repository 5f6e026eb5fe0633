import type { EventDecoder } from "../abi/decoder.ts";
import type { EventAbi } from "../abi/event-abi.ts";
import type { HandlerContext, HandlerOptions } from "../config/indexer.ts";
import type { HandledEvent } from "./event.ts";
import type { StoreFacade } from "./store-facade.ts";

/** A handler as the processing loop calls it: its types are the user's business. */
export type AnyHandler = (context: HandlerContext<HandledEvent, StoreFacade>) => void | Promise<void>;

/** One event of one contract, with the code that decodes and handles it. Routes are numbered by their place in a list. */
export interface EventRoute {
  /** `Contract.Event`: names it in metrics, spans, logs and errors. */
  readonly label: string;
  readonly contract: string;
  readonly event: EventAbi;
  readonly decoder: EventDecoder;
  readonly handler: AnyHandler;
  readonly accepts: ArgumentFilter | undefined;
  readonly onError: NonNullable<HandlerOptions<unknown>["onError"]>;
}

/** Whether the arguments pass the `where` of the registration. */
export type ArgumentFilter = (args: Readonly<Record<string, unknown>>) => boolean;

/**
 * A filter over decoded arguments: AND within a record, OR across records and across the values of a list. Hex texts
 * compare by value whatever their case.
 */
export function argumentFilter(where: unknown): ArgumentFilter | undefined {
  if (where === undefined) return undefined;
  const records = (Array.isArray(where) ? where : [where]).map((record: Readonly<Record<string, unknown>>) =>
    Object.entries(record).map(([name, value]) => ({
      name,
      values: new Set((Array.isArray(value) ? value : [value]).map(normalised)),
    })),
  );
  return (args) => records.some((record) => record.every(({ name, values }) => values.has(args[name])));
}

function normalised(value: unknown): unknown {
  return typeof value === "string" && value.startsWith("0x") ? value.toLowerCase() : value;
}
