import { expect, test } from "vitest";
import { createLog } from "../../../src/instrument/log.ts";
import { type Clock, systemClock } from "../../../src/lib/clock.ts";
import { startFakeNode } from "../../support/fake-node.ts";
import { committedBlock, ledgerChain, ledgerIndexer, smallRuns } from "../../support/ledger.ts";
import { createTestDatabase } from "../../support/postgres.ts";
import { startIndexer } from "../../support/run-indexer.ts";

const LINGER_MS = 45_000;

/** A clock on which a process lingers until it is told that the time is over. */
function clockThatLingers(): { readonly clock: Clock; readonly lingering: Promise<void>; readonly end: () => void } {
  const [began, over] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const sleep: Clock["sleep"] = (ms, signal) => {
    if (ms !== LINGER_MS) return systemClock.sleep(ms, signal);
    began.resolve();
    return over.promise;
  };
  return { clock: { ...systemClock, sleep }, lingering: began.promise, end: over.resolve };
}

test("a failed indexer lets its shard go, and answers for as long as it lingers", async () => {
  const database = await createTestDatabase();
  const node = await startFakeNode({ chain: ledgerChain(), head: 20 });
  const lines: { event?: string; url?: string }[] = [];
  const log = createLog({
    level: "info",
    format: "json",
    destination: { write: (line) => void lines.push(JSON.parse(line)) },
  });
  const { clock, lingering, end } = clockThatLingers();
  const running = startIndexer(ledgerIndexer("lingers", node), database.url, {
    limits: smallRuns(),
    listen: { host: "127.0.0.1", port: 0, nextFreePort: false },
    lingerMs: LINGER_MS,
    clock,
    log,
  });
  await running.until(() => committedBlock(running) === 20);
  await database.query("alter table lingers.transfer add constraint mine check (value < 0) not valid");
  node.setHead(40);
  await lingering;

  const url = lines.find(({ event }) => event === "server.listening")?.url;
  const answers = await Promise.all(
    ["livez", "readyz", "status", "metrics"].map(async (path) => {
      const response = await fetch(new URL(`/${path}`, url));
      return { path, status: response.status, text: await response.text() };
    }),
  );
  expect(answers.map(({ path, status }) => [path, status])).toEqual([
    ["livez", 503],
    ["readyz", 503],
    ["status", 200],
    ["metrics", 200],
  ]);
  expect(JSON.parse(answers[2]?.text ?? "")).toMatchObject({ failure: { code: "WRITE_FAILED" } });
  // Nobody has to wait for the end of it to take over.
  const [left] = await database.query(
    `select l.expires_at <= clock_timestamp() as free, s.outcome, s.exit_class
       from lingers_spindex.leases l join lingers_spindex.starts s using (shard)`,
  );
  expect(left).toEqual({ free: true, outcome: "WRITE_FAILED", exit_class: "bug" });

  end();
  await expect(running.ended).rejects.toMatchObject({ code: "WRITE_FAILED", exitCode: 1 });
  await expect(fetch(new URL("/livez", url))).rejects.toThrow();
  await node.close();
  await database.drop();
});
