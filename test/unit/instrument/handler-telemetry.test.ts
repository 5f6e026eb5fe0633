import { describe, expect, test } from "vitest";
import type { HandlerPlace, HandlerTelemetry } from "../../../src/instrument/handler-telemetry.ts";
import { MUTED_HANDLERS } from "../../../src/instrument/muted-handlers.ts";
import type { TraceModel, TraceSpan } from "../../../src/instrument/recorded/trace-model.ts";
import { batchStart, committed, drainStart, mainnet, processed, type Traced, traced } from "../../support/traced.ts";

const PLACE: HandlerPlace = { handler: "Token.Transfer", chain: mainnet, block: 7, logIndex: 2 };
const WHERE = {
  "spindex.handler.name": "Token.Transfer",
  "spindex.chain.name": "mainnet",
  "spindex.chain.id": 1,
  "spindex.block.number": 7,
  "spindex.log.index": 2,
};

interface InBatch extends Traced {
  readonly told: HandlerTelemetry;
  /** Ends the batch, and gives its trace. */
  end(): Promise<TraceModel>;
}

/** A batch whose handlers run. */
async function inBatch(options: { readonly ratio?: number } = {}): Promise<InBatch> {
  const kit = await traced(options);
  const batch = kit.telemetry.batchStarted(batchStart(5, kit.clock));
  batch.processing();
  const end = async (): Promise<TraceModel> => {
    batch.processed(processed);
    batch.committed(committed);
    const drain = kit.telemetry.drainStarted(drainStart(1, kit.clock, [batch]));
    drain.transaction(1).succeeded(false);
    drain.durable();
    return kit.traces();
  };
  return { ...kit, told: batch.handlers(() => PLACE), end };
}

const named = (model: TraceModel, name: string): TraceSpan => {
  const [span, ...others] = model.spans.filter((one) => one.name === name);
  expect(others).toEqual([]);
  return span as TraceSpan;
};

describe("a handler's own span", () => {
  test("lies under the process span of its batch, with the user's name, place and attributes", async () => {
    const { told, clock, end } = await inBatch();
    const result = await told.span("load price", async (span) => {
      clock.advance(4);
      span.set({ pool: "usdc-eth", amount: 2n ** 80n, rounds: 3, deep: undefined });
      return span.span("ask the oracle", () => {
        clock.advance(2);
        return "answer";
      });
    });
    expect(result).toBe("answer");
    const model = await end();
    const [outer, inner] = [named(model, "load price"), named(model, "ask the oracle")];
    expect(outer.attributes).toEqual({ ...WHERE, pool: "usdc-eth", amount: String(2n ** 80n), rounds: 3 });
    expect([outer.durationMs, inner.durationMs]).toEqual([6, 2]);
    expect(model.parentOf(inner)).toBe(outer);
    expect(model.parentOf(outer)?.name).toBe("spindex.batch.process");
    expect(model.dangling()).toEqual([]);
  });

  test("gives a plain value for a plain function, at once", async () => {
    const { told } = await inBatch();
    expect(told.span("sum", () => 3)).toBe(3);
  });

  test.each([
    [
      "throws",
      (): never => {
        throw new Error("no price at https://me:key@price.example/v1");
      },
    ],
    ["rejects", () => Promise.reject(new Error("no price at https://me:key@price.example/v1"))],
  ])("records what a function %s, without secrets, and lets it pass", async (_, fails) => {
    const { told, end } = await inBatch();
    await expect((async () => told.span("price", fails))()).rejects.toThrow("me:key");
    const span = named(await end(), "price");
    expect([span.isError, span.statusMessage]).toEqual([true, "no price at https://price.example"]);
    expect(span.events.map(({ name }) => name)).toEqual(["exception"]);
  });

  test("is made a hundred times a batch; the rest runs, and is counted", async () => {
    const { told, end } = await inBatch();
    let runs = 0;
    for (let i = 0; i < 103; i++) told.span("step", (span) => span.span("inner", () => runs++));
    expect(runs).toBe(103);
    const model = await end();
    expect(model.spans.filter(({ name }) => name === "step" || name === "inner")).toHaveLength(100);
    expect(named(model, "spindex.batch.process").attributes["spindex.handler.spans_left_out"]).toBe(106);
  });

  test("that nobody awaited ends with the batch", async () => {
    const { told, end, clock } = await inBatch();
    const { promise, resolve } = Promise.withResolvers<void>();
    const late = told.span("late", () => promise);
    clock.advance(3);
    const model = await end();
    expect(named(model, "late").durationMs).toBe(3);
    resolve();
    await late;
  });

  test("is not there in a batch that is not sampled: the function runs, and nothing else", async () => {
    const { told, end } = await inBatch({ ratio: 0 });
    expect(told.span).toBe(MUTED_HANDLERS.span);
    expect(await told.span("price", async (span) => span.span("inner", () => 1))).toBe(1);
    expect((await end()).spans).toEqual([]);
  });
});

describe("a handler's log line", () => {
  test("says where it was written and leads to the trace; no field of its own can say otherwise", async () => {
    const { told, lines, end } = await inBatch();
    told.log.warn("An odd pool", { pool: "0xab", batch_id: 99, event: "mine", url: "https://x.example/secret" });
    const model = await end();
    const { time, ...line } = lines.find(({ event }) => event === "handler.log") ?? {};
    const span = named(model, "spindex.batch.process");
    expect(line).toEqual({
      level: "warn",
      event: "handler.log",
      msg: "An odd pool",
      pool: "0xab",
      url: "https://x.example",
      batch_id: 5,
      chain: "mainnet",
      handler: "Token.Transfer",
      block: 7,
      log_index: 2,
      trace_id: span.traceId,
      span_id: span.spanId,
    });
  });

  test("has a method a level", async () => {
    const { told, lines } = await inBatch();
    for (const level of ["debug", "info", "warn", "error"] as const) told.log[level]("A line");
    expect(lines.filter(({ msg }) => msg === "A line").map(({ level }) => level)).toEqual([
      "debug",
      "info",
      "warn",
      "error",
    ]);
  });
});

test("what is muted runs, and leaves nothing", () => {
  const { log, span, metrics } = MUTED_HANDLERS;
  log.error("nothing");
  metrics.counter("any", { help: "", labels: ["a"] }).add(1, { a: 1 });
  metrics.histogram("any", { help: "" }).observe(1);
  expect(
    span("outer", (outer) => {
      outer.set({ a: 1 });
      return outer.span("inner", () => 5);
    }),
  ).toBe(5);
});

describe("an effect that asks for headers to pass on", () => {
  const ids = (traceparent: string | undefined): string[] => (traceparent ?? "").split("-");

  test("is a span from then on, however fast it is, and that span is what the headers name", async () => {
    const kit = await traced();
    const batch = kit.telemetry.batchStarted(batchStart(5, kit.clock));
    batch.processing();
    const call = batch.effectAsked({ effect: "price", askedAt: kit.clock.now() });
    const { traceparent } = call.traceHeaders();
    expect(call.traceHeaders()).toEqual({ traceparent });
    kit.clock.advance(2);
    call.ended({ calledAt: kit.clock.now() - 1, endedAt: kit.clock.now(), error: undefined });
    batch.processed(processed);
    batch.abandoned("aborted");
    const span = named(await kit.traces(), "spindex.effect");
    expect(ids(traceparent)).toEqual(["00", span.traceId, span.spanId, "01"]);
    expect([span.kind, span.durationMs, span.attributes]).toEqual([
      "client",
      2,
      { "spindex.effect.name": "price", "spindex.effect.queued_ms": 1 },
    ]);
  });

  test("names the process span beyond 200 a batch, so that nothing dangles", async () => {
    const kit = await traced();
    const batch = kit.telemetry.batchStarted(batchStart(5, kit.clock));
    batch.processing();
    const parents = new Set<string | undefined>();
    for (let i = 0; i < 203; i++) {
      const call = batch.effectAsked({ effect: "price", askedAt: kit.clock.now() });
      parents.add(ids(call.traceHeaders().traceparent)[2]);
      call.ended({ calledAt: kit.clock.now(), endedAt: kit.clock.now(), error: undefined });
    }
    batch.processed(processed);
    batch.abandoned("aborted");
    const model = await kit.traces();
    expect(parents.size).toBe(201);
    expect([...parents].filter((id) => model.span(id ?? "") === undefined)).toEqual([]);
    expect(parents).toContain(named(model, "spindex.batch.process").spanId);
  });

  test("of a batch that is not sampled says so, and makes no span", async () => {
    const kit = await traced({ ratio: 0 });
    const batch = kit.telemetry.batchStarted(batchStart(5, kit.clock));
    batch.processing();
    const call = batch.effectAsked({ effect: "price", askedAt: kit.clock.now() });
    expect(call.traceHeaders().traceparent).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/);
    call.ended({ calledAt: kit.clock.now(), endedAt: kit.clock.now(), error: new Error("x") });
    batch.processed(processed);
    batch.abandoned("aborted");
    expect((await kit.traces()).spans).toEqual([]);
  });
});
