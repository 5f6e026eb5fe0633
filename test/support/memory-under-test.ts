import type { SessionStorage } from "../../src/indexer/session-storage.ts";
import type { Row, TableModel } from "../../src/store/table.ts";
import { MemoryDatabase } from "../../src/testing/memory-database.ts";
import type { MemoryState } from "../../src/testing/memory-state.ts";
import { MemoryStorage } from "../../src/testing/memory-storage.ts";
import { silentTransaction } from "./silent-telemetry.ts";
import { CONTRACT_TABLES, type ImageTuple, type StorageUnderTest, type StoredTuple } from "./storage-contract.ts";
import type { Fault } from "./world/scenario.ts";
import { SimulatedServer } from "./world/server.ts";
import { pickFrom, Steps, settled } from "./world/steps.ts";
import { SimulatedStorage } from "./world/storage.ts";

interface Connection {
  readonly storage: SessionStorage;
  loseAnswer(isDurable: boolean): void;
  close(): void;
}

/** The test kit's storage. */
export async function openMemoryStorage(): Promise<StorageUnderTest> {
  let opened = 0;
  const database = new MemoryDatabase(CONTRACT_TABLES);
  return underTest(database, async () => {
    const storage = new MemoryStorage(database, `writer ${++opened}`);
    return {
      storage,
      loseAnswer: (isDurable) => storage.failNext("outcome_unknown", isDurable),
      close: () => {},
    };
  });
}

/** The simulation's storage, whose server takes its steps by itself. */
export async function openSimulatedStorage(): Promise<StorageUnderTest> {
  let opened = 0;
  const database = new MemoryDatabase(CONTRACT_TABLES);
  const steps = new Steps(pickFrom(1));
  const server = new SimulatedServer({ database, clock: steps.clockOf(0), pick: pickFrom(2), changed: () => {} });
  return underTest(database, async () => {
    let fault: Fault | undefined;
    let isClosed = false;
    const run = async (): Promise<void> => {
      while (!isClosed) if (!(await steps.next())) await settled();
    };
    run().catch(() => {});
    const storage = await SimulatedStorage.open(
      {
        server,
        token: `writer ${++opened}`,
        clock: steps.clockOf(opened),
        nextFault: () => {
          const next = fault;
          fault = undefined;
          return next;
        },
        readFails: () => false,
        silenceMs: 1_000,
      },
      () => false,
    );
    return {
      storage,
      loseAnswer: (isDurable) => {
        fault = isDurable ? "cut after commit" : "cut before commit";
      },
      close: () => {
        isClosed = true;
      },
    };
  });
}

async function underTest(database: MemoryDatabase, connect: () => Promise<Connection>): Promise<StorageUnderTest> {
  const { storage, loseAnswer, close } = await connect();
  const afterFirst = database.state;
  return {
    storage,
    loseAnswer: (isDurable) => {
      loseAnswer(isDurable);
      return silentTransaction;
    },
    rows: async (table) =>
      database
        .rows(table.name)
        .map(
          ({ chainId, checkpoint, row }): StoredTuple => [keyOf(table, row), chainId, checkpoint, otherOf(table, row)],
        )
        .toSorted(byKey),
    history: async (table) =>
      database
        .history(table.name)
        .map(
          ({ key, changedAt, before }): ImageTuple => [
            keyOf(table, key),
            changedAt,
            before?.checkpoint ?? null,
            before === undefined ? null : otherOf(table, before.row),
          ],
        )
        .toSorted(byKey),
    skipped: async () => database.skipped.map(({ block, message }) => [block, message] as const),
    metadata: async (chainId) => {
      const chain = database.state.chains.get(chainId);
      return [chain?.head ?? -1, chain?.live ?? false];
    },
    replaceWriter: async () => database.own("another"),
    goBack: async () => database.restore({ ...afterFirst, writeSeq: 0 }),
    removeRow: async (table, key) => {
      const { state } = database;
      const contents = state.tables.get(table.name);
      const rows = new Map([...(contents?.rows ?? [])].filter(([, { row }]) => keyOf(table, row) !== key));
      const tables: MemoryState["tables"] = new Map(state.tables).set(table.name, {
        rows,
        history: contents?.history ?? new Map(),
      });
      database.restore({ ...state, tables });
    },
    reopen: () => {
      close();
      return underTest(database, connect);
    },
    close: async () => close(),
  };
}

function keyOf(table: TableModel, row: Row): number | string {
  const value = row[table.key[0] as string];
  return typeof value === "string" ? value : Number(value);
}

function otherOf(table: TableModel, row: Row): number {
  return Number(row[table.columns[1]?.name as string]);
}

function byKey(a: StoredTuple | ImageTuple, b: StoredTuple | ImageTuple): number {
  const [one, other] = [a, b].map(([key, second]) => [typeof key === "string" ? 0 : key, second] as const);
  return (one?.[0] ?? 0) - (other?.[0] ?? 0) || (one?.[1] ?? 0) - (other?.[1] ?? 0);
}
