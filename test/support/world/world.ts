import { expect } from "vitest";
import type { AnyHandler } from "../../../src/process/event-route.ts";
import type { EntityFacade } from "../../../src/process/store-facade.ts";
import type { Store } from "../../../src/store/store.ts";
import type { Row } from "../../../src/store/table.ts";
import { MemoryDatabase } from "../../../src/testing/memory-database.ts";
import {
  applied,
  entriesOf,
  fold,
  type Handled,
  keyOf,
  type Model,
  type ModelRow,
  placeOfStored,
  rowOf,
} from "./model.ts";
import { checkOrigins, isSkipped } from "./oracle.ts";
import { type Interruption, type Op, type Plan, type PlannedEvent, TABLES } from "./plan.ts";
import { SimulatedProcess } from "./process.ts";
import { type Pick, pickFrom, Steps } from "./steps.ts";

const MAX_STEPS = 5_000;

/** A database, and one process after the other that works on it until the plan is done. */
export class World {
  readonly database = new MemoryDatabase(TABLES);
  readonly #plan: Plan;
  readonly #pick: Pick;
  readonly #steps: Steps;
  readonly #interruptions: Interruption[];
  /** What handlers have done, by checkpoint; what a crash has taken is taken out. */
  #handled: Handled[] = [];
  /** What rows handlers must see at this moment. */
  #live = new Map<string, ModelRow>();
  readonly #thrown = new Set<PlannedEvent>();
  #process: SimulatedProcess;
  #checkedAt = 0;
  /** What a handler saw and should not have: its throwing may be skipped. */
  #violation: Error | undefined;
  #frontiers = { processed: 0, committed: 0 };

  constructor(plan: Plan) {
    this.#plan = plan;
    this.#pick = pickFrom(plan.seed);
    this.#steps = new Steps(this.#pick);
    this.#interruptions = [...plan.interruptions];
    this.#process = this.#begin(1);
  }

  /** Runs the plan to its end, and checks the world after every step. */
  async run(): Promise<void> {
    let sinceBegin = 0;
    for (let step = 0; step < MAX_STEPS; step++) {
      const { outcome } = this.#process;
      if (outcome === "ended") return this.#checkEnd();
      if (outcome !== undefined || this.#isInterrupted(++sinceBegin)) {
        if (outcome instanceof Error) this.#requireExpected(outcome);
        this.#checkDurable();
        this.#checkHistory();
        this.#process = this.#begin(this.#process.id + 1);
        sinceBegin = 0;
      }
      const went = await this.#steps.next();
      expect(went || this.#process.outcome !== undefined, "nothing can go on any more").toBe(true);
      if (this.#violation !== undefined) throw this.#violation;
      this.#checkFrontiers();
      if (this.database.committedCheckpoint !== this.#checkedAt) this.#checkDurable();
    }
    throw new Error(`not done after ${MAX_STEPS} steps; waiting: ${this.#steps.labels.join(", ")}`);
  }

  #begin(id: number): SimulatedProcess {
    const committed = this.database.committedCheckpoint;
    this.#handled = this.#handled.filter(({ checkpoint }) => checkpoint <= committed);
    this.#live = new Map(fold(this.#handled));
    this.#frontiers = { processed: committed, committed };
    const process = new SimulatedProcess({
      id,
      plan: this.#plan,
      database: this.database,
      steps: this.#steps,
      pick: this.#pick,
      handle: (context, event, store) => this.#handle(context, event, store),
      batchStarted: (store) => this.#checkCapacity(store),
      writing: checkOrigins,
    });
    process.start();
    return process;
  }

  #isInterrupted(steps: number): boolean {
    const next = this.#interruptions[0];
    if (next === undefined || steps < next.afterSteps) return false;
    this.#interruptions.shift();
    if (next.kind === "stop") {
      this.#process.stop();
      return false;
    }
    this.#steps.drop(this.#process.id, (label) => next.kind === "zombie" && (label === "write" || label === "answer"));
    return true;
  }

  async #handle(context: Parameters<AnyHandler>[0], event: PlannedEvent, store: Store): Promise<void> {
    // A dead process may still hear that its last write was durable, but runs no handler.
    if (store !== this.#process.store) return new Promise(() => {});
    const { checkpoint } = store.scope;
    const handled: Handled = { checkpoint, event };
    const before = this.#live;
    const draft = new Map(before);
    this.#live = draft;
    try {
      let inserts = 0;
      for (const op of event.ops) {
        await this.#apply(context, event, op, inserts);
        applied(draft, handled, op, inserts);
        if (op.do === "insert") inserts++;
      }
      this.#handled.push(handled);
    } catch (error) {
      this.#live = before;
      if ((error as Error).message !== "planned") this.#violation ??= error as Error;
      // The whole block is taken back, and its checkpoint may go to a block without events.
      if (event.onError === "stop") this.#handled = this.#handled.filter((other) => other.checkpoint !== checkpoint);
      throw error;
    }
  }

  async #apply(
    { store, event }: Parameters<AnyHandler>[0],
    planned: PlannedEvent,
    op: Op,
    inserts: number,
  ): Promise<void> {
    if (op.do === "pause") return this.#steps.clockOf(this.#process.id).pause("handler");
    if (op.do === "throw") {
      if (planned.onError === "stop" && this.#thrown.has(planned)) return;
      this.#thrown.add(planned);
      throw new Error("planned");
    }
    if (op.do === "insert") {
      const entry = store.entry as unknown as { insert(row: Row): void };
      return entry.insert({ id: event.idOf(inserts), value: op.value });
    }
    const table = store[op.table] as EntityFacade;
    const key = keyOf(op);
    const expected = rowOf(this.#live, planned, op);
    const blank = op.table === "counter" ? { ...key, note: null } : key;
    switch (op.do) {
      case "get":
        expect(await table.get(key)).toEqual(expected);
        return;
      case "getOrCreate":
        expect(await table.getOrCreate(key)).toEqual(expected ?? expect.objectContaining({ ...key, value: 0n }));
        return;
      case "set":
        table.set({ ...blank, value: op.value });
        return;
      case "overtake": {
        const read = table.get(key);
        table.set({ ...blank, value: op.value });
        const row = await read;
        expect([expected, { ...blank, value: op.value }]).toContainEqual(row);
        return;
      }
      case "slowUpdate": {
        const row = await table.get(key);
        expect(row).toEqual(expected);
        await this.#steps.clockOf(this.#process.id).pause("handler");
        if (row !== undefined) table.set({ ...row, value: (row.value as bigint) + op.value });
        return;
      }
      case "update":
        if (expected === undefined) expect(await table.get(key)).toBeUndefined();
        else await table.update(key, (row) => ({ value: (row.value as bigint) + op.value }));
        return;
      case "delete":
        table.delete(key);
    }
  }

  #requireExpected(error: Error): void {
    const code = "code" in error ? error.code : undefined;
    const isPlanned =
      (code === "HANDLER_FAILED" && (error.cause as Error).message === "planned") ||
      (code === "WRITE_FAILED" && (error.cause as Error).message === "planned");
    if (!isPlanned) throw error;
  }

  /** Both only move forward, and the durable one never leads. */
  #checkFrontiers(): void {
    const { processedCheckpoint: processed, committedCheckpoint: committed } = this.#process.store;
    expect(committed).toBeLessThanOrEqual(processed);
    expect(processed).toBeGreaterThanOrEqual(this.#frontiers.processed);
    expect(committed).toBeGreaterThanOrEqual(this.#frontiers.committed);
    expect(this.database.committedCheckpoint).toBeGreaterThanOrEqual(committed);
    this.#frontiers = { processed, committed };
  }

  /** A batch is begun below the limit only. */
  #checkCapacity(store: Store): void {
    const { batches, items, changes, bytes } = store.uncommitted;
    if (batches === 0) return;
    expect(items + changes).toBeLessThan(this.#plan.limits.capacityChanges);
    expect(bytes).toBeLessThan(this.#plan.limits.capacityBytes);
  }

  /** The storage is what the events up to its checkpoint make of it: each of them once, in order, and progress with it. */
  #checkDurable(): void {
    const committed = this.database.committedCheckpoint;
    this.#checkedAt = committed;
    const durable = this.#handled.filter(({ checkpoint }) => checkpoint <= committed);
    expect(this.#storedRows()).toEqual(entriesOf(fold(durable), () => true));
    const skipped = this.database.skipped;
    for (const { chainId, ranges } of this.#plan.chains) {
      const progress = this.database.progress.find((known) => known.chainId === chainId);
      const due = ranges.flatMap(({ events }) => events).filter(({ block }) => block <= (progress?.block ?? 0));
      const ofChain = durable.filter(({ event }) => event.chainId === chainId).map(({ event }) => event);
      expect(ofChain).toEqual(due.filter((event) => !isSkipped(event)));
      const skippedHere = skipped.filter((event) => event.chainId === chainId);
      expect(skippedHere.map(({ block, logIndex }) => [block, logIndex])).toEqual(
        due.filter(isSkipped).map(({ block, logIndex }) => [block, logIndex]),
      );
    }
    this.#checkRuns(committed);
  }

  /** Every checkpoint is in one run; a run has one mode, and whole batches in their order; in `keep` all have a position. */
  #checkRuns(committed: number): void {
    let next = 1;
    for (const run of this.database.runs) {
      expect(run.checkpoints.from).toBe(next);
      const [from, to] = [run.batches[0]?.checkpoints.from, run.batches.at(-1)?.checkpoints.to];
      expect({ from, to }).toEqual(run.checkpoints);
      run.batches.forEach((batch, at) => {
        expect(batch.mode).toBe(run.mode);
        if (at > 0) expect(batch.checkpoints.from).toBe((run.batches[at - 1]?.checkpoints.to ?? 0) + 1);
      });
      const numbers = Array.from({ length: run.checkpoints.to - next + 1 }, (_, at) => next + at);
      expect(run.positions.map(({ checkpoint }) => checkpoint)).toEqual(run.mode === "keep" ? numbers : []);
      expect(run.items).toBe(run.batches.reduce((sum, batch) => sum + batch.items, 0));
      next = run.checkpoints.to + 1;
    }
    expect(next).toBe(committed + 1);
  }

  /** From the before-images one can go back to every checkpoint after the last that kept none. */
  #checkHistory(): void {
    const committed = this.database.committedCheckpoint;
    const finalTo = Math.max(
      0,
      ...this.database.runs.flatMap((run) => (run.mode === "final" ? run.checkpoints.to : [])),
    );
    const durable = this.#handled.filter(({ checkpoint }) => checkpoint <= committed);
    for (const table of TABLES.filter(({ appendOnly }) => !appendOnly)) {
      for (const { chainId } of table.crossChain ? [{ chainId: 0 }] : this.#plan.chains) {
        const isOfChain = (place: string, row: { chainId: number }): boolean =>
          place.startsWith(`${table.name} `) && row.chainId === chainId;
        for (let target = Math.max(finalTo, this.#lastOutsideWindow(chainId)); target < committed; target++) {
          const then = fold(durable.filter(({ checkpoint }) => checkpoint <= target));
          const restored = this.#restored(table.name, table.key, target);
          expect(entriesOf(restored, isOfChain), `${table.name} of chain ${chainId} at ${target}`).toEqual(
            entriesOf(then, isOfChain),
          );
        }
      }
    }
  }

  /** The last durable checkpoint of the chain whose block was final when it was fetched; none is asked for shared rows. */
  #lastOutsideWindow(chainId: number): number {
    const ranges = this.#plan.chains.find((chain) => chain.chainId === chainId)?.ranges ?? [];
    const isFinal = (block: number): boolean =>
      ranges.some(({ fromBlock, toBlock, finalized }) => block >= fromBlock && block <= toBlock && block <= finalized);
    const positions = this.database.positions.filter((position) => position.chainId === chainId);
    return Math.max(0, ...positions.filter(({ block }) => isFinal(block)).map(({ checkpoint }) => checkpoint));
  }

  /** What the first before-image after `target` says about each row. */
  #restored(table: string, key: readonly string[], target: number): Model {
    const rows = new Map<string, ModelRow>(this.#storedRows());
    const images = this.database.history(table).toSorted((a, b) => a.changedAt - b.changedAt);
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

  #storedRows(): [string, ModelRow][] {
    const all = TABLES.flatMap((table) =>
      this.database
        .rows(table.name)
        .map((stored): [string, ModelRow] => [
          placeOfStored(table.name, table.key, stored.chainId, stored.row),
          stored,
        ]),
    );
    return all.toSorted(([a], [b]) => (a < b ? -1 : 1));
  }

  #checkEnd(): void {
    this.#checkDurable();
    this.#checkHistory();
    expect(this.#process.store.uncommitted).toMatchObject({ batches: 0, items: 0, changes: 0 });
    for (const { chainId, ranges } of this.#plan.chains) {
      const progress = this.database.progress.find((known) => known.chainId === chainId);
      expect(progress?.block).toBe(ranges.at(-1)?.toBlock);
    }
  }
}
