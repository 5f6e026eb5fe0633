import type { EventDecoder } from "../abi/decoder.ts";
import type { EventAbi } from "../abi/event-abi.ts";
import type { FieldSelection } from "../chain/fields.ts";
import type { HandlerContext, HandlerOptions } from "../config/indexer.ts";
import type { WhereClause } from "../config/registration.ts";
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
  /** What the handler gets of block and transaction beyond the default fields. Undefined: nothing. */
  readonly fields?: FieldSelection | undefined;
  readonly onError: NonNullable<HandlerOptions<unknown>["onError"]>;
}

/** Whether the arguments pass the `where` of the registration. */
export type ArgumentFilter = (args: Readonly<Record<string, unknown>>) => boolean;

/** A filter over decoded arguments: AND within a clause, OR across clauses and across the values of an argument. */
export function argumentFilter(where: readonly WhereClause[] | undefined): ArgumentFilter | undefined {
  if (where === undefined) return undefined;
  const clauses = where.map((clause) =>
    Object.entries(clause).map(([name, values]) => ({ name, values: new Set<unknown>(values) })),
  );
  return (args) => clauses.some((clause) => clause.every(({ name, values }) => values.has(args[name])));
}
