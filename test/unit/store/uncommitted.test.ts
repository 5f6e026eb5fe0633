import { describe, expect, test } from "vitest";
import type { DrainRun } from "../../../src/store/drain-run.ts";
import { rowSizer } from "../../../src/store/row-size.ts";
import type { Store } from "../../../src/store/store.ts";
import type { Row } from "../../../src/store/table.ts";
import { batchOf, remove, set, storeOf } from "../../support/store-fixture.ts";
import { tableOf } from "../../support/tables.ts";
import { type Pick, pickFrom } from "../../support/world/steps.ts";

const note = tableOf("note", [
  { name: "id", kind: "int32" },
  { name: "text", kind: "text" },
]);
const sizeOf = rowSizer(note);
const BATCH_BYTES = 1024;
const EVENT_BYTES = 24;

/** What is in no sealed run, counted in the plainest way. */
class Recount {
  readonly rows = new Map<number, Row>();
  /** Keys that the open run has changed, and the sizes of its before-images. */
  changed = new Set<number>();
  images: number[] = [];
  batches = 0;
  items = 0;
  #batchChanged = new Set<number>();
  #batchImages: number[] = [];
  #imaged = new Set<number>();

  beginBlock(): void {
    this.#imaged = new Set();
  }

  /** @param id whose row is now `row` */
  change(id: number, row: Row): void {
    if (!this.#imaged.has(id)) this.#batchImages.push(sizeOf(this.rows.get(id) ?? row));
    this.#imaged.add(id);
    this.rows.set(id, row);
    this.#batchChanged.add(id);
  }

  commit(items: number): void {
    for (const id of this.#batchChanged) this.changed.add(id);
    this.images.push(...this.#batchImages);
    this.#batchChanged = new Set();
    this.#batchImages = [];
    this.batches++;
    this.items += items;
  }

  seal(): void {
    this.changed = new Set();
    this.images = [];
    this.batches = 0;
    this.items = 0;
  }

  get bytes(): number {
    const rows = [...this.changed].reduce((sum, id) => sum + sizeOf(this.rows.get(id) as Row), 0);
    const images = this.images.reduce((sum, bytes) => sum + bytes, 0);
    return rows + images + this.batches * BATCH_BYTES + this.items * EVENT_BYTES;
  }
}

/** An event: changes a few rows, and is taken back or not. */
function handle(store: Store, recount: Recount, pick: Pick): void {
  store.beginEvent(pick(100), "Test.Event");
  const isUndone = pick(4) === 0;
  for (let changes = pick(4); changes > 0; changes--) {
    const id = pick(12);
    const before = store.entity("note").peek(1, id);
    if (pick(4) === 0) {
      remove(store, note, { id });
      if (typeof before === "object" && !isUndone) recount.change(id, before);
      continue;
    }
    const row = { id, text: "x".repeat(pick(300)) };
    set(store, note, row);
    if (!isUndone) recount.change(id, row);
  }
  if (isUndone) store.undoEvent();
}

function sealedFigures(run: DrainRun | undefined): Record<"batches" | "items" | "changes" | "bytes", number> {
  if (run === undefined) return { batches: 0, items: 0, changes: 0, bytes: 0 };
  const encoded = run.tables.flatMap(({ inserts, updates, upserts, deletes, history }) => [
    inserts,
    updates,
    upserts,
    deletes,
    history,
  ]);
  const [batches, items] = [run.batches.length, run.batches.reduce((sum, batch) => sum + batch.items, 0)];
  const chunkBytes = encoded.flatMap(({ chunks }) => [...chunks]).reduce((sum, chunk) => sum + chunk.byteLength, 0);
  return {
    batches,
    items,
    changes: encoded.reduce((sum, { rows }) => sum + rows, 0),
    bytes: chunkBytes + batches * BATCH_BYTES + items * EVENT_BYTES,
  };
}

describe("items, changes and bytes of uncommitted work", () => {
  test("are those of a full recount, whatever is set, deleted, undone, sealed and made durable", () => {
    const pick = pickFrom(7);
    const store = storeOf({ tables: [note] });
    const recount = new Recount();
    let inFlight: DrainRun | undefined;
    const seal = (): void => {
      if (inFlight !== undefined) store.durable(inFlight);
      inFlight = store.takeRun();
      recount.seal();
    };
    for (let id = 1; id <= 400; id++) {
      const blocks = Array.from({ length: 1 + pick(3) }, (_, at) => store.nextCheckpoint + at);
      const batch = batchOf({ id, from: store.nextCheckpoint, mode: "keep", blocks });
      store.beginBatch(batch);
      for (const block of blocks) {
        store.beginBlock(1, block, block, true);
        recount.beginBlock();
        handle(store, recount, pick);
        // The writer takes the run of the batches before, while this one is in progress.
        if (pick(6) === 0) seal();
        handle(store, recount, pick);
      }
      store.commitBatch(batch);
      recount.commit(batch.items);
      if (pick(5) === 0) seal();

      const sealed = sealedFigures(inFlight);
      expect(store.uncommitted).toMatchObject({
        batches: recount.batches + sealed.batches,
        items: recount.items + sealed.items,
        changes: recount.changed.size + recount.images.length + sealed.changes,
        bytes: recount.bytes + sealed.bytes,
      });
    }
    seal();
    seal();
    expect(store.uncommitted).toEqual({ batches: 0, items: 0, changes: 0, bytes: 0, oldestAt: undefined });
  });

  test("count a large row as large: its new version, what it was before, and its encoded form", () => {
    const store = storeOf({ tables: [note], limits: { capacityBytes: 50_000 } });
    const large = (id: number): void => set(store, note, { id, text: "x".repeat(20_000) });
    const batchOfOne = (id: number): void => {
      const batch = batchOf({ id, from: id, mode: "keep" });
      store.beginBatch(batch);
      store.beginBlock(1, id, id, true);
      large(1);
      store.commitBatch(batch);
    };
    batchOfOne(1);
    expect(store.capacityReached).toBeUndefined();
    batchOfOne(2);
    expect([store.uncommitted.changes, store.capacityReached]).toEqual([3, "bytes"]);
    const run = store.takeRun();
    expect(store.uncommitted.bytes).toBeGreaterThan(20_000);
    if (run !== undefined) store.durable(run);
    expect(store.uncommitted.bytes).toBe(0);
  });
});
