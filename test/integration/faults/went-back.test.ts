import { rename } from "node:fs/promises";
import { expect, test } from "vitest";
import { startFakeNode } from "../../support/fake-node.ts";
import { fastClock } from "../../support/fast-clock.ts";
import {
  committedBlock,
  LEDGER_BLOCKS,
  ledgerChain,
  ledgerIndexer,
  ledgerRows,
  requireWhole,
  smallRuns,
  undisturbedLedger,
} from "../../support/ledger.ts";
import { copyData, startOwnServer } from "../../support/own-server.ts";
import { startIndexer } from "../../support/run-indexer.ts";

test.each([
  ["to an earlier moment of this start", 80],
  ["to before this process had taken the shard", 0],
])(
  "a database that goes back %s is never written on top; the next start resumes from what it has",
  async (_, copiedAt) => {
    await using server = await startOwnServer();
    const node = await startFakeNode({ chain: ledgerChain(), head: Math.max(copiedAt, 40) });
    const rows = await undisturbedLedgerOf(server, node);
    const start = () =>
      startIndexer(ledgerIndexer("ledger", node), server.url, { limits: smallRuns(), clock: fastClock(5) });
    // What an earlier start has left.
    node.setHead(40);
    const first = start();
    await first.until(() => committedBlock(first) === 40);
    await first.stop();
    const older = `${server.dataDir}.older`;
    if (copiedAt === 0) await copyStopped(older);

    const running = start();
    node.setHead(80);
    await running.until(() => committedBlock(running) === 80);
    if (copiedAt > 0) await copyStopped(older);
    node.setHead(120);
    await running.until(() => committedBlock(running) === 120);
    const before = await ledgerRows(server, "ledger");

    await server.stop();
    await rename(server.dataDir, `${server.dataDir}.newer`);
    await rename(older, server.dataDir);
    await server.start();
    const restored = await ledgerRows(server, "ledger");
    expect(restored).not.toEqual(before);
    node.setHead(150);
    await expect(running.ended).rejects.toMatchObject({
      code: "DATABASE_WENT_BACK",
      exitCode: 75,
    });
    expect(await ledgerRows(server, "ledger")).toEqual(restored);

    node.setHead(LEDGER_BLOCKS - 1);
    const next = start();
    await next.until(() => committedBlock(next) === LEDGER_BLOCKS - 1);
    expect(await next.stop()).toBe("stopped");
    await requireWhole(server, "ledger", rows);
    await node.close();

    async function copyStopped(to: string): Promise<void> {
      await server.stop();
      await copyData(server.dataDir, to);
      await server.start();
    }
  },
);

async function undisturbedLedgerOf(
  server: Parameters<typeof undisturbedLedger>[0] & { readonly url: string },
  node: Parameters<typeof undisturbedLedger>[2],
): Promise<Record<string, unknown>> {
  const { head } = node;
  node.setHead(LEDGER_BLOCKS - 1);
  const rows = await undisturbedLedger(server, server.url, node);
  node.setHead(head);
  return rows;
}
