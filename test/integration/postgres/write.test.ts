import { pino } from "pino";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { BlockHeader } from "../../../src/chain/block.ts";
import { systemClock } from "../../../src/lib/clock.ts";
import { openStorage } from "../../../src/postgres/open.ts";
import type { PostgresStorage } from "../../../src/postgres/storage.ts";
import type { Row } from "../../../src/store/table.ts";
import { WriteFailure } from "../../../src/write/storage.ts";
import { changesOf, recordingWriteTelemetry, runOf } from "../../support/drain-runs.ts";
import { startFaultProxy } from "../../support/fault-proxy.ts";
import { createTestDatabase, type TestDatabase } from "../../support/postgres.ts";
import { tableOf } from "../../support/tables.ts";

const account = tableOf("account", [
  { name: "id", kind: "address" },
  { name: "balance", kind: "int256" },
]);
const transfer = tableOf(
  "transfer",
  [
    { name: "id", kind: "eventId" },
    { name: "note", kind: "text" },
  ],
  { appendOnly: true },
);
const A = `0x${"a".repeat(40)}`;
const B = `0x${"b".repeat(40)}`;
const C = `0x${"c".repeat(40)}`;
const D = `0x${"d".repeat(40)}`;
const hash = (n: number): `0x${string}` => `0x${n.toString(16).padStart(64, "0")}`;
const header = (number: number): BlockHeader => ({
  number,
  hash: hash(number),
  parentHash: hash(number - 1),
  timestamp: 1_700_000_000 + number,
});

let database: TestDatabase;
const opened: PostgresStorage[] = [];
let schemas = 0;

beforeAll(async () => {
  database = await createTestDatabase();
});

afterEach(async () => {
  await Promise.all(opened.splice(0).map((storage) => storage.close("stopped")));
});

afterAll(() => database.drop());

async function open(schema: string, options: { url?: string; silenceMs?: number } = {}): Promise<PostgresStorage> {
  const storage = await openStorage({
    url: database.url,
    schema,
    shard: "main",
    tables: [account, transfer],
    fingerprint: {},
    chains: [
      { id: 1, name: "mainnet" },
      { id: 10, name: "optimism" },
    ],
    clock: systemClock,
    log: pino({ enabled: false }),
    holder: "test",
    budgetMs: 2_000,
    ...options,
  });
  opened.push(storage);
  return storage;
}

const newSchema = (): string => `write_${++schemas}`;

/** What a write failed with. */
async function failureOf(write: Promise<unknown>): Promise<WriteFailure> {
  const failure = await write.then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(failure).toBeInstanceOf(WriteFailure);
  return failure as WriteFailure;
}

const accounts = (schema: string): Promise<Record<string, unknown>[]> =>
  database.query(
    `select id, balance::text, chain_id::int, _checkpoint::int from ${schema}.account order by id, chain_id`,
  );
const insertA = (checkpoint = 1): ReturnType<typeof changesOf> =>
  changesOf(account, { inserts: [[checkpoint, { id: A, balance: 5n }]] });

describe("a write", () => {
  test("inserts, updates, upserts and deletes rows", async () => {
    const schema = newSchema();
    const storage = await open(schema);
    const first: Row[] = [A, B, D].map((id) => ({ id, balance: 1n }));
    await storage.write(
      runOf(1, { tables: [changesOf(account, { inserts: first.map((row) => [1, row] as const) })] }),
      recordingWriteTelemetry(),
    );
    const telemetry = recordingWriteTelemetry();
    const changes = changesOf(account, {
      updates: [[2, { id: A, balance: -7n }]],
      upserts: [
        [2, { id: C, balance: 2n ** 200n }],
        [2, { id: D, balance: 3n }],
      ],
      deletes: [{ id: B }, { id: `0x${"e".repeat(40)}` }],
    });
    expect(await storage.write(runOf(2, { tables: [changes] }), telemetry)).toEqual({ alreadyDurable: false });
    expect(await accounts(schema)).toEqual([
      { id: A, balance: "-7", chain_id: 1, _checkpoint: 2 },
      { id: C, balance: String(2n ** 200n), chain_id: 1, _checkpoint: 2 },
      { id: D, balance: "3", chain_id: 1, _checkpoint: 2 },
    ]);
    expect(telemetry.statements.map(({ summary, rows }) => `${summary}: ${rows}`)).toEqual([
      "UPDATE shards: 1",
      "COPY account (upserts): 2",
      "COPY account (deletes): 2",
      "DELETE account: 2",
      "UPSERT account: 2",
      "COPY account (updates): 1",
      "UPDATE account: 1",
      "INSERT drain_runs: 1",
    ]);
    expect(await storage.rowCounts()).toEqual(
      new Map([
        ["account", 3],
        ["transfer", 0],
      ]),
    );
  });

  test("stores progress, headers, checkpoints, skipped events and its own row with the rows", async () => {
    const schema = newSchema();
    const storage = await open(schema);
    const head = { number: 120, finalized: 90, live: true };
    await storage.write(
      runOf(4, {
        id: 9,
        mode: "keep",
        checkpoints: { from: 1, to: 4 },
        items: 12,
        progress: [
          {
            chainId: 1,
            block: 100,
            timestamp: 1_700_000_100,
            checkpoint: 4,
            head,
            headers: [header(99), header(100), header(99)],
          },
          {
            chainId: 10,
            block: 7,
            timestamp: undefined,
            checkpoint: 3,
            head: { number: 8, finalized: 0, live: false },
            headers: [],
          },
        ],
        blocks: [{ chainId: 1, from: 90, to: 100 }],
        positions: [{ checkpoint: 4, chainId: 1, block: 100 }],
        tables: [insertA(4)],
        skipped: [
          {
            chainId: 1,
            block: 95,
            logIndex: 3,
            checkpoint: 2,
            transactionHash: hash(5),
            handler: "Token.Transfer",
            message: "bad \0",
          },
        ],
        splitReason: "bytes",
      }),
      recordingWriteTelemetry({ traceId: "f".repeat(32) }),
    );
    const runs = await database.query(
      `select write_seq::int, from_checkpoint::int, to_checkpoint::int, drain_id::int, mode, split_reason, items::int,
         changes::int, blocks, trace_id from ${schema}_spindex.drain_runs`,
    );
    expect(runs).toEqual([
      {
        write_seq: 1,
        from_checkpoint: 1,
        to_checkpoint: 4,
        drain_id: 9,
        mode: "keep",
        split_reason: "bytes",
        items: 12,
        changes: 1,
        blocks: [{ chainId: 1, from: 90, to: 100 }],
        trace_id: "f".repeat(32),
      },
    ]);
    const status = await database.query(
      `select chain, processed_block::int, extract(epoch from processed_block_time)::int as time, head_block::int,
         finalized_block::int, live, blocks_behind::int, committed_checkpoint::int, shard_rows_written::int,
         last_write_at is not null as written from ${schema}.spindex_status`,
    );
    const shard = { shard_rows_written: 1, written: true };
    expect(status).toEqual([
      {
        chain: "mainnet",
        processed_block: 100,
        time: 1_700_000_100,
        head_block: 120,
        finalized_block: 90,
        live: true,
        blocks_behind: 20,
        committed_checkpoint: 4,
        ...shard,
      },
      {
        chain: "optimism",
        processed_block: 7,
        time: null,
        head_block: 8,
        finalized_block: 0,
        live: false,
        blocks_behind: 1,
        committed_checkpoint: 3,
        ...shard,
      },
    ]);
    expect(await database.query(`select checkpoint::int, block::int from ${schema}_spindex.checkpoints`)).toEqual([
      { checkpoint: 4, block: 100 },
    ]);
    expect(await database.query(`select handler, message from ${schema}_spindex.skipped_events`)).toEqual([
      { handler: "Token.Transfer", message: "bad \ufffd" },
    ]);
    await storage.close("stopped");
    const again = await open(schema);
    expect(again.resume).toEqual({
      nextCheckpoint: 5,
      committedCheckpoint: 4,
      chains: [
        {
          chainId: 1,
          block: 100,
          timestamp: 1_700_000_100,
          checkpoint: 4,
          live: true,
          finalized: 90,
          floor: 90,
          headers: [header(99), header(100)],
          children: [],
        },
        {
          chainId: 10,
          block: 7,
          timestamp: undefined,
          checkpoint: 3,
          live: false,
          finalized: 0,
          floor: 0,
          headers: [],
          children: [],
        },
      ],
      emptyTables: new Set(["transfer"]),
    });
    expect(await database.query(`select outcome from ${schema}_spindex.starts order by id`)).toEqual([
      { outcome: "stopped" },
      { outcome: null },
    ]);
  });

  test("keeps before-images, and finds those that its writer did not know", async () => {
    const schema = newSchema();
    const storage = await open(schema);
    const rows = [A, B, C].map((id) => [1, { id, balance: 1n }] as const);
    await storage.write(runOf(1, { tables: [changesOf(account, { inserts: rows })] }), recordingWriteTelemetry());
    const unknown = `0x${"e".repeat(40)}`;
    const changes = changesOf(account, {
      updates: [[3, { id: A, balance: 3n }]],
      // Both were changed without a look at the table; only one of them is in it.
      upserts: [
        [3, { id: B, balance: 30n }],
        [2, { id: unknown, balance: 9n }],
      ],
      deletes: [{ id: C }],
      history: [
        [2, 1, { id: A, balance: 1n }],
        [3, 2, { id: A, balance: 2n }],
        [3, 2, { id: B, balance: 20n }],
      ],
      unknownHistory: [
        [2, { id: B }],
        [2, { id: unknown }],
        [3, { id: C }],
      ],
    });
    await storage.write(
      runOf(3, { mode: "keep", checkpoints: { from: 2, to: 3 }, tables: [changes] }),
      recordingWriteTelemetry(),
    );
    const history = await database.query(
      `select id, balance::text, _checkpoint::int, _changed_at::int from ${schema}_spindex.account_history order by 1, 4`,
    );
    expect(history).toEqual([
      { id: A, balance: "1", _checkpoint: 1, _changed_at: 2 },
      { id: A, balance: "2", _checkpoint: 2, _changed_at: 3 },
      { id: B, balance: "1", _checkpoint: 1, _changed_at: 2 },
      { id: B, balance: "20", _checkpoint: 2, _changed_at: 3 },
      { id: C, balance: "1", _checkpoint: 1, _changed_at: 3 },
      { id: unknown, balance: null, _checkpoint: null, _changed_at: 2 },
    ]);
  });

  test("without before-images leaves nothing to roll back to, whatever is called final", async () => {
    const storage = await open(newSchema());
    const head = { number: 120, finalized: 90, live: false };
    const progress = { chainId: 1, block: 100, timestamp: 1_700_000_100, checkpoint: 1, head, headers: [] };
    await storage.write(runOf(1, { mode: "final", progress: [progress] }), recordingWriteTelemetry());
    expect((await storage.readResume()).chains).toMatchObject([{ chainId: 1, finalized: 90, floor: 100 }]);
  });

  test("names its trace in the server's list of sessions", async () => {
    const storage = await open(newSchema());
    const seen: unknown[] = [];
    const telemetry = recordingWriteTelemetry({
      traceId: "0af7651916cd43dd8448eb211c80319c",
      beforeStatement: async (_start, pid) => {
        seen.push(...(await database.query("select application_name from pg_stat_activity where pid = $1", [pid])));
      },
    });
    await storage.write(runOf(1234567), telemetry);
    expect(seen[0]).toEqual({ application_name: "spindex run=1234567 trace=0af7651916cd43dd8448eb211c80319c" });
  });

  test("of a rollback or of metadata names its trace too, and the audit row keeps that of the rollback", async () => {
    const schema = newSchema();
    const storage = await open(schema);
    const head = { number: 6, finalized: 2, live: true };
    const progress = { chainId: 1, block: 6, timestamp: 1_700_000_006, checkpoint: 1, head, headers: [header(6)] };
    const positions = [{ checkpoint: 1, chainId: 1, block: 6 }];
    const tables = [changesOf(transfer, { inserts: [[1, { id: 1n, note: "a" }]] })];
    await storage.write(runOf(1, { tables, progress: [progress], positions }), recordingWriteTelemetry());
    const traceId = "0af7651916cd43dd8448eb211c80319c";
    const seen = new Set<unknown>();
    const telemetry = recordingWriteTelemetry({
      traceId,
      beforeStatement: async (_start, pid) => {
        const [session] = await database.query<{ application_name: string }>(
          "select application_name from pg_stat_activity where pid = $1",
          [pid],
        );
        seen.add(session?.application_name);
      },
    });
    const request = { chainId: 1, toBlock: 5, fromBlock: 6, orphaned: [header(6)], found: header(7) };
    expect(await storage.rollBack(request, telemetry)).toMatchObject({ alreadyDurable: false, rowsDeleted: 1 });
    const statements = telemetry.statements.map(({ summary, purpose }) => [summary, purpose]);
    expect(statements).toContainEqual(["UPDATE shards", "checkpoint"]);
    expect(statements).toContainEqual(["DELETE transfer", "rollback"]);
    expect(statements.at(-1)).toEqual(["INSERT reorgs", "rollback"]);
    await storage.writeMetadata([{ chainId: 1, head: 9, live: true, sources: [] }], telemetry);
    expect([...seen]).toEqual([`spindex rollback trace=${traceId}`, `spindex metadata trace=${traceId}`]);
    expect(await database.query(`select trace_id from ${schema}_spindex.reorgs`)).toEqual([{ trace_id: traceId }]);
  });
});

describe("a write whose connection fails", () => {
  test("before COMMIT was sent leaves nothing and succeeds when tried again", async () => {
    const schema = newSchema();
    const storage = await open(schema);
    const run = runOf(1, { tables: [insertA()] });
    const killed = recordingWriteTelemetry({
      beforeStatement: async ({ summary }, pid) => {
        if (summary === "COPY account") await database.query("select pg_terminate_backend($1, 1000)", [pid]);
      },
    });
    const failure = await failureOf(storage.write(run, killed));
    expect([failure.kind, failure.statement, failure.table]).toEqual(["transient", "COPY account", "account"]);
    expect(await accounts(schema)).toEqual([]);
    expect(await storage.write(run, recordingWriteTelemetry())).toEqual({ alreadyDurable: false });
    expect(await accounts(schema)).toHaveLength(1);
  });

  test("after COMMIT was sent is written once, whether COMMIT had arrived or not", async () => {
    const schema = newSchema();
    const storage = await open(schema);
    const lost = (): never => {
      throw Object.assign(new Error("read ECONNRESET"), { code: "ECONNRESET" });
    };
    const run = runOf(1, { tables: [insertA()] });
    const arrived = recordingWriteTelemetry({ commit: (commit) => commit().then(lost) });
    expect((await failureOf(storage.write(run, arrived))).kind).toBe("outcome_unknown");
    expect(await storage.write(run, recordingWriteTelemetry())).toEqual({ alreadyDurable: true });
    const next = runOf(2, { tables: [changesOf(account, { inserts: [[2, { id: B, balance: 5n }]] })] });
    const notArrived = recordingWriteTelemetry({ commit: async () => lost() });
    expect((await failureOf(storage.write(next, notArrived))).kind).toBe("outcome_unknown");
    expect(await storage.write(next, recordingWriteTelemetry())).toEqual({ alreadyDurable: false });
    expect((await accounts(schema)).map(({ id }) => id)).toEqual([A, B]);
  });

  test("on a new session makes its temporary tables again", async () => {
    const schema = newSchema();
    const storage = await open(schema);
    const upsertA = (checkpoint: number, balance: bigint): ReturnType<typeof runOf> =>
      runOf(checkpoint, { tables: [changesOf(account, { upserts: [[checkpoint, { id: A, balance }]] })] });
    await storage.write(upsertA(1, 1n), recordingWriteTelemetry());
    const second = upsertA(2, 2n);
    const killed = recordingWriteTelemetry({
      beforeStatement: async (_, pid) => {
        await database.query("select pg_terminate_backend($1, 1000)", [pid]);
      },
    });
    expect((await failureOf(storage.write(second, killed))).kind).toBe("transient");
    expect(await storage.write(second, recordingWriteTelemetry())).toEqual({ alreadyDurable: false });
    expect(await accounts(schema)).toEqual([{ id: A, balance: "2", chain_id: 1, _checkpoint: 2 }]);
  });

  test("because the network went silent is given up and tried again", async () => {
    const schema = newSchema();
    const proxy = await startFaultProxy(database.url);
    const storage = await open(schema, { url: proxy.url, silenceMs: 150 });
    const run = runOf(1, { tables: [insertA()] });
    const frozen = recordingWriteTelemetry({
      beforeStatement: async ({ summary }) => {
        if (summary === "COPY account") proxy.freeze();
      },
    });
    const failure = await failureOf(storage.write(run, frozen));
    expect(failure.kind).toBe("transient");
    expect(failure.message).toBe("COPY account failed: no answer from the database for 0.15 s");
    proxy.thaw();
    expect(await storage.write(run, recordingWriteTelemetry())).toEqual({ alreadyDurable: false });
    await opened.pop()?.close("stopped");
    await proxy.close();
  });
});

test("a write whose COMMIT is answered by ROLLBACK is not durable, and can be tried again", async () => {
  const schema = newSchema();
  const storage = await open(schema);
  // A bug of a statement's wrapper that swallows what the server said: the transaction has failed, and nobody knows.
  const deaf = {
    ...recordingWriteTelemetry(),
    statement: <T>(_: unknown, run: () => Promise<T>): Promise<T> => run().catch(() => undefined as T),
  };
  const wrong = changesOf(account, {
    updates: [[1, { id: A, balance: 1n }]],
    inserts: [
      [1, { id: B, balance: 1n }],
      [1, { id: B, balance: 1n }],
    ],
  });
  const failure = await failureOf(storage.write(runOf(1, { tables: [wrong] }), deaf));
  expect([failure.kind, failure.message]).toEqual(["transient", "COMMIT was answered by ROLLBACK"]);
  expect(await storage.write(runOf(1, { tables: [insertA()] }), recordingWriteTelemetry())).toEqual({
    alreadyDurable: false,
  });
  expect((await accounts(schema)).map(({ id }) => id)).toEqual([A]);
});

describe("a write that must not happen", () => {
  test("is fenced when another process has taken the shard", async () => {
    const schema = newSchema();
    const first = await open(schema);
    await database.query(
      `update ${schema}_spindex.shards set token = 'another', holder = 'another host', starts = starts + 1`,
    );
    const failure = await failureOf(first.write(runOf(1, { tables: [insertA()] }), recordingWriteTelemetry()));
    expect([failure.kind, failure.message]).toEqual(["fenced", "shard main is now written by another host"]);
    expect(await accounts(schema)).toEqual([]);
  });

  test("is refused when the database has lost confirmed writes", async () => {
    const schema = newSchema();
    const storage = await open(schema);
    await storage.write(runOf(1), recordingWriteTelemetry());
    await database.query(`update ${schema}_spindex.shards set write_seq = 0`);
    const failure = await failureOf(storage.write(runOf(2, { tables: [insertA(2)] }), recordingWriteTelemetry()));
    expect([failure.kind, failure.message]).toEqual([
      "went_back",
      "shard main is at write 0, although write 1 was durable",
    ]);
    expect(await accounts(schema)).toEqual([]);
  });

  test("is fatal when a constraint refuses a row, with the row and the place in its bytes", async () => {
    const schema = newSchema();
    const storage = await open(schema);
    const insert = (id: bigint, note: string) => [1, { id, note }] as const;
    // More than the socket takes at once: the error comes while the rest is still being sent.
    const many = Array.from({ length: 4_000 }, (_, n) => insert(BigInt(n + 10), "x".repeat(2_000)));
    const twice = [insert(1n, "one"), insert(2n, "two"), insert(1n, "again"), ...many];
    const failure = await failureOf(
      storage.write(runOf(1, { tables: [changesOf(transfer, { inserts: twice })] }), recordingWriteTelemetry()),
    );
    expect(failure).toMatchObject({ kind: "fatal", statement: "COPY transfer", table: "transfer", sqlState: "23505" });
    expect(failure.message).toBe(
      'COPY transfer failed: duplicate key value violates unique constraint "transfer_pkey" (SQLSTATE 23505); ' +
        "Key (id, chain_id)=(1, 1) already exists.; COPY transfer, line 3",
    );
    await storage.write(runOf(1, { tables: [insertA()] }), recordingWriteTelemetry());
    expect(await storage.rowCounts()).toEqual(
      new Map([
        ["account", 1],
        ["transfer", 0],
      ]),
    );
  });

  test("is fatal when a row to change is not there", async () => {
    const schema = newSchema();
    const storage = await open(schema);
    const changes = changesOf(account, { updates: [[1, { id: A, balance: 1n }]] });
    const failure = await failureOf(storage.write(runOf(1, { tables: [changes] }), recordingWriteTelemetry()));
    expect([failure.kind, failure.message]).toEqual([
      "fatal",
      "UPDATE account touched 0 of 1 rows: the table is not as this writer left it",
    ]);
  });
});
