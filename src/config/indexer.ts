import type { BlockField, FieldSelection, TransactionField } from "../chain/fields.ts";
import type { Address } from "../chain/hex.ts";
import type { HandlerLog, HandlerMetrics, RunInSpan } from "../instrument/handler-telemetry.ts";
import type { CallEffect } from "./effect.ts";
import type { AbiInput, EventKey, EventOfAbis, WhereOf } from "./events.ts";
import type { StoreOf } from "./rows.ts";

/** The chain of the event. */
export interface HandlerChain<Name extends string = string> {
  readonly id: number;
  /** Its name in the configuration. */
  readonly name: Name;
  /** True once the chain has reached its head in this deployment. */
  readonly live: boolean;
}

/**
 * Makes an address one of a contract's, on the chain of the event: all its logs from the event's block on are handled.
 * Registering it again changes nothing.
 * @throws SpindexError REGISTER_INVALID
 */
export type Register<Contract extends string = string> = (contract: Contract, address: Address) => void;

/** What a handler works with; valid until the handler has returned. */
export interface HandlerContext<Event, Store, Chain extends string = string, Contract extends string = string> {
  readonly event: Event;
  readonly store: Store;
  readonly chain: HandlerChain<Chain>;
  readonly log: HandlerLog;
  /**
   * Runs a function inside a span of the batch's trace, and gives what it gives:
   * `await span("price", async (span) => { span.set({ token }); … })`.
   */
  readonly span: RunInSpan;
  /** Counters and histograms of the project's own, on the metrics page under `spindex_user_`. */
  readonly metrics: HandlerMetrics;
  /** Makes a call to the outside world, once for equal inputs: `await effect(getPrice, { token })`. */
  readonly effect: CallEffect;
  /**
   * Makes an address one of a contract's, from the event's block on: `register("Pair", event.args.pair)`. Where an event
   * says it by itself, `factory({ … })` in the configuration is much faster: after a new address, this block is run again.
   */
  readonly register: Register<Contract>;
}

export type Handler<Event, Store, Chain extends string = string, Contract extends string = string> = (
  context: HandlerContext<Event, Store, Chain, Contract>,
) => void | Promise<void>;

/** What the set-up of a chain works with; valid until the handler has returned. */
export type SetupContext<Store, Chain extends string = string> = Omit<
  HandlerContext<never, Store, Chain>,
  "event" | "register"
>;

export type SetupHandler<Store, Chain extends string = string> = (
  context: SetupContext<Store, Chain>,
) => void | Promise<void>;

/** The long form of a registration. */
export interface HandlerOptions<
  Where,
  InBlock extends BlockField = BlockField,
  InTransaction extends TransactionField = TransactionField,
> {
  /**
   * What `event.block` and `event.transaction` have beyond their default fields. Only what is selected is fetched: fields
   * of the block cost a request a block with such events, fields of the transaction the whole block with its transactions.
   */
  readonly fields?: { readonly block?: readonly InBlock[]; readonly transaction?: readonly InTransaction[] };
  /** Only events whose indexed arguments match one of these records; each value may be a list of values. */
  readonly where?: Where | readonly Where[];
  /** First block, on every chain of the contract. Default: the contract's. */
  readonly startBlock?: number;
  /** Last block. Default: the contract's. */
  readonly endBlock?: number;
  /** What a throwing handler does: stop the indexer (default), or undo this call, note the event and go on. */
  readonly onError?: "stop" | "skip";
}

/** Holds what is ours behind a symbol, so that users see `on` alone. */
export const INDEXER: unique symbol = Symbol.for("spindex.indexer");

/** What `defineIndexer` makes: the default export of `spindex.config.ts`, and where handlers register. */
export interface Indexer<Schema, Abis extends Readonly<Record<string, AbiInput>>, Chain extends string> {
  readonly [INDEXER]: unknown;
  /**
   * Registers the handler of an event.
   * @param event `Contract.Event`; an overloaded event by its signature: `Contract.Event(address,uint256)`
   * @throws SpindexError HANDLER_DUPLICATE, HANDLER_LATE
   */
  on<Key extends EventKey<Abis>>(
    event: Key,
    handler: Handler<EventOfAbis<Abis, Key>, StoreOf<Schema>, Chain, keyof Abis & string>,
  ): void;
  on<Key extends EventKey<Abis>, InBlock extends BlockField = never, InTransaction extends TransactionField = never>(
    event: Key,
    options: HandlerOptions<WhereOf<Abis, Key>, InBlock, InTransaction>,
    handler: Handler<EventOfAbis<Abis, Key, InBlock, InTransaction>, StoreOf<Schema>, Chain, keyof Abis & string>,
  ): void;
  /**
   * Registers what runs once a chain, before its first block: for rows that no event makes. Its rows cannot be taken back
   * by a reorg, and it does not run again once they are durable.
   * @throws SpindexError HANDLER_DUPLICATE, HANDLER_LATE
   */
  onSetup(handler: SetupHandler<StoreOf<Schema>, Chain>): void;
}

/** Any indexer, whatever it indexes. */
export interface AnyIndexer {
  readonly [INDEXER]: unknown;
}

/**
 * What the handler of an event works with, for functions that handlers call: `ContextOf<typeof indexer, "Token.Transfer">`;
 * with selected fields `ContextOf<typeof indexer, "Token.Transfer", { block: ["miner"] }>`.
 */
export type ContextOf<I, Key extends string, Fields extends Partial<FieldSelection> = { block: [] }> =
  I extends Indexer<infer Schema, infer Abis, infer Chain>
    ? HandlerContext<EventOf<I, Key, Fields>, StoreOf<Schema>, Chain, keyof Abis & string>
    : never;

/** `event` in the handler of an event: `EventOf<typeof indexer, "Token.Transfer">`; selected fields as in `ContextOf`. */
export type EventOf<I, Key extends string, Fields extends Partial<FieldSelection> = { block: [] }> =
  I extends Indexer<infer _Schema, infer Abis, infer _Chain>
    ? EventOfAbis<Abis, Key, NamesIn<Fields, "block"> & BlockField, NamesIn<Fields, "transaction"> & TransactionField>
    : never;
type NamesIn<Fields, Part extends string> = Fields extends { readonly [P in Part]: readonly (infer Name)[] }
  ? Name
  : never;
