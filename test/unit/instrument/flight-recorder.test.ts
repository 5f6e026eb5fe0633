import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createLog, type Logger } from "../../../src/instrument/log.ts";
import type { Dump, DumpReason, DumpState } from "../../../src/instrument/recorder/dump.ts";
import { FlightRecorder, type FlightRecorderOptions } from "../../../src/instrument/recorder/flight-recorder.ts";
import { RecentLines } from "../../../src/instrument/recorder/recent-lines.ts";
import { startTracing } from "../../../src/instrument/tracing/start-tracing.ts";
import type { RecentSpans, Tracing } from "../../../src/instrument/tracing/tracing.ts";
import { ManualClock } from "../../support/manual-clock.ts";

let directory: string;
let clock: ManualClock;
let lines: RecentLines;
let log: Logger;
let tracing: Tracing;

beforeEach(async () => {
  directory = join(await mkdtemp(join(tmpdir(), "spindex-dumps-")), "dumps");
  clock = new ManualClock();
  lines = new RecentLines();
  log = createLog({ level: "debug", format: "json", destination: { write: () => true }, recent: lines });
  tracing = await startTracing({
    ...{ serviceName: "erc20", version: "1.2.3", instanceId: "instance-1" },
    exporters: {},
    ratio: 0,
    record: true,
    log,
    clock,
  });
});
afterEach(async () => {
  await tracing.shutdown();
  await rm(join(directory, ".."), { recursive: true });
});

function recorder(more: Partial<FlightRecorderOptions> = {}): FlightRecorder {
  return new FlightRecorder({
    directory,
    identity: { name: "erc20", version: "1.2.3", instance: "instance-1" },
    spans: tracing.recent as RecentSpans,
    lines,
    state,
    log,
    clock,
    ...more,
  });
}
const state = (): DumpState => ({ status: undefined, loops: { process: idle, write: idle }, memory: { rss: 1 } });
const idle = { state: "idle", seconds: { idle: 1 } };

async function dumps(): Promise<readonly Dump[]> {
  const names = (await readdir(directory)).sort();
  return Promise.all(names.map(async (name) => JSON.parse(await readFile(join(directory, name), "utf8")) as Dump));
}

const events = (): unknown[] => lines.all().map((line) => (line as { event: string }).event);

test("a dump holds the lines of the log as they were written, and the moment that it describes", async () => {
  log.info({ event: "handler.log", url: "http://user:secret@node.example/key" }, "asked");
  await recorder().dump("stall");
  const [dump] = await dumps();
  expect(dump).toEqual({
    spindexDump: 1,
    reason: "stall",
    at: "2026-01-01T00:00:00.000Z",
    name: "erc20",
    version: "1.2.3",
    instance: "instance-1",
    loops: { process: idle, write: idle },
    memory: { rss: 1 },
    logs: [expect.objectContaining({ event: "handler.log", msg: "asked", url: "http://node.example" })],
    openSpans: [],
    resourceSpans: [],
  });
  expect(await readdir(directory)).toEqual(["2026-01-01T00-00-00.000Z-stall.json"]);
});

test("there is one dump a minute for each reason", async () => {
  const flight = recorder();
  const ask = (reason: DumpReason): Promise<void> => flight.dump(reason);
  await Promise.all([ask("stall"), ask("stall"), ask("rollback")]);
  clock.advance(59_999);
  await ask("stall");
  expect((await dumps()).map(({ reason }) => reason)).toEqual(["rollback", "stall"]);
  clock.advance(1);
  await ask("stall");
  expect((await dumps()).map(({ reason }) => reason)).toEqual(["rollback", "stall", "stall"]);
  expect(events().filter((event) => event === "recorder.skipped")).toHaveLength(2);
});

test("the ten newest dumps are kept, and nobody else's files are touched", async () => {
  const flight = recorder();
  await flight.dump("stall");
  await writeFile(join(directory, "2020-notes.json"), "{}");
  for (let i = 0; i < 11; i++) {
    clock.advance(60_000);
    await flight.dump("stall");
  }
  const names = (await readdir(directory)).sort();
  expect(names).toHaveLength(11);
  expect(names[0]).toBe("2020-notes.json");
  expect(names[1]).toBe("2026-01-01T00-02-00.000Z-stall.json");
  expect(names.at(-1)).toBe("2026-01-01T00-11-00.000Z-stall.json");
});

test("while a dump is written, the loops get their turn after every few spans", async () => {
  let turns = 0;
  let isWritten = false;
  const textsInTurn = new Map<number, number>();
  function* texts(): Iterable<string> {
    for (let i = 0; i < 250; i++) {
      textsInTurn.set(turns, (textsInTurn.get(turns) ?? 0) + 1);
      yield JSON.stringify("x".repeat(15_000));
    }
  }
  const spans: RecentSpans = {
    take: async () => ({ ended: { count: 5_000, texts }, open: { count: 0, texts: () => [] } }),
    send: () => {},
  };
  const written = recorder({ spans })
    .dump("stall")
    .finally(() => {
      isWritten = true;
    });
  while (!isWritten) {
    await clock.turn();
    turns++;
  }
  await written;
  expect(await dumps()).toHaveLength(1);
  expect(Math.max(...textsInTurn.values())).toBeLessThan(10);
});

test("a dump shows the failure that is just being reported, whole", async () => {
  let status = "running";
  const flight = recorder({ state: () => ({ ...state(), memory: { failed: status === "failed" ? 1 : 0 } }) });
  const dumped = flight.dump("write_failure");
  // What has reported it goes on to end its spans and to latch the failure.
  for (let i = 0; i < 100; i++) await Promise.resolve();
  status = "failed";
  await dumped;
  expect((await dumps())[0]?.memory).toEqual({ failed: 1 });
});

test("a dump that cannot be written is a line in the log, and no error", async () => {
  await writeFile(join(directory, "..", "file"), "");
  await recorder({ directory: join(directory, "..", "file", "dumps") }).dump("write_failure");
  expect(lines.all()).toEqual([
    expect.objectContaining({ event: "recorder.failed", reason: "write_failure", level: "warn" }),
  ]);
});

test("a disk that does not answer holds up an exit for two seconds, and leaves no half file", async () => {
  const endless: RecentSpans = {
    take: async () => ({ ended: { count: 1, texts: endlessTexts }, open: { count: 0, texts: () => [] } }),
    send: () => {},
  };
  const flight = recorder({ spans: endless });
  const dumped = flight.dump("write_failure");
  await Promise.all([flight.settled(), dumped]);
  expect(events()).toEqual(["recorder.failed"]);
  while ((await readdir(directory)).length > 0) await clock.turn();
});

/** Never ends; time passes meanwhile. */
function* endlessTexts(): Iterable<string> {
  for (;;) {
    yield `"${"x".repeat(100_000)}"`;
    clock.advance(100);
  }
}

test("the recorder keeps the last 500 lines, cuts long ones, and is bounded in characters", () => {
  for (let i = 0; i < 600; i++) lines.write(`{"i":${i}}\n`);
  expect(lines.all()).toHaveLength(500);
  expect(lines.all()[0]).toEqual({ i: 100 });
  lines.write(`{"text":"${"x".repeat(50_000)}"}\n`);
  expect(lines.all().at(-1)).toMatch(/^\{"text":"x{16375}…$/);
  for (let i = 0; i < 100; i++) lines.write(`"${"y".repeat(16_000)}"\n`);
  const characters = lines.all().reduce((sum: number, line) => sum + String(line).length, 0);
  expect(characters).toBeLessThanOrEqual(1024 * 1024);
  expect(characters).toBeGreaterThan(900 * 1024);
});
