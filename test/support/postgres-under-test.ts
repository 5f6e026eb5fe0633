import { pino } from "pino";
import { systemClock } from "../../src/lib/clock.ts";
import { openStorage } from "../../src/postgres/open.ts";
import { recordingWriteTelemetry } from "./drain-runs.ts";
import type { TestDatabase } from "./postgres.ts";
import {
  CONTRACT_CHAINS,
  CONTRACT_TABLES,
  type ImageTuple,
  type StorageUnderTest,
  type StoredTuple,
} from "./storage-contract.ts";
import { transfer } from "./store-fixture.ts";

let schemas = 0;

/** A storage in a schema of its own. */
export function openPostgresStorage(database: TestDatabase, chains: number): Promise<StorageUnderTest> {
  return underTest(database, `contract_${++schemas}`, chains);
}

async function underTest(database: TestDatabase, schema: string, chains: number): Promise<StorageUnderTest> {
  const storage = await openStorage({
    url: database.url,
    schema,
    shard: "main",
    tables: CONTRACT_TABLES,
    fingerprint: {},
    chains: CONTRACT_CHAINS.slice(0, chains),
    clock: systemClock,
    log: pino({ enabled: false }),
    holder: "contract",
    budgetMs: 2_000,
  });
  const internal = `${schema}_spindex`;
  return {
    storage,
    loseAnswer: (isDurable) =>
      recordingWriteTelemetry({
        commit: async (run) => {
          if (isDurable) await run();
          throw new Error("Connection terminated unexpectedly");
        },
      }),
    rows: async (table) => {
      const other = table.columns[1]?.sqlName;
      const chain = table.crossChain ? "0" : "chain_id::int";
      // Keys of the fixture are small: int4 and text, as values of `pg`.
      const key = table === transfer ? "id::int" : "id";
      const rows = await database.query(
        `select ${key} as key, ${chain} as chain, _checkpoint::int as checkpoint, ${other}::int as other
         from ${schema}.${table.sqlName} order by 1, 2`,
      );
      return rows.map((row) => [row.key, row.chain, row.checkpoint, row.other] as StoredTuple);
    },
    history: async (table) => {
      const rows = await database.query(
        `select id as key, _changed_at::int as changed, _checkpoint::int as checkpoint, ${table.columns[1]?.sqlName}::int as other
         from ${internal}.${table.sqlName}_history order by 1, 2`,
      );
      return rows.map((row) => [row.key, row.changed, row.checkpoint, row.other] as ImageTuple);
    },
    skipped: async () => {
      const rows = await database.query(`select block::int, message from ${internal}.skipped_events order by id`);
      return rows.map(({ block, message }) => [block as number, message as string] as const);
    },
    metadata: async (chainId) => {
      const [row] = await database.query(`select head::int, live from ${internal}.chains where chain_id = $1`, [
        chainId,
      ]);
      return [row?.head as number, row?.live as boolean];
    },
    replaceWriter: async () => {
      await database.query(`update ${internal}.shards set token = 'another', starts = starts + 1`);
    },
    goBack: async () => {
      await database.query(`update ${internal}.shards set write_seq = 0`);
    },
    removeRow: async (table, key) => {
      await database.query(`delete from ${schema}.${table.sqlName} where id = $1`, [key]);
    },
    reopen: async () => {
      await storage.close("stopped");
      return underTest(database, schema, chains);
    },
    close: () => storage.close("stopped"),
  };
}
