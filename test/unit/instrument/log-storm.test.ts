import { beforeEach, describe, expect, test } from "vitest";
import { createLog, type Logger, logEvent } from "../../../src/instrument/log.ts";
import { ManualClock } from "../../support/manual-clock.ts";

let clock: ManualClock;
let lines: { event: string; level: string; of?: string; left_out?: number }[];
let log: Logger;

beforeEach(() => {
  clock = new ManualClock();
  lines = [];
  const destination = { write: (line: string) => void lines.push(JSON.parse(line)) };
  log = createLog({ level: "debug", format: "json", destination, clock });
});

const times = (count: number, write: () => void): void => {
  for (let i = 0; i < count; i++) write();
};
const retry = (): void => logEvent(log, "fetch.retry", { chain: "mainnet" });
const written = (event: string): number => lines.filter((line) => line.event === event).length;
const told = (): unknown[] =>
  lines.filter(({ event }) => event === "log.limited").map((line) => [line.of, line.left_out]);

describe("a storm of one event", () => {
  test("writes a hundred lines in ten seconds, and then how many were left out", () => {
    times(350, retry);
    expect(written("fetch.retry")).toBe(100);
    clock.advance(9_999);
    retry();
    expect(told()).toEqual([]);
    clock.advance(1);
    logEvent(log, "progress");
    expect(told()).toEqual([["fetch.retry", 251]]);
    expect(lines.at(-2)).toMatchObject({ level: "warn", written: 100, window_ms: 10_000 });
    times(3, retry);
    expect(written("fetch.retry")).toBe(103);
  });

  test("is no storm of the others", () => {
    times(101, retry);
    times(5, () => logEvent(log, "write.retry"));
    expect(written("write.retry")).toBe(5);
  });

  test("that goes on is told of once each ten seconds", () => {
    for (let second = 0; second < 30; second++) {
      times(20, retry);
      clock.advance(1_000);
    }
    logEvent(log, "progress");
    expect(told()).toEqual([
      ["fetch.retry", 100],
      ["fetch.retry", 100],
      ["fetch.retry", 100],
    ]);
  });

  test("of errors is written as a whole, and what was left out before comes first", () => {
    times(105, retry);
    times(150, () => logEvent(log, "server.request_failed"));
    expect(written("server.request_failed")).toBe(150);
    expect(lines[100]).toMatchObject({ event: "log.limited", left_out: 5 });
    expect(told()).toHaveLength(1);
    times(2, retry);
    logEvent(log, "indexer.stopped");
    expect(told()).toEqual([
      ["fetch.retry", 5],
      ["fetch.retry", 2],
    ]);
    expect(lines.at(-1)?.event).toBe("indexer.stopped");
  });

  test("of a handler is told apart by its message", () => {
    times(120, () => log.info({ event: "handler.log" }, "One thing"));
    log.info({ event: "handler.log" }, "Another thing");
    expect(written("handler.log")).toBe(101);
    clock.advance(10_000);
    logEvent(log, "progress");
    expect(told()).toEqual([["handler.log: One thing", 20]]);
  });

  test("of a thousand different messages costs a bounded memory, and loses nothing", () => {
    for (let i = 0; i < 1_500; i++) log.info({ event: "handler.log" }, `Block ${i}`);
    expect(written("handler.log")).toBe(1_500);
  });

  test("below the level of the log is not even counted", () => {
    const quiet = createLog({
      level: "warn",
      format: "json",
      destination: { write: (line) => void lines.push(JSON.parse(line)) },
      clock,
    });
    times(500, () => logEvent(quiet, "capacity.wait"));
    clock.advance(10_000);
    logEvent(quiet, "fetch.retry");
    expect(lines.map(({ event }) => event)).toEqual(["fetch.retry"]);
  });
});
