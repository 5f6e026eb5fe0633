import type { EventAbi } from "../abi/event-abi.ts";
import type { FieldSelection } from "../chain/fields.ts";
import { SpindexError } from "../errors.ts";
import { callSiteOf } from "./call-site.ts";
import type { ContractDefinition } from "./definition.ts";
import { type AnyIndexer, type Handler, INDEXER, type SetupHandler } from "./indexer.ts";

/** A value that an indexed argument is compared with: as in `event.args`, hex in lower case. */
export type WhereValue = string | number | bigint | boolean;

/** Every named argument must equal one of its values. */
export type WhereClause = Readonly<Record<string, readonly WhereValue[]>>;

/** A handler, joined to the event it is for. Immutable. */
export interface Registration {
  /** `Contract.Event`, as it was registered. */
  readonly key: string;
  readonly contract: ContractDefinition;
  readonly event: EventAbi;
  /** Events that match any of these; undefined: all. */
  readonly where: readonly WhereClause[] | undefined;
  /** Blocks, both included; the contract's own bounds hold too. */
  readonly startBlock: number | undefined;
  readonly endBlock: number | undefined;
  readonly onError: "stop" | "skip";
  /** Fields beyond the default ones, in the order of the alphabet; undefined: none. */
  readonly fields: FieldSelection | undefined;
  readonly handler: Handler<never, never>;
  /** Where it was registered: file and line. */
  readonly place: string;
}

/** A registration as the user made it: not yet checked against the contracts. */
export interface RawRegistration {
  readonly key: string;
  readonly options: unknown;
  readonly handler: Handler<never, never>;
  readonly place: string;
}

/** The handler that runs once a chain, before its first block. */
export interface SetupRegistration {
  readonly handler: SetupHandler<never>;
  readonly place: string;
}

/** What an indexer holds besides `on`. */
interface IndexerState {
  readonly config: unknown;
  readonly registrations: Map<string, RawRegistration>;
  setup: SetupRegistration | undefined;
  /** Registration has ended: set when the handlers have been loaded. */
  sealed: boolean;
}

/** The object behind `Indexer`. */
class RegisteringIndexer implements AnyIndexer {
  readonly [INDEXER]: IndexerState;

  constructor(config: unknown) {
    this[INDEXER] = { config, registrations: new Map(), setup: undefined, sealed: false };
  }

  on(event: unknown, ...rest: readonly unknown[]): void {
    const place = callSiteOf(this.on);
    const { registrations } = this[INDEXER];
    const [options, handler] = rest.length < 2 ? [undefined, rest[0]] : rest;
    if (typeof event !== "string" || typeof handler !== "function") {
      throw new SpindexError(
        "CONFIG_INVALID",
        `${place}: indexer.on was given no ${typeof event === "string" ? "handler" : "event"}`,
        {
          fix: 'Write indexer.on("Contract.Event", async ({ event, store }) => { … }).',
        },
      );
    }
    const earlier = registrations.get(event);
    if (earlier !== undefined) {
      throw new SpindexError("HANDLER_DUPLICATE", `${place}: ${event} has a handler already, at ${earlier.place}`, {
        fix: "Keep one of the two; a handler may call several functions.",
      });
    }
    this.#requireOpen(place, event);
    registrations.set(event, { key: event, options, handler: handler as Handler<never, never>, place });
  }

  onSetup(handler: unknown): void {
    const place = callSiteOf(this.onSetup);
    const state = this[INDEXER];
    if (typeof handler !== "function") {
      throw new SpindexError("CONFIG_INVALID", `${place}: indexer.onSetup was given no handler`, {
        fix: "Write indexer.onSetup(async ({ store, chain }) => { … }).",
      });
    }
    if (state.setup !== undefined) {
      throw new SpindexError("HANDLER_DUPLICATE", `${place}: there is a set-up already, at ${state.setup.place}`, {
        fix: "Keep one of the two; it may call several functions.",
      });
    }
    this.#requireOpen(place, "the set-up");
    state.setup = { handler: handler as SetupHandler<never>, place };
  }

  #requireOpen(place: string, what: string): void {
    const { registrations, sealed } = this[INDEXER];
    if (!sealed) return;
    const others = [...registrations.values()].map((registration) => registration.place);
    throw new SpindexError(
      "HANDLER_LATE",
      `${place}: ${what} is registered after loading has ended (the last registration in time: ${others.at(-1) ?? "none"})`,
      {
        fix: "Call indexer.on at the top level of a handler file, not in a callback or after an await that nobody waits for.",
      },
    );
  }
}

interface Registering {
  on(event: unknown, ...rest: readonly unknown[]): void;
  onSetup(handler: unknown): void;
}

/** The object that `defineIndexer` returns; its types are given there. */
export function createIndexer(config: unknown): AnyIndexer & Registering {
  return new RegisteringIndexer(config);
}

export function isIndexer(value: unknown): value is AnyIndexer {
  return typeof value === "object" && value !== null && INDEXER in value;
}

/** What was given to `defineIndexer`. */
export function configOf(indexer: AnyIndexer): unknown {
  return stateOf(indexer).config;
}

/** What has been registered so far, in order. */
export function registrationsOf(indexer: AnyIndexer): readonly RawRegistration[] {
  return [...stateOf(indexer).registrations.values()];
}

/** The handler given to `onSetup`, if one was. */
export function setupOf(indexer: AnyIndexer): SetupRegistration | undefined {
  return stateOf(indexer).setup;
}

/** Ends registration: a later `on` is an error. */
export function sealRegistrations(indexer: AnyIndexer): void {
  stateOf(indexer).sealed = true;
}

function stateOf(indexer: AnyIndexer): IndexerState {
  return indexer[INDEXER] as IndexerState;
}
