import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createLog } from "../../../src/instrument/log.ts";
import { startTracing } from "../../../src/instrument/tracing/start-tracing.ts";
import type { Tracing } from "../../../src/instrument/tracing/tracing.ts";
import { type Behaviour, deadPort, healthy, silent, startCollector } from "../../support/collector.ts";
import { ManualClock } from "../../support/manual-clock.ts";

const GATHER_MS = 1_000;
const REQUEST_MS = 10_000;
const QUEUE = 16_384;

let clock: ManualClock;
let lines: { readonly event: string; readonly problem?: string; readonly spans?: number }[];
let open: Tracing[];

beforeEach(() => {
  clock = new ManualClock();
  lines = [];
  open = [];
});
// A test that failed leaves no socket behind.
afterEach(() => Promise.all(open.map((tracing) => tracing.shutdown())));

async function start(otlpEndpoint: string, headers: Readonly<Record<string, string>> = {}): Promise<Tracing> {
  const destination = { write: (line: string) => void lines.push(JSON.parse(line)) };
  const tracing = await startTracing({
    serviceName: "erc20",
    version: "1.2.3",
    instanceId: "instance-1",
    exporters: { otlpEndpoint, headers },
    ratio: 1,
    log: createLog({ level: "debug", format: "json", destination }),
    clock,
  });
  open.push(tracing);
  return tracing;
}

function spans(tracing: Tracing, count: number, name: "spindex.flush" | "spindex.startup" = "spindex.flush"): void {
  for (let index = 0; index < count; index++) tracing.start(name, { parent: undefined, startedAt: 1 }).end(2);
}

/** Lets sockets move until it holds; the clock stands still. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await clock.turn();
}

/** Spans are sent a second after the first of them has ended. */
async function gathered(settled: () => boolean): Promise<void> {
  clock.advance(GATHER_MS);
  await until(settled);
}

const eventsOf = (): string[] => lines.map(({ event }) => event);

describe("a healthy collector", () => {
  test("gets what has ended within a second, in one request, with the headers of the configuration", async () => {
    await using collector = await startCollector();
    const tracing = await start(`${collector.url}/`, { "x-api-key": "k1" });
    spans(tracing, 3);
    expect(tracing.queued).toBe(3);
    await gathered(() => tracing.counts.exported === 3);
    expect(collector.requests).toEqual([["spindex.flush", "spindex.flush", "spindex.flush"]]);
    expect(collector.headers).toMatchObject({ "x-api-key": "k1", "content-type": "application/x-protobuf" });
    expect(tracing.queued).toBe(0);
    expect(lines).toEqual([]);
  });

  test("is not let wait for a second when a request is full", async () => {
    await using collector = await startCollector();
    const tracing = await start(collector.url);
    spans(tracing, 600);
    await until(() => tracing.counts.exported === 512);
    await gathered(() => tracing.counts.exported === 600);
    expect(collector.requests.map((request) => request.length)).toEqual([512, 88]);
  });

  test("gets everything before the process ends, what led to the end first", async () => {
    await using collector = await startCollector();
    const tracing = await start(collector.url);
    spans(tracing, 5_000);
    spans(tracing, 1, "spindex.startup");
    await tracing.shutdown();
    expect(tracing.counts).toEqual({ started: 5_001, ended: 5_001, exported: 5_001, failed: 0, dropped: 0 });
    const order = collector.requests.findIndex((request) => request.includes("spindex.startup"));
    expect(order).toBeLessThanOrEqual(1);
    expect(lines).toEqual([]);
  });

  test("that takes almost two seconds for its answer loses nothing", async () => {
    await using collector = await startCollector(async (response) => {
      await clock.sleep(1_900);
      response.writeHead(200).end();
    });
    const tracing = await start(collector.url);
    spans(tracing, 2);
    const closed = tracing.shutdown();
    await until(() => collector.requests.length === 1);
    clock.advance(1_900);
    await closed;
    expect(tracing.counts).toMatchObject({ exported: 2, failed: 0, dropped: 0 });
    expect(lines).toEqual([]);
  });
});

describe("a collector that refuses connections", () => {
  test("holds up the end not at all", async () => {
    const tracing = await start(`http://127.0.0.1:${await deadPort()}`);
    spans(tracing, 3);
    // The clock never moves: whatever waited here would wait for ever.
    await tracing.shutdown();
    expect(tracing.counts).toMatchObject({ exported: 0, failed: 0, dropped: 3 });
    expect(eventsOf()).toEqual(["telemetry.problem", "telemetry.flush_timeout"]);
    expect(lines.at(-1)).toMatchObject({ spans: 3 });
    expect(lines.at(-1)?.problem).toMatch(/^no connection: .*ECONNREFUSED/);
  });

  test("gets the spans of the outage when it is back, after a growing wait", async () => {
    const port = await deadPort();
    const tracing = await start(`http://127.0.0.1:${port}`);
    let requests = 0;
    tracing.onRequest(() => {
      requests++;
    });
    spans(tracing, 2);
    await gathered(() => requests === 1);
    clock.advance(750);
    await until(() => requests === 2);
    await using collector = await startCollector(healthy, port);
    clock.advance(1_499);
    for (let turn = 0; turn < 20; turn++) await clock.turn();
    expect(collector.requests).toEqual([]);
    clock.advance(1);
    await until(() => tracing.counts.exported === 2);
    expect(tracing.counts).toMatchObject({ failed: 0, dropped: 0 });
    expect(eventsOf()).toEqual(["telemetry.problem", "telemetry.recovered"]);
  });

  test("for long leaves the newest spans in memory, and no more", async () => {
    const port = await deadPort();
    const tracing = await start(`http://127.0.0.1:${port}`);
    let attempts = 0;
    tracing.onRequest(() => {
      attempts++;
    });
    for (let minute = 1; minute <= 60; minute++) {
      spans(tracing, 1_000);
      expect(tracing.queued).toBeLessThanOrEqual(QUEUE);
      clock.advance(60_000);
      await until(() => attempts === minute);
    }
    spans(tracing, 1, "spindex.startup");
    expect(tracing.counts.dropped).toBe(60_001 - tracing.queued);
    expect(tracing.queued).toBeGreaterThan(QUEUE - 1_024);
    expect(eventsOf()).toEqual(["telemetry.problem"]);
    await using collector = await startCollector(healthy, port);
    await tracing.shutdown();
    const { exported, failed, dropped } = tracing.counts;
    expect({ sum: exported + dropped, failed }).toEqual({ sum: 60_001, failed: 0 });
    expect(collector.requests.flat()).toContain("spindex.startup");
  });
});

describe("a collector that is slow", () => {
  test("holds up the end for two seconds, no longer; what it was sent counts as failed", async () => {
    await using collector = await startCollector(silent);
    const tracing = await start(collector.url);
    spans(tracing, 600);
    const closed = tracing.shutdown();
    await until(() => collector.requests.length === 1);
    clock.advance(2_000);
    await closed;
    expect(tracing.counts).toMatchObject({ exported: 0, failed: 88, dropped: 512 });
    expect(eventsOf()).toEqual(["telemetry.flush_timeout"]);
  });

  test("and known to be, for a fifth of a second", async () => {
    await using collector = await startCollector(silent);
    const tracing = await start(collector.url);
    spans(tracing, 2);
    await gathered(() => collector.requests.length === 1);
    clock.advance(REQUEST_MS);
    await until(() => tracing.counts.failed === 2);
    expect(lines[0]?.problem).toBe("no answer within 10 s");
    spans(tracing, 1);
    const closed = tracing.shutdown();
    await until(() => collector.requests.length === 2);
    clock.advance(200);
    await closed;
    // What has been sent and not acknowledged is not sent again: it may have arrived.
    expect(collector.requests).toHaveLength(2);
    expect(tracing.counts).toMatchObject({ exported: 0, failed: 3, dropped: 0 });
  });

  test("and has not answered the request under way for longer, for a fifth of a second too", async () => {
    await using collector = await startCollector(silent);
    const tracing = await start(collector.url);
    spans(tracing, 2);
    await gathered(() => collector.requests.length === 1);
    clock.advance(2_001);
    const closed = tracing.shutdown();
    clock.advance(200);
    await closed;
    expect(tracing.counts).toMatchObject({ exported: 0, failed: 2, dropped: 0 });
  });

  test("and sends a byte now and then, is cut off after ten seconds", async () => {
    const drip: Behaviour = async (response) => {
      response.writeHead(200, { "content-type": "application/x-protobuf" });
      while (!response.destroyed) {
        response.write("\n");
        await clock.sleep(1_000);
      }
    };
    await using collector = await startCollector(drip);
    const tracing = await start(collector.url);
    spans(tracing, 1);
    await gathered(() => collector.requests.length === 1);
    for (let second = 0; second < 10; second++) {
      expect(tracing.counts.failed).toBe(0);
      clock.advance(1_000);
      await clock.turn();
    }
    await until(() => tracing.counts.failed === 1);
  });
});

describe("a collector that is overloaded", () => {
  test("is left alone for as long as it asks, a minute at most, and then gets everything", async () => {
    await using collector = await startCollector((response) => {
      response.writeHead(503, { "retry-after": "86400" }).end();
    });
    const tracing = await start(collector.url);
    spans(tracing, 2);
    await gathered(() => lines.length === 1);
    collector.behave(healthy);
    clock.advance(59_999);
    for (let turn = 0; turn < 20; turn++) await clock.turn();
    expect(collector.requests).toHaveLength(1);
    clock.advance(1);
    await until(() => tracing.counts.exported === 2);
    expect(eventsOf()).toEqual(["telemetry.problem", "telemetry.recovered"]);
  });
});

const partial = (rejected: number): Buffer =>
  // ExportTraceServiceResponse { partial_success { rejected_spans, error_message "full" } }
  Buffer.from([0x0a, 8, 0x08, rejected, 0x12, 4, ...Buffer.from("full")]);

describe("a collector that lies", () => {
  const answers: [string, Behaviour, { exported: number; failed: number }, string][] = [
    [
      "answers 500",
      (response) => void response.writeHead(500).end("\u0000out of\u0000memory"),
      { exported: 0, failed: 3 },
      "it answered 500: out of memory",
    ],
    [
      "refuses the key",
      (response) => void response.writeHead(401).end(),
      { exported: 0, failed: 3 },
      "it answered 401",
    ],
    [
      "redirects",
      (response) => void response.writeHead(307, { location: "/v1/traces" }).end(),
      { exported: 0, failed: 3 },
      "it answered 307",
    ],
    [
      "is a web page",
      (response) => void response.writeHead(200, { "content-type": "text/html" }).end("<html>welcome</html>"),
      { exported: 0, failed: 3 },
      "it answered 200 with something that is no OTLP answer: is the address that of a collector?",
    ],
    [
      "answers without end",
      (response) => {
        const more = (): void => {
          while (!response.destroyed && response.write(Buffer.alloc(65_536)));
        };
        response.writeHead(200).on("drain", more);
        more();
      },
      { exported: 0, failed: 3 },
      "it answered 200 with a long text: is the address that of a collector?",
    ],
    [
      "breaks off",
      async (response) => {
        response.writeHead(200, { "content-length": "100" }).write("\n");
        await clock.turn();
        response.destroy();
      },
      { exported: 0, failed: 3 },
      "it answered 200 and broke off",
    ],
    [
      "takes a part",
      (response) => void response.writeHead(200).end(partial(2)),
      { exported: 1, failed: 2 },
      "it rejected 2 of 3 spans: full",
    ],
    [
      "takes a part, and says so in JSON",
      (response) => void response.writeHead(200).end('{"partialSuccess":{"rejectedSpans":"1"}}'),
      { exported: 2, failed: 1 },
      "it rejected 1 of 3 spans",
    ],
    [
      "rejects more than it got",
      (response) => void response.writeHead(200).end(partial(100)),
      { exported: 0, failed: 3 },
      "it answered 200 with something that is no OTLP answer: is the address that of a collector?",
    ],
  ];

  test.each(answers)("%s: each span is counted, and none is sent twice", async (_name, behaviour, counts, problem) => {
    await using collector = await startCollector(behaviour);
    const tracing = await start(collector.url);
    spans(tracing, 3);
    await tracing.shutdown();
    expect(tracing.counts).toMatchObject({ ...counts, dropped: 0 });
    expect(lines.map((line) => [line.event, line.problem])).toEqual([["telemetry.problem", problem]]);
    expect(collector.requests).toHaveLength(1);
  });

  test("cannot make the log a flood: the same problem is said once", async () => {
    await using collector = await startCollector((response) => void response.writeHead(500).end());
    const tracing = await start(collector.url);
    for (let round = 1; round <= 5; round++) {
      spans(tracing, 1);
      clock.advance(30_000);
      await until(() => tracing.counts.failed === round);
    }
    expect(eventsOf()).toEqual(["telemetry.problem"]);
  });
});

test("credentials of the address are sent, and are in no line", async () => {
  await using collector = await startCollector((response) => void response.writeHead(403).end("no: hunter2@x"));
  const tracing = await start(`http://user:hunter%322@127.0.0.1:${collector.port}`, { "x-api-key": "topsecret" });
  spans(tracing, 1);
  await tracing.shutdown();
  expect(collector.headers.authorization).toBe(`Basic ${Buffer.from("user:hunter22").toString("base64")}`);
  expect(JSON.stringify(lines)).not.toMatch(/topsecret|hunter22/);
});

test("spans that end after the end are counted as dropped", async () => {
  await using collector = await startCollector();
  const tracing = await start(collector.url);
  await tracing.shutdown();
  spans(tracing, 2);
  expect(tracing.counts).toMatchObject({ exported: 0, dropped: 2 });
});
