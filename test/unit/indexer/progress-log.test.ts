import { beforeEach, describe, expect, test } from "vitest";
import { logProgress } from "../../../src/indexer/progress-log.ts";
import { createLog } from "../../../src/instrument/log.ts";
import { LoopAccount } from "../../../src/instrument/loop-account.ts";
import { LOOP_STATES } from "../../../src/instrument/names.ts";
import type { ChainStatus, Status } from "../../../src/instrument/status.ts";
import type { ProcessState, WriteState } from "../../../src/instrument/telemetry.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { chainStatus, statusOf } from "../../support/statuses.ts";

let clock: ManualClock;
let lines: Record<string, unknown>[];
let status: Partial<Status>;
let chain: Partial<ChainStatus>;
let processLoop: LoopAccount<ProcessState>;
let writeLoop: LoopAccount<WriteState>;
let stop: AbortController;
let done: Promise<void>;

beforeEach(() => {
  clock = new ManualClock();
  [lines, status, chain, stop] = [[], {}, {}, new AbortController()];
  const destination = { write: (line: string) => void lines.push(JSON.parse(line)) };
  const log = createLog({ level: "info", format: "json", destination, clock });
  processLoop = new LoopAccount(clock, LOOP_STATES.process, "fetch");
  writeLoop = new LoopAccount(clock, LOOP_STATES.write, "idle");
  const now = (): Status =>
    statusOf({ at: clock.now(), chains: [chainStatus({ headSeenAt: clock.now(), ...chain })], ...status });
  done = logProgress({ log, processLoop, writeLoop, status: now }, clock, stop.signal);
  return async () => {
    stop.abort();
    await done;
  };
});

/** Seconds pass, one after the other. */
async function pass(seconds: number): Promise<void> {
  for (let i = 0; i < seconds; i++) {
    clock.advance(1_000);
    await clock.turn();
  }
}

const events = (): unknown[] => lines.map(({ event }) => event);

describe("the progress line", () => {
  test("says each ten seconds how far it is, how fast, and what the loops spent their time on", async () => {
    await pass(3);
    processLoop.enter("capacity");
    status = { eventsProcessed: 1_500, checkpoints: { processed: 150, committed: 120 } };
    chain = { processed: 1_098, head: 1_100 };
    await pass(6);
    expect(lines).toEqual([]);
    await pass(1);
    const { time: _, ...line } = lines[0] ?? {};
    expect(line).toEqual({
      level: "info",
      event: "progress",
      msg: "Progress",
      events_per_second: 100,
      processed_checkpoint: 150,
      committed_checkpoint: 120,
      uncommitted_batches: 2,
      uncommitted_changes: 35,
      uncommitted_bytes: 4_000,
      process_loop: "capacity",
      process_loop_shares: { fetch: 0.3, capacity: 0.7 },
      write_loop: "write",
      write_loop_shares: { idle: 1 },
      chains: {
        mainnet: {
          head: 1_100,
          fetched: 999,
          processed: 1_098,
          committed: 990,
          live: true,
          lag_seconds: 12,
          blocks_per_second: 10,
        },
      },
    });
    await pass(10);
    expect(lines[1]).toMatchObject({ event: "progress", process_loop_shares: { capacity: 1 }, events_per_second: 0 });
  });

  test("is not written while another process has the shard", async () => {
    status = { standby: { holder: "other", since: 1 } };
    await pass(25);
    expect(lines).toEqual([]);
  });

  test("has no negative rate when a reorg has taken blocks back", async () => {
    await pass(10);
    chain = { processed: 900 };
    await pass(10);
    expect(lines[1]).toMatchObject({ chains: { mainnet: { blocks_per_second: 0 } } });
  });
});

describe("a notice is written", () => {
  test("when a chain reaches its head, and not for one that had before", async () => {
    await pass(2);
    expect(events()).toEqual([]);
    chain = { live: false };
    await pass(2);
    chain = { live: true, head: 77 };
    await pass(3);
    expect(lines).toMatchObject([{ event: "chain.live", chain: "mainnet", block: 77 }]);
  });

  test("once when a head stands still, and again when it does so again", async () => {
    const stands = { headSeenAt: clock.now() };
    chain = stands;
    await pass(120);
    expect(events().filter((event) => event === "chain.head_stalled")).toEqual([]);
    await pass(20);
    expect(lines.filter(({ event }) => event === "chain.head_stalled")).toMatchObject([
      { chain: "mainnet", head: 1_000, duration_ms: 121_000, level: "warn" },
    ]);
    chain = {};
    await pass(1);
    chain = { headSeenAt: clock.now() };
    await pass(122);
    expect(events().filter((event) => event === "chain.head_stalled")).toHaveLength(2);
  });

  test("once when a source keeps failing, and not for a single failure", async () => {
    const failing = { name: "node.example", state: "failing", error: "HTTP status 502" } as const;
    const fine = { name: "node.example", state: "ok", error: undefined } as const;
    chain = { sources: [failing] };
    await pass(1);
    chain = { sources: [fine] };
    await pass(1);
    chain = { sources: [failing] };
    await pass(5);
    expect(lines).toMatchObject([
      { event: "source.failing", chain: "mainnet", source: "node.example", error: "HTTP status 502" },
    ]);
    chain = { sources: [fine] };
    await pass(1);
    chain = { sources: [failing] };
    await pass(2);
    expect(events().filter((event) => event === "source.failing")).toHaveLength(2);
  });
});
