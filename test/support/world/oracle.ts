import { partsOfEventId } from "../../../src/chain/event-id.ts";
import type { DrainRun } from "../../../src/store/drain-run.ts";
import type { StoreLimits } from "../../../src/store/store-options.ts";
import { decodedRows, type EncodedImage } from "../../../src/testing/memory-codec.ts";
import type { DurableRun, MemoryState, StoredChain } from "../../../src/testing/memory-state.ts";
import type { PlacedEvent, SimulatedChain } from "./chain.ts";
import { entriesOf, fold, type Handled, type Model, type ModelRow, placeOfStored } from "./model.ts";
import { type PlannedEvent, TABLES } from "./plan.ts";
import { check, checkSame } from "./violation.ts";

/** What a durable state must hold: the events in it, in the order in which they were handled, and what they make. */
interface Known {
  readonly log: readonly Handled[];
  readonly rows: Model;
}

export interface OracleOptions {
  /** Every handled event is stored. */
  readonly rawEvents: boolean;
  readonly limits: Pick<StoreLimits, "maximumBatches">;
}

/**
 * Knows what every state of the database must hold, and checks each as soon as it is durable: its rows are a plain fold
 * of the events of its chains up to its progress, each of them once, none that the chains do not have.
 */
export class Oracle {
  readonly #chains: ReadonlyMap<number, SimulatedChain>;
  readonly #hasRawEvents: boolean;
  readonly #maximumBatches: number;
  readonly #known = new WeakMap<MemoryState, Known>();

  constructor(chains: readonly SimulatedChain[], empty: MemoryState, { rawEvents, limits }: OracleOptions) {
    this.#hasRawEvents = rawEvents;
    this.#maximumBatches = limits.maximumBatches;
    this.#chains = new Map(chains.map((chain) => [chain.chainId, chain]));
    this.#known.set(empty, { log: [], rows: new Map() });
  }

  /** What handlers must find in this state. */
  rowsOf(state: MemoryState): Model {
    return this.#of(state).rows;
  }

  /**
   * Something has become durable.
   * @param handledIn what its writer has handled between two checkpoints
   */
  changed(before: MemoryState, after: MemoryState, handledIn: (from: number, to: number) => readonly Handled[]): void {
    // A moment that was there before: a failover.
    if (this.#known.has(after)) return;
    this.#known.set(after, this.#next(before, after, handledIn));
    this.#checkRows(after);
    this.#checkEffects(after);
    for (const chain of after.chains.values()) this.#checkChain(after, chain);
  }

  #next(before: MemoryState, after: MemoryState, handledIn: (from: number, to: number) => readonly Handled[]): Known {
    const known = this.#of(before);
    const [run, rollback] = [after.runs.at(-1), after.rollbacks.at(-1)];
    if (run !== undefined && after.runs.length > before.runs.length) {
      checkRun(before, run);
      check(run.batches.length <= this.#maximumBatches, `a run of ${run.batches.length} batches`);
      const handled = handledIn(run.checkpoints.from, run.checkpoints.to);
      return { log: [...known.log, ...handled], rows: fold(handled, known.rows) };
    }
    if (rollback !== undefined && after.rollbacks.length > before.rollbacks.length) {
      check(rollback.checkpoint === before.nextCheckpoint, "a rollback takes a number that is not the next");
      const { chainId, firstOrphaned = Number.POSITIVE_INFINITY } = rollback;
      const log = known.log.filter(({ checkpoint, event }) => event.chainId !== chainId || checkpoint < firstOrphaned);
      return { log, rows: fold(log) };
    }
    check(after.nextCheckpoint === before.nextCheckpoint, "a write that is no run takes a checkpoint");
    return known;
  }

  #checkRows(state: MemoryState): void {
    const { rows } = this.#of(state);
    const stored = storedRows(state);
    checkSame(byPlace(stored), byPlace(rows), () => `the rows at checkpoint ${state.committedCheckpoint}`);
  }

  /** What the effect gave for each input that durable events asked for; until a rollback takes an input's first call back. */
  #checkEffects(state: MemoryState): void {
    const stored = new Map([...state.effects.values()].map((row) => [row.input, row]));
    for (const { effect, input, output, checkpoint } of stored.values()) {
      checkSame([effect, output], ["stored", `${2 * Number(input)}n`], `the stored effect of ${input}`);
      check(checkpoint <= state.committedCheckpoint, `the stored effect of ${input} is of checkpoint ${checkpoint}`);
    }
    if (state.rollbacks.length > 0) return;
    for (const { event } of this.#of(state).log) {
      for (const op of event.ops) {
        if (op.do === "effect" && op.stored) check(stored.has(op.key), `the effect of ${op.key} is not stored`);
      }
    }
  }

  /** The chain's events up to its progress, in the version of the chain that its headers name: each once, in order. */
  #checkChain(state: MemoryState, chain: StoredChain): void {
    const { chainId, block, headers, finalized } = chain;
    const name = `chain ${chainId} at block ${block}`;
    const ofChain = this.#of(state).log.filter(({ event }) => event.chainId === chainId);
    if (block === undefined) {
      checkSame(ofChain, [], `events of ${name}`);
      return;
    }
    check((headers.at(-1)?.number ?? 0) <= block, `${name}: a header above the progress`);
    const due = this.#eventsOf(chain, block);
    checkSame(
      ofChain.map(({ event }) => event),
      due.filter((event) => !isSkipped(event)),
      `events of ${name}`,
    );
    checkSame(
      state.skipped.filter((event) => event.chainId === chainId).map((event) => [event.block, event.logIndex]),
      due.filter(isSkipped).map((event) => [event.block, event.logIndex]),
      `skipped events of ${name}`,
    );
    const logged = this.#hasRawEvents ? due.filter((event) => event.block > 0) : [];
    checkSame(
      state.rawEvents
        .filter((event) => event.chainId === chainId)
        .map((event) => [event.block, event.logIndex, event.args]),
      logged.map(({ block: inBlock, logIndex, number }) => [inBlock, logIndex, { number: String(number) }]),
      `raw events of ${name}`,
    );
    // What a rollback looks for: all that is known of blocks that can be orphaned.
    const first = Math.max(finalized + 1, 1);
    checkSame(
      headers.map(({ number }) => number).filter((number) => number >= first),
      numbersFrom(first, block),
      `headers inside the window of ${name}`,
    );
  }

  #eventsOf({ chainId, headers }: StoredChain, block: number): PlacedEvent[] {
    const chain = this.#chains.get(chainId) as SimulatedChain;
    const tip = headers.at(-1);
    const path: PlacedEvent[] = [];
    for (let at = tip && chain.block(tip.hash); at !== undefined; at = at.parent) path.unshift(...at.events);
    const final = chain.blocks.slice(tip === undefined ? 0 : tip.number + 1, block + 1);
    return [...path, ...final.flatMap(({ events }) => events)];
  }

  /** From the before-images one can go back to every checkpoint after each chain's floor. */
  checkHistory(state: MemoryState): void {
    const { log } = this.#of(state);
    const finalTo = Math.max(0, ...state.runs.flatMap((run) => (run.mode === "final" ? run.checkpoints.to : [])));
    for (const table of TABLES.filter(({ appendOnly }) => !appendOnly)) {
      const chains = table.crossChain
        ? [{ chainId: 0, from: Math.max(finalTo, firstOpenOf(state) - 1) }]
        : [...state.chains.values()].map(historyOf(state));
      for (const { chainId, from } of chains) {
        const isWanted = (place: string, row: ModelRow): boolean =>
          place.startsWith(`${table.name} `) && row.chainId === chainId;
        const [stored, images] = [storedRows(state), historyFrom(state, table.name)];
        let then: Model = new Map();
        let next = 0;
        for (let target = from; target < state.committedCheckpoint; target++) {
          const first = next;
          while ((log[next]?.checkpoint ?? Number.POSITIVE_INFINITY) <= target) next++;
          then = fold(log.slice(first, next), then);
          const restored = restoredRows(stored, images, table.name, table.key, target);
          checkSame(
            entriesOf(restored, isWanted),
            entriesOf(then, isWanted),
            () => `${table.name} of chain ${chainId}, taken back to ${target}`,
          );
        }
      }
    }
  }

  #of(state: MemoryState): Known {
    const known = this.#known.get(state);
    check(known !== undefined, "a state that nobody has told of");
    return known;
  }
}

/** Set-ups come before everything else, and no world has more chains. */
const SET_UPS = 2;

/** Every row of a run leads back to the event that wrote it last. */
export function checkOrigins({ tables, origins: events }: DrainRun): void {
  for (const { table, origins, ...changes } of tables) {
    for (const kind of ["inserts", "updates", "upserts", "deletes"] as const) {
      const rows = decodedRows(changes[kind]);
      check(origins[kind].length === rows.length, `${table.name}: ${kind} without origin`);
      rows.forEach(({ chainId, checkpoint, row }, at) => {
        const event = origins[kind][at] as number;
        if (event === 0) {
          check(checkpoint <= SET_UPS, `${table.name}: a row of no event, and of no set-up`);
          return;
        }
        const origin = events.at(event);
        if (kind !== "deletes") checkSame(origin?.checkpoint, checkpoint, `${table.name}: checkpoint of the origin`);
        if (chainId !== 0) checkSame(origin?.chainId, chainId, `${table.name}: chain of the origin`);
        if (!table.appendOnly) return;
        const { block, logIndex } = partsOfEventId(row.id as bigint);
        checkSame([origin?.block, origin?.logIndex], [block, logIndex], `${table.name}: event of the origin`);
      });
    }
  }
}

function isSkipped({ onError, ops }: PlannedEvent): boolean {
  return onError === "skip" && ops.some((op) => op.do === "throw");
}

/** A run has one mode, and whole batches in their order; in `keep` all its checkpoints have a position. */
function checkRun(before: MemoryState, run: DurableRun): void {
  checkSame(run.checkpoints.from, before.nextCheckpoint, "the first checkpoint of a run");
  const [from, to] = [run.batches[0]?.checkpoints.from, run.batches.at(-1)?.checkpoints.to];
  checkSame({ from, to }, run.checkpoints, "the checkpoints of the batches of a run");
  run.batches.forEach((batch, at) => {
    checkSame(batch.mode, run.mode, "the history mode of a batch");
    if (at === 0) return;
    checkSame(batch.checkpoints.from, (run.batches[at - 1]?.checkpoints.to ?? 0) + 1, "the batches of a run in order");
  });
  const numbers = numbersFrom(run.checkpoints.from, run.checkpoints.to);
  const positions = run.positions.map(({ checkpoint }) => checkpoint);
  checkSame(positions, run.mode === "keep" ? numbers : [], "the positions of a run");
  checkSame(
    run.items,
    run.batches.reduce((sum, batch) => sum + batch.items, 0),
    "the items of a run",
  );
}

/** The first checkpoint that any chain can still take back. */
function firstOpenOf({ chains, positions }: MemoryState): number {
  const firsts = [...chains.values()].map(({ chainId, block, checkpoint, finalized, historyFloor }) => {
    if (block === undefined || finalized < 0) return 1;
    const floor = Math.max(historyFloor, Math.min(finalized, block));
    const open = positions.filter((position) => position.chainId === chainId && position.block > floor);
    return Math.min(checkpoint + 1, ...open.map((position) => position.checkpoint));
  });
  return firsts.length === 0 ? 1 : Math.min(...firsts);
}

/** From which checkpoint on a chain can be taken back. */
function historyOf(state: MemoryState): (chain: StoredChain) => { readonly chainId: number; readonly from: number } {
  return ({ chainId, finalized, historyFloor }) => {
    const floor = Math.max(finalized, historyFloor);
    const below = state.positions.filter((position) => position.chainId === chainId && position.block <= floor);
    const above = state.positions.filter((position) => position.chainId === chainId && position.block > floor);
    const first =
      above.length === 0 ? Number.POSITIVE_INFINITY : Math.min(...above.map(({ checkpoint }) => checkpoint)) - 1;
    return { chainId, from: Math.max(first, ...below.map(({ checkpoint }) => checkpoint)) };
  };
}

/** The before-images of a table, oldest first. */
function historyFrom(state: MemoryState, table: string): readonly EncodedImage[] {
  const history = state.tables.get(table)?.history.values() ?? [];
  return [...history].toSorted((a, b) => a.changedAt - b.changedAt);
}

/** What the first before-image after `target` says about each row. */
function restoredRows(
  stored: Model,
  images: readonly EncodedImage[],
  table: string,
  key: readonly string[],
  target: number,
): Model {
  const rows = new Map(stored);
  const seen = new Set<string>();
  for (const { chainId, changedAt, key: keyRow, before } of images) {
    const place = placeOfStored(table, key, chainId, keyRow);
    if (changedAt <= target || seen.has(place)) continue;
    seen.add(place);
    if (before === undefined) rows.delete(place);
    else rows.set(place, { chainId, ...before });
  }
  return rows;
}

function storedRows(state: MemoryState): Map<string, ModelRow> {
  const rows = new Map<string, ModelRow>();
  for (const { name, key } of TABLES) {
    for (const stored of state.tables.get(name)?.rows.values() ?? []) {
      rows.set(placeOfStored(name, key, stored.chainId, stored.row), stored);
    }
  }
  return rows;
}

function byPlace(rows: Model): [string, ModelRow][] {
  return [...rows].toSorted(([a], [b]) => (a < b ? -1 : 1));
}

function numbersFrom(first: number, last: number): number[] {
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, at) => first + at);
}
