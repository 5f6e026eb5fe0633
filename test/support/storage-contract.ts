import { afterEach, describe, expect, test } from "vitest";
import type { BlockHeader } from "../../src/chain/block.ts";
import type { SessionStorage } from "../../src/indexer/session-storage.ts";
import type { WriteTransactionTelemetry } from "../../src/instrument/drain-telemetry.ts";
import type { DrainRun } from "../../src/store/drain-run.ts";
import { createQueryShape } from "../../src/store/query-shape.ts";
import { Store } from "../../src/store/store.ts";
import type { Row, TableModel } from "../../src/store/table.ts";
import type { ChainMetadata } from "../../src/write/chain-metadata.ts";
import { WriteFailure } from "../../src/write/storage.ts";
import { ManualClock } from "./manual-clock.ts";
import { silentTransaction } from "./silent-telemetry.ts";
import {
  account,
  type BatchInput,
  insert,
  process,
  remove,
  set,
  shared,
  TABLES,
  transfer,
  WIDE,
} from "./store-fixture.ts";

/** A row as it is stored: key, chain (0: shared), the checkpoint that wrote it, its other column. */
export type StoredTuple = readonly [key: number | string, chainId: number, checkpoint: number, value: number];
/** What a row was before a checkpoint changed it; nulls when there was none. */
export type ImageTuple = readonly [
  key: number | string,
  changedAt: number,
  checkpoint: number | null,
  value: number | null,
];

/** A storage under test that has been taken by this process, and ways to do something to it behind its back. */
export interface StorageUnderTest {
  readonly storage: SessionStorage;
  /**
   * What to give to the next write, so that its answer never comes: it is durable, or not.
   */
  loseAnswer(isDurable: boolean): WriteTransactionTelemetry;
  rows(table: TableModel): Promise<readonly StoredTuple[]>;
  history(table: TableModel): Promise<readonly ImageTuple[]>;
  /** Block and message of events that were skipped. */
  skipped(): Promise<readonly (readonly [block: number, message: string])[]>;
  /** Head of a chain, and whether it is live, as they are stored. */
  metadata(chainId: number): Promise<readonly [head: number, live: boolean]>;
  /** Another writer has the shard from now on. */
  replaceWriter(): Promise<void>;
  /** The last write is not there any more. */
  goBack(): Promise<void>;
  removeRow(table: TableModel, key: number): Promise<void>;
  /** Ends, and takes the shard again as another process would. */
  reopen(): Promise<StorageUnderTest>;
  close(): Promise<void>;
}

/** The tables that `open` is to make. */
export const CONTRACT_TABLES = TABLES;
export const CONTRACT_CHAINS = [
  { id: 1, name: "mainnet" },
  { id: 2, name: "optimism" },
] as const;

const hash = (block: number, fork: string): `0x${string}` => `0x${fork}${String(block).padStart(63, "0")}`;
const header = (number: number, fork = "a"): BlockHeader => ({
  number,
  hash: hash(number, fork),
  parentHash: hash(number - 1, fork),
  timestamp: 1_700_000_000 + number,
});
const headers = (from: number, to: number): BlockHeader[] =>
  Array.from({ length: to - from + 1 }, (_, at) => header(from + at));
const metadataOf = (chainId: number, head: number, live: boolean): ChainMetadata => ({
  chainId,
  head,
  live,
  sources: [{ name: "node", state: "ok" }],
});

/** A store over the storage; a run of it holds what its handlers have done. */
class Writer {
  readonly under: StorageUnderTest;
  readonly store: Store;
  #batches = 0;

  private constructor(under: StorageUnderTest, store: Store) {
    this.under = under;
    this.store = store;
  }

  /** @param isComplete rows that are not in memory are not in the storage: else nothing is known of them */
  static async on(under: StorageUnderTest, isComplete = true): Promise<Writer> {
    const { storage } = under;
    const resume = await storage.readResume();
    const store = new Store({
      tables: TABLES,
      emptyTables: isComplete ? resume.emptyTables : new Set(),
      codecOf: storage.codecOf,
      reader: storage,
      committed: resume.committedCheckpoint,
      nextCheckpoint: resume.nextCheckpoint,
      progress: [],
      limits: WIDE,
      clock: new ManualClock(),
    });
    return new Writer(under, store);
  }

  /** A batch of blocks with an event each, in each of which `change` is done. */
  batch(input: Omit<BatchInput, "id" | "from">, change: (block: number) => void = () => {}): this {
    process(this.store, { id: ++this.#batches, ...input }, change);
    return this;
  }

  run(): DrainRun {
    const run = this.store.takeRun();
    if (run === undefined) throw new Error("there is nothing to write");
    return run;
  }

  /** Writes what the batches have done. */
  async drain(metadata: readonly ChainMetadata[] = []): Promise<void> {
    const run = this.run();
    expect(await this.under.storage.write(run, silentTransaction, metadata)).toEqual({ alreadyDurable: false });
    this.store.durable(run);
  }

  set(table: TableModel, row: Row): void {
    set(this.store, table, row);
  }

  remove(table: TableModel, key: unknown): void {
    remove(this.store, table, key);
  }

  insert(id: bigint, value: bigint): void {
    insert(this.store, { id, value });
  }
}

/** What a write failed with. */
async function failureOf(write: Promise<unknown>): Promise<string> {
  try {
    await write;
  } catch (error) {
    if (error instanceof WriteFailure) return error.kind;
    throw error;
  }
  return "none";
}

/**
 * What every storage does: the same tests for PostgreSQL and for storages in memory.
 * @param open takes the shard of a new, empty database with CONTRACT_TABLES and the first ones of CONTRACT_CHAINS
 */
export function testStorageContract(open: (chains: number) => Promise<StorageUnderTest>): void {
  const opened: StorageUnderTest[] = [];
  const fresh: Open = async (chains = CONTRACT_CHAINS.length) => {
    const under = await open(chains);
    opened.push(under);
    return under;
  };
  const reopen = async (under: StorageUnderTest): Promise<StorageUnderTest> => {
    opened.splice(opened.indexOf(under), 1);
    const next = await under.reopen();
    opened.push(next);
    return next;
  };
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((under) => under.close()));
  });

  testRows(fresh);
  testHistory(fresh);
  testProgress(fresh, reopen);
  testOutcomes(fresh);
  testRollback(fresh, reopen);
}

type Open = (chains?: number) => Promise<StorageUnderTest>;
type Reopen = (under: StorageUnderTest) => Promise<StorageUnderTest>;

function testRows(open: Open): void {
  describe("rows", () => {
    test("are inserted, updated and deleted, of each chain and shared among chains", async () => {
      const under = await open();
      const writer = await Writer.on(under);
      writer.batch({ chainId: 1 }, () => {
        for (const id of [1, 2, 3]) writer.set(account, { id, balance: 10n });
        writer.set(shared, { id: "s", value: 1 });
        writer.insert(7n, 70n);
      });
      writer.batch({ chainId: 2 }, () => {
        writer.set(account, { id: 1, balance: 20n });
        writer.set(shared, { id: "s", value: 2 });
      });
      await writer.drain();
      writer.batch({ chainId: 1 }, () => {
        writer.set(account, { id: 2, balance: 11n });
        writer.remove(account, 3);
        writer.insert(8n, 80n);
      });
      await writer.drain();
      expect(await under.rows(account)).toEqual([
        [1, 1, 1, 10],
        [1, 2, 2, 20],
        [2, 1, 3, 11],
      ]);
      expect(await under.rows(shared)).toEqual([["s", 0, 2, 2]]);
      expect(await under.rows(transfer)).toEqual([
        [7, 1, 1, 70],
        [8, 1, 3, 80],
      ]);
    });

    test("of which it is not known whether they are there are inserted or replaced, and deleted or left alone", async () => {
      const under = await open();
      const before = await Writer.on(under);
      before.batch({}, () => {
        before.set(account, { id: 1, balance: 10n });
        before.set(account, { id: 2, balance: 10n });
      });
      await before.drain();
      const writer = await Writer.on(under, false);
      writer.batch({}, () => {
        writer.set(account, { id: 1, balance: 11n });
        writer.set(account, { id: 3, balance: 13n });
        writer.remove(account, 2);
        writer.remove(account, 4);
      });
      await writer.drain();
      expect(await under.rows(account)).toEqual([
        [1, 1, 2, 11],
        [3, 1, 2, 13],
      ]);
    });

    test("are read by key: those that are there, of the chain or shared", async () => {
      const under = await open();
      const writer = await Writer.on(under);
      writer.batch({ chainId: 1 }, () => {
        writer.set(account, { id: 1, balance: 10n });
        writer.set(account, { id: 2, balance: 20n });
        writer.set(shared, { id: "s", value: 5 });
      });
      await writer.drain();
      const { storage } = under;
      const found = await storage.rowsByKey(account, 1, [{ id: 2 }, { id: 1 }, { id: 9 }]);
      expect(found.toSorted((a, b) => Number(a.row.id) - Number(b.row.id))).toEqual([
        { row: { id: 1, balance: 10n }, checkpoint: 1 },
        { row: { id: 2, balance: 20n }, checkpoint: 1 },
      ]);
      expect(await storage.rowsByKey(account, 2, [{ id: 1 }])).toEqual([]);
      expect(await storage.rowsByKey(shared, 2, [{ id: "s" }])).toEqual([
        { row: { id: "s", value: 5 }, checkpoint: 1 },
      ]);
    });

    test("are found by their columns, in order, up to a limit: those of the chain or shared", async () => {
      const under = await open();
      const writer = await Writer.on(under);
      writer.batch({ chainId: 1 }, () => {
        for (const id of [3, 1, 2]) writer.set(account, { id, balance: BigInt(id * 10) });
        for (const [id, value] of [
          ["é", 1],
          ["Z", 2],
          ["a", 1],
          ["\u{1f600}", 1],
          ["\uffff", 1],
        ] as const) {
          writer.set(shared, { id, value });
        }
      });
      writer.batch({ chainId: 2 }, () => writer.set(account, { id: 1, balance: 1n }));
      await writer.drain();
      const find = async (table: TableModel, chainId: number, options: unknown): Promise<unknown[]> => {
        const found = await under.storage.rowsWhere(table, chainId, createQueryShape(table)(options));
        return found.map(({ row }) => row.id);
      };
      expect(await find(account, 1, {})).toEqual([1, 2, 3]);
      expect(await find(account, 2, {})).toEqual([1]);
      expect(await find(account, 1, { where: { balance: { gte: 20n } }, orderBy: { balance: "desc" } })).toEqual([
        3, 2,
      ]);
      expect(await find(account, 1, { where: { or: [{ id: 1 }, { balance: 30n }] }, limit: 1 })).toEqual([1]);
      expect(await find(account, 1, { where: { id: { in: [3, 9] } } })).toEqual([3]);
      expect(await find(account, 1, { where: { or: [] } })).toEqual([]);
      expect(await find(shared, 2, { where: { value: 1 } })).toEqual(["a", "é", "\uffff", "\u{1f600}"]);
    });

    test("are read page by page in the order of their keys, with what wrote them", async () => {
      const under = await open();
      const writer = await Writer.on(under);
      writer.batch({ chainId: 1 }, () => {
        for (const id of [3, 1, 2]) writer.set(account, { id, balance: BigInt(id) });
      });
      await writer.drain();
      const { storage } = under;
      const page = await storage.rowsAfter(account, 1, undefined, 2);
      expect(page).toEqual([1, 2].map((id) => ({ row: { id, balance: BigInt(id) }, checkpoint: 1 })));
      expect(await storage.rowsAfter(account, 1, page[1]?.row, 2)).toEqual([
        { row: { id: 3, balance: 3n }, checkpoint: 1 },
      ]);
      expect(await storage.rowsAfter(account, 2, undefined, 2)).toEqual([]);
      const estimated = await storage.estimateRows([account, shared]);
      expect([...estimated.keys()]).toEqual(["account", "shared"]);
      expect(estimated.get("account")).toBeGreaterThan(0);
      expect(estimated.get("shared")).toBe(0);
    });

    test("that a skipped event left out are not there; the event is noted", async () => {
      const under = await open();
      const writer = await Writer.on(under);
      writer.batch({ blocks: [5] }, (block) => {
        writer.set(account, { id: 1, balance: 1n });
        writer.store.undoEvent();
        const { checkpoint } = writer.store.scope;
        writer.store.skip({
          chainId: 1,
          block,
          logIndex: 0,
          checkpoint,
          transactionHash: hash(5, "f"),
          handler: "Test.Event",
          message: "boom",
        });
      });
      await writer.drain();
      expect(await under.rows(account)).toEqual([]);
      expect(await under.skipped()).toEqual([[5, "boom"]]);
    });
  });
}

function testHistory(open: Open): void {
  describe("history", () => {
    test("holds what each row was before each checkpoint that changed it, in mode keep only", async () => {
      const under = await open();
      const writer = await Writer.on(under);
      writer.batch({ mode: "final" }, () => writer.set(account, { id: 1, balance: 1n }));
      await writer.drain();
      writer.batch({ mode: "keep", blocks: [2, 3] }, (block) => {
        writer.set(account, { id: 1, balance: BigInt(block) });
        writer.set(account, { id: 2, balance: BigInt(block) });
      });
      writer.batch({ mode: "keep", blocks: [4] }, () => writer.remove(account, 1));
      await writer.drain();
      expect(await under.history(account)).toEqual([
        [1, 2, 1, 1],
        [1, 3, 2, 2],
        [1, 4, 3, 3],
        [2, 2, null, null],
        [2, 3, 2, 2],
      ]);
    });

    test("of rows of which nothing was known holds what the storage had", async () => {
      const under = await open();
      const before = await Writer.on(under);
      before.batch({ mode: "final" }, () => before.set(account, { id: 1, balance: 1n }));
      await before.drain();
      const writer = await Writer.on(under, false);
      writer.batch({ mode: "keep", blocks: [2, 3] }, (block) => {
        writer.set(account, { id: 1, balance: BigInt(block) });
        if (block === 2) writer.set(account, { id: 2, balance: 2n });
        else writer.remove(account, 2);
      });
      await writer.drain();
      expect(await under.history(account)).toEqual([
        [1, 2, 1, 1],
        [1, 3, 2, 2],
        [2, 2, null, null],
        [2, 3, 2, 2],
      ]);
      expect(await under.rows(account)).toEqual([[1, 1, 3, 3]]);
    });
  });
}

function testProgress(open: Open, reopen: Reopen): void {
  describe("progress", () => {
    test("is none in a new storage, all of whose tables are empty", async () => {
      expect(await (await open()).storage.readResume()).toEqual({
        committedCheckpoint: 0,
        nextCheckpoint: 1,
        chains: [],
        emptyTables: new Set(["account", "shared", "transfer"]),
      });
    });

    test("comes with the run, and is there for whoever takes the shard next", async () => {
      const under = await open();
      const writer = await Writer.on(under);
      writer.batch({ mode: "final", chainId: 1, blocks: [4], headers: [header(4)] });
      await writer.drain();
      writer.batch({ mode: "keep", chainId: 1, blocks: [5, 7], headers: headers(5, 7) }, () =>
        writer.set(account, { id: 1, balance: 1n }),
      );
      await writer.drain([metadataOf(1, 9, true)]);
      const resume = {
        committedCheckpoint: 3,
        nextCheckpoint: 4,
        chains: [
          {
            chainId: 1,
            block: 7,
            timestamp: header(7).timestamp,
            checkpoint: 3,
            live: true,
            finalized: 4,
            floor: 4,
            children: [],
            headers: headers(4, 7),
          },
        ],
        emptyTables: new Set(["shared", "transfer"]),
      };
      expect(await under.storage.readResume()).toEqual(resume);
      expect(await under.metadata(1)).toEqual([9, true]);
      const next = await reopen(under);
      expect(await next.storage.readResume()).toEqual(resume);
    });

    test("brings addresses of its blocks, each once with the earliest of its blocks; they are there for the next", async () => {
      const under = await open();
      const writer = await Writer.on(under);
      const child = (digit: string, block: number, contract = "Pair") =>
        ({ contract, address: `0x${digit.repeat(40)}`, block }) as const;
      const stored = async (storage: StorageUnderTest) =>
        Object.fromEntries(
          (await storage.storage.readResume()).chains.map(({ chainId, children }) => [
            chainId,
            children.map(({ contract, address, block }) => `${contract} ${address.at(-1)} ${block}`).toSorted(),
          ]),
        );
      writer.batch({
        chainId: 1,
        blocks: [4, 7],
        children: [child("a", 1), child("b", 7), child("b", 5), child("c", 8)],
      });
      writer.batch({ chainId: 2, blocks: [7], children: [child("a", 7, "Pool")] });
      await writer.drain();
      // What begins in a later block comes with that.
      expect(await stored(under)).toEqual({ 1: ["Pair a 1", "Pair b 5"], 2: ["Pool a 7"] });
      writer.batch({ chainId: 1, blocks: [8], children: [child("a", 8), child("c", 8), child("a", 8, "Pool")] });
      await writer.drain();
      const all = { 1: ["Pair a 1", "Pair b 5", "Pair c 8", "Pool a 8"], 2: ["Pool a 7"] };
      expect(await stored(under)).toEqual(all);
      expect(await stored(await reopen(under))).toEqual(all);
    });

    test("is not in chain metadata that is written alone, and a chain that was live once stays so", async () => {
      const under = await open();
      await under.storage.writeMetadata([metadataOf(1, 100, true)], silentTransaction);
      await under.storage.writeMetadata([metadataOf(1, 99, false), metadataOf(2, 5, false)], silentTransaction);
      expect([await under.metadata(1), await under.metadata(2)]).toEqual([
        [99, true],
        [5, false],
      ]);
      expect(await under.storage.readResume()).toMatchObject({ nextCheckpoint: 1, chains: [] });
    });
  });
}

function testOutcomes(open: Open): void {
  describe("a write", () => {
    const first = async (under: StorageUnderTest): Promise<Writer> => {
      const writer = await Writer.on(under);
      writer.batch({}, () => writer.set(account, { id: 1, balance: 1n }));
      await writer.drain();
      writer.batch({}, () => {
        writer.set(account, { id: 1, balance: 2n });
        writer.set(account, { id: 2, balance: 2n });
      });
      return writer;
    };

    test("whose answer was lost is found durable by the next attempt, and is done once", async () => {
      const under = await open();
      const run = (await first(under)).run();
      expect(await failureOf(under.storage.write(run, under.loseAnswer(true)))).toBe("outcome_unknown");
      expect(await under.storage.write(run, silentTransaction)).toEqual({ alreadyDurable: true });
      expect(await under.rows(account)).toEqual([
        [1, 1, 2, 2],
        [2, 1, 2, 2],
      ]);
      expect((await under.storage.readResume()).nextCheckpoint).toBe(3);
    });

    test("that was lost before its COMMIT is done by the next attempt", async () => {
      const under = await open();
      const run = (await first(under)).run();
      expect(await failureOf(under.storage.write(run, under.loseAnswer(false)))).toBe("outcome_unknown");
      expect(await under.rows(account)).toEqual([[1, 1, 1, 1]]);
      expect(await under.storage.write(run, silentTransaction)).toEqual({ alreadyDurable: false });
      expect(await under.rows(account)).toEqual([
        [1, 1, 2, 2],
        [2, 1, 2, 2],
      ]);
    });

    test("whose outcome is unknown lets nothing be written before it", async () => {
      const under = await open();
      const writer = await first(under);
      expect(await failureOf(under.storage.write(writer.run(), under.loseAnswer(true)))).toBe("outcome_unknown");
      await expect(under.storage.writeMetadata([metadataOf(1, 1, false)], silentTransaction)).rejects.toThrow(
        "impossible state",
      );
    });

    test.each([true, false])("goes on after metadata whose outcome is unknown (durable: %s)", async (isDurable) => {
      const under = await open();
      const writer = await first(under);
      const lost = under.storage.writeMetadata([metadataOf(1, 50, false)], under.loseAnswer(isDurable));
      expect(await failureOf(lost)).toBe("outcome_unknown");
      await writer.drain();
      expect((await under.storage.readResume()).nextCheckpoint).toBe(3);
    });

    test("is fenced when another writer has taken the shard, and changes nothing", async () => {
      const under = await open();
      const run = (await first(under)).run();
      await under.replaceWriter();
      expect(await failureOf(under.storage.write(run, silentTransaction))).toBe("fenced");
      expect(await failureOf(under.storage.writeMetadata([metadataOf(1, 1, false)], silentTransaction))).toBe("fenced");
      expect(await under.rows(account)).toEqual([[1, 1, 1, 1]]);
    });

    test("is refused when the storage has lost one that it had confirmed", async () => {
      const under = await open();
      const writer = await first(under);
      const before = await under.rows(account);
      await under.goBack();
      expect(await failureOf(under.storage.write(writer.run(), silentTransaction))).toBe("went_back");
      expect((await under.rows(account)).length).toBeLessThanOrEqual(before.length);
    });

    test("that does not find a row to update is fatal, and changes nothing", async () => {
      const under = await open();
      const run = (await first(under)).run();
      await under.removeRow(account, 1);
      expect(await failureOf(under.storage.write(run, silentTransaction))).toBe("fatal");
      expect(await under.rows(account)).toEqual([]);
      expect((await under.storage.readResume()).nextCheckpoint).toBe(2);
    });

    test("that inserts a row which is there is fatal, and changes nothing", async () => {
      const under = await open();
      const writer = await Writer.on(under);
      writer.batch({}, () => writer.insert(7n, 1n));
      await writer.drain();
      writer.batch({}, () => {
        writer.insert(8n, 1n);
        writer.insert(7n, 2n);
      });
      expect(await failureOf(under.storage.write(writer.run(), silentTransaction))).toBe("fatal");
      expect(await under.rows(transfer)).toEqual([[7, 1, 1, 1]]);
    });
  });
}

function testRollback(open: Open, reopen: Reopen): void {
  describe("a rollback", () => {
    /** Chain 1 up to block 6, chain 2 up to block 3; in mode keep from checkpoint 3 on. */
    const indexed = async (under: StorageUnderTest): Promise<Writer> => {
      const writer = await Writer.on(under);
      writer.batch({ mode: "final", chainId: 1, blocks: [1, 2], headers: [header(2)] }, (block) => {
        writer.set(account, { id: block, balance: 1n });
        writer.insert(BigInt(block), 1n);
      });
      await writer.drain();
      writer.batch({ mode: "keep", chainId: 1, blocks: [4], headers: [header(4)] }, () => {
        writer.set(account, { id: 1, balance: 4n });
        writer.set(account, { id: 4, balance: 4n });
        writer.insert(4n, 4n);
      });
      writer.batch({ mode: "keep", chainId: 2, blocks: [3], headers: [header(3, "c")] }, () => {
        writer.set(account, { id: 1, balance: 33n });
        writer.insert(33n, 33n);
      });
      writer.batch({ mode: "keep", chainId: 1, blocks: [5, 6], headers: headers(5, 6) }, (block) => {
        writer.set(account, { id: 1, balance: BigInt(block) });
        if (block === 5) writer.remove(account, 2);
        else writer.set(account, { id: 2, balance: 6n });
        writer.remove(account, 4);
        writer.set(account, { id: 5, balance: 5n });
        writer.insert(BigInt(block), 5n);
      });
      await writer.drain();
      return writer;
    };
    const request = {
      chainId: 1,
      toBlock: 4,
      fromBlock: 6,
      orphaned: headers(5, 6),
      found: header(7, "b"),
    };

    test("makes rows what they were, and forgets the orphaned blocks; other chains stay", async () => {
      const under = await open();
      await indexed(under);
      await under.storage.rollBack(request, silentTransaction);
      expect(await under.rows(account)).toEqual([
        [1, 1, 3, 4],
        [1, 2, 4, 33],
        [2, 1, 2, 1],
        [4, 1, 3, 4],
      ]);
      expect(await under.rows(transfer)).toEqual([
        [1, 1, 1, 1],
        [2, 1, 2, 1],
        [4, 1, 3, 4],
        [33, 2, 4, 33],
      ]);
      expect(await under.history(account)).toEqual([
        [1, 3, 1, 1],
        [1, 4, null, null],
        [4, 3, null, null],
      ]);
    });

    test("moves the progress of its chain back, not the frontiers: it takes a number itself", async () => {
      const under = await open();
      await indexed(under);
      expect(await under.storage.rollBack(request, silentTransaction)).toEqual({
        alreadyDurable: false,
        checkpoints: { from: 5, to: 6 },
        rowsRestored: 3,
        rowsDeleted: 5,
      });
      const { chains, ...resume } = await under.storage.readResume();
      expect(resume).toMatchObject({ committedCheckpoint: 7, nextCheckpoint: 8 });
      expect(chains.map(({ chainId, block, checkpoint }) => [chainId, block, checkpoint])).toEqual([
        [1, 4, 3],
        [2, 3, 4],
      ]);
      expect(chains[0]).toMatchObject({ floor: 2, timestamp: header(4).timestamp, headers: [header(2), header(4)] });
      const next = await reopen(under);
      expect(await next.storage.readResume()).toEqual({ ...resume, chains });
    });

    test("leaves everything ready to go on", async () => {
      const under = await open();
      await indexed(under);
      await under.storage.rollBack(request, silentTransaction);
      const writer = await Writer.on(under, false);
      writer.batch({ mode: "keep", chainId: 1, blocks: [5], headers: [header(5, "b")] }, () => {
        writer.set(account, { id: 1, balance: 500n });
        writer.insert(5n, 500n);
      });
      await writer.drain();
      await under.storage.rollBack(
        { ...request, fromBlock: 5, orphaned: [header(5, "b")], toBlock: 3 },
        silentTransaction,
      );
      expect(await under.rows(account)).toEqual([
        [1, 1, 1, 1],
        [1, 2, 4, 33],
        [2, 1, 2, 1],
      ]);
      expect((await under.storage.readResume()).chains[0]).toMatchObject({ block: 3, checkpoint: 2 });
    });

    test("forgets the addresses of orphaned blocks", async () => {
      const under = await open();
      const writer = await indexed(under);
      const address = `0x${"a".repeat(40)}` as const;
      const children = [7, 8].map((block) => ({ contract: `From${block}`, address, block }));
      writer.batch({ mode: "keep", chainId: 1, blocks: [7, 8], headers: headers(7, 8), children });
      writer.batch({ mode: "keep", chainId: 2, blocks: [8], children });
      await writer.drain();
      await under.storage.rollBack({ ...request, toBlock: 7, fromBlock: 8 }, silentTransaction);
      const { chains } = await under.storage.readResume();
      expect(chains.map((chain) => chain.children)).toEqual([[children[0]], children]);
    });

    test("of blocks without changes moves progress and headers alone", async () => {
      const under = await open();
      const writer = await indexed(under);
      const outcome = await under.storage.rollBack({ ...request, toBlock: 6, fromBlock: 9 }, silentTransaction);
      expect(outcome).toEqual({ alreadyDurable: false, checkpoints: undefined, rowsRestored: 0, rowsDeleted: 0 });
      expect((await under.rows(account)).length).toBeGreaterThan(0);
      const { chains, nextCheckpoint } = await under.storage.readResume();
      expect([nextCheckpoint, chains[0]?.block, chains[0]?.headers.at(-1)]).toEqual([8, 6, header(6)]);
      expect(writer.store.failure).toBe(undefined);
    });

    test("takes rows that chains share back while there is one chain, and is refused when it is one of several", async () => {
      for (const [chains, outcome] of [
        [1, "none"],
        [2, "fatal"],
      ] as const) {
        const under = await open(chains);
        const writer = await Writer.on(under);
        if (chains === 2) writer.batch({ mode: "keep", chainId: 2, blocks: [1] });
        writer.batch({ mode: "keep", chainId: 1, blocks: [4] }, () => writer.set(shared, { id: "s", value: 4 }));
        writer.batch({ mode: "keep", chainId: 1, blocks: [5] }, () => writer.set(shared, { id: "s", value: 5 }));
        await writer.drain();
        expect(await failureOf(under.storage.rollBack(request, silentTransaction))).toBe(outcome);
        expect((await under.rows(shared)).map(([key, , , value]) => [key, value])).toEqual([
          ["s", chains === 1 ? 4 : 5],
        ]);
      }
    });

    test("is fenced like every write", async () => {
      const under = await open();
      await indexed(under);
      await under.replaceWriter();
      expect(await failureOf(under.storage.rollBack(request, silentTransaction))).toBe("fenced");
    });

    test("is refused by a storage that went back, like every write", async () => {
      const under = await open();
      await indexed(under);
      await under.goBack();
      expect(await failureOf(under.storage.rollBack(request, silentTransaction))).toBe("went_back");
    });
  });
}
