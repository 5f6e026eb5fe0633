import { expect, test } from "vitest";
import { systemClock } from "../../../src/lib/clock.ts";
import { startFakeNode } from "../../support/fake-node.ts";
import {
  committedBlock,
  LEDGER_BLOCKS,
  ledgerChain,
  ledgerIndexer,
  requireWhole,
  smallRuns,
  undisturbedLedger,
} from "../../support/ledger.ts";
import { createTestDatabase } from "../../support/postgres.ts";
import { startIndexer } from "../../support/run-indexer.ts";

const LAST = LEDGER_BLOCKS - 1;

test("a stop whose flush does not end in time says what was not durable, and the next start has it all", async () => {
  const database = await createTestDatabase();
  const node = await startFakeNode({ chain: ledgerChain() });
  const rows = await undisturbedLedger(database, database.url, node);
  node.setHead(20);
  const indexer = ledgerIndexer("late", node);
  const running = startIndexer(indexer, database.url, { limits: smallRuns({ flushDeadlineMs: 300 }) });
  await running.until(() => committedBlock(running) === 20);
  // Every write begins with this row.
  await database.query("begin; select from late_spindex.shards for update");
  node.setHead(60);
  await running.until(({ checkpoints }) => checkpoints.processed > checkpoints.committed);
  const askedAt = systemClock.now();
  await expect(running.stop()).rejects.toMatchObject({
    code: "WRITE_RETRIES_EXHAUSTED",
    exitCode: 75,
    message: expect.stringMatching(/^[1-9]\d* processed events \([1-9]\d* changes\) were not durable within 300 ms$/),
  });
  expect(systemClock.now() - askedAt).toBeLessThan(10_000);
  await database.query("rollback");

  node.setHead(LAST);
  expect(await startIndexer(indexer, database.url, { once: true }).ended).toBe("ended");
  await requireWhole(database, "late", rows);
  await node.close();
  await database.drop();
});
