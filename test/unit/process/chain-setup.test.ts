import { describe, expect, test } from "vitest";
import { ChainSetup } from "../../../src/process/chain-setup.ts";
import type { EntityFacade } from "../../../src/process/store-facade.ts";
import { Store } from "../../../src/store/store.ts";
import { createMemoryCodec } from "../../../src/testing/memory-codec.ts";
import { MemoryDatabase } from "../../../src/testing/memory-database.ts";
import { MemoryStorage } from "../../../src/testing/memory-storage.ts";
import { effectCallsOf } from "../../support/effect-calls.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { silentBatch } from "../../support/silent-telemetry.ts";
import { TABLES, WIDE } from "../../support/store-fixture.ts";

const clock = new ManualClock();
const CHAINS = [
  { label: { name: "one", id: 1 }, startBlock: 100 },
  { label: { name: "unused", id: 2 }, startBlock: Number.POSITIVE_INFINITY },
  { label: { name: "three", id: 3 }, startBlock: 0 },
];

/** One life of a process: its set-ups run, and are written when `durable`. */
async function live(database: MemoryDatabase, durable: boolean): Promise<{ runs: string[]; store: Store }> {
  const storage = new MemoryStorage(database, "life");
  const store = new Store({
    tables: TABLES,
    emptyTables: database.emptyTables,
    codecOf: createMemoryCodec,
    reader: storage,
    committed: database.committedCheckpoint,
    nextCheckpoint: database.nextCheckpoint,
    progress: database.progress,
    limits: WIDE,
    clock,
  });
  const runs: string[] = [];
  const setup = new ChainSetup({
    handler: async ({ store: rows, chain }) => {
      runs.push(chain.name);
      (rows.account as EntityFacade).set({ id: 7, balance: BigInt(chain.id) });
    },
    chains: CHAINS,
    tables: TABLES,
    store,
    effects: effectCallsOf(store, clock),
    clock,
  });
  for (let id = 1, batch = setup.nextBatch(id); batch !== undefined; batch = setup.nextBatch(++id)) {
    store.beginBatch(batch);
    expect(await setup.process(batch, silentBatch)).toEqual({ kind: "processed" });
    store.commitBatch(batch);
  }
  for (let run = durable ? store.takeRun() : undefined; run !== undefined; run = store.takeRun()) {
    await storage.write(run);
    store.durable(run);
  }
  return { runs, store };
}

describe("the set-up of chains", () => {
  test("takes a checkpoint of its own for each chain with blocks, to the block before the first", async () => {
    const database = new MemoryDatabase(TABLES);
    const { runs, store } = await live(database, true);
    expect(runs).toEqual(["one", "three"]);
    expect(store.committedCheckpoint).toBe(2);
    expect(database.progress.map(({ chainId, block, checkpoint }) => [chainId, block, checkpoint])).toEqual([
      [1, 99, 1],
      [3, -1, 2],
    ]);
    expect(database.rows("account").map(({ chainId, row, checkpoint }) => [chainId, row, checkpoint])).toEqual([
      [1, { id: 7, balance: 1n }, 1],
      [3, { id: 7, balance: 3n }, 2],
    ]);
  });

  test("runs again after a crash before it was durable, and never afterwards", async () => {
    const database = new MemoryDatabase(TABLES);
    expect((await live(database, false)).runs).toEqual(["one", "three"]);
    expect(database.rows("account")).toEqual([]);
    expect((await live(database, true)).runs).toEqual(["one", "three"]);
    const rows = database.rows("account");
    expect((await live(database, true)).runs).toEqual([]);
    expect(database.rows("account")).toEqual(rows);
  });
});
