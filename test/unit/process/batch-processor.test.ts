import { describe, expect, test } from "vitest";
import { AddressTable } from "../../../src/abi/address-table.ts";
import { UndecodableLog } from "../../../src/abi/undecodable-log.ts";
import type { Batch } from "../../../src/batch/batch.ts";
import { createBatch } from "../../../src/batch/create-batch.ts";
import { eventIdOf } from "../../../src/chain/event-id.ts";
import type { LogFields } from "../../../src/chain/log-page.ts";
import { SpindexError } from "../../../src/errors.ts";
import { RangeBuffer } from "../../../src/fetch/range-buffer.ts";
import { createEffect, t } from "../../../src/index.ts";
import type { BatchTelemetry, ProcessSummary } from "../../../src/instrument/batch-telemetry.ts";
import { LoopAccount } from "../../../src/instrument/loop-account.ts";
import { LOOP_STATES } from "../../../src/instrument/names.ts";
import type { ProcessState } from "../../../src/instrument/telemetry.ts";
import { Signal } from "../../../src/lib/signal.ts";
import { BatchProcessor, type ProcessOutcome } from "../../../src/process/batch-processor.ts";
import type { AnyHandler, EventRoute } from "../../../src/process/event-route.ts";
import type { EntityFacade } from "../../../src/process/store-facade.ts";
import type { Store } from "../../../src/store/store.ts";
import { effectCallsOf } from "../../support/effect-calls.ts";
import { pageOf } from "../../support/log-pages.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { silentBatch } from "../../support/silent-telemetry.ts";
import { account, changesIn, drain, storeOf, TABLES } from "../../support/store-fixture.ts";

const chains = [
  { name: "one", id: 1 },
  { name: "two", id: 2 },
];
const event = {
  name: "E",
  key: "E(uint256)",
  signature: "E(uint256)",
  topic: "0x" as const,
  anonymous: false,
  inputs: [],
};

/** A route whose event has its place as arguments. */
function routeOf(handler: AnyHandler, more: Partial<EventRoute> = {}): EventRoute {
  return {
    label: "C.E",
    contract: "C",
    event,
    decoder: { event, decode: (page, row) => ({ block: page.blockNumber[row], log: page.logIndex[row] }) },
    handler,
    accepts: undefined,
    onError: "stop",
    ...more,
  };
}

interface Place extends Partial<LogFields> {
  readonly blockNumber: number;
  readonly route?: number;
}

interface RunInput {
  readonly routes: readonly EventRoute[];
  /** Events of chain 1 (and of chain 2), each chain as one range. */
  readonly events: readonly Place[];
  readonly otherEvents?: readonly Place[];
  readonly toBlock?: number;
  readonly finalized?: number;
  readonly store?: Store;
  readonly clock?: ManualClock;
}

interface Ran {
  readonly outcome: ProcessOutcome;
  readonly batch: Batch;
  readonly store: Store;
  readonly summary: ProcessSummary | undefined;
  readonly failed: unknown[];
  readonly undecodable: unknown[];
  readonly processLoop: LoopAccount<ProcessState>;
}

async function run(input: RunInput): Promise<Ran> {
  const { routes, events, otherEvents = [], store = storeOf() } = input;
  const bufferOf = (chainId: number, places: readonly Place[], toBlock: number): RangeBuffer => {
    const buffer = new RangeBuffer(chainId, 1, { items: 1e9, bytes: 1e9 }, new Signal());
    buffer.put({
      chainId,
      fromBlock: 1,
      toBlock,
      page: pageOf(...places.map(({ route, ...log }) => log)),
      routes: Uint16Array.from(places, ({ route }) => route ?? 0),
      headers: [],
      head: { number: toBlock, finalized: input.finalized ?? toBlock, live: true },
      origin: undefined,
    });
    return buffer;
  };
  const last = events.at(-1)?.blockNumber ?? 1;
  const supplies = [bufferOf(1, events, input.toBlock ?? last)];
  if (otherEvents.length > 0) supplies.push(bufferOf(2, otherEvents, otherEvents.at(-1)?.blockNumber ?? 1));
  const batch = createBatch({
    id: 1,
    firstCheckpoint: store.nextCheckpoint,
    room: { items: 1e9, bytes: 1e9 },
    supplies,
    shardInsideWindow: false,
  }) as Batch;
  const undecodable: unknown[] = [];
  const failed: unknown[] = [];
  let summary: ProcessSummary | undefined;
  const telemetry: BatchTelemetry = {
    ...silentBatch,
    processed: (given) => {
      summary = given;
    },
    handlerFailed: ({ handler, block, logIndex }, policy) => failed.push([handler, block, logIndex, policy]),
  };
  const clock = input.clock ?? new ManualClock();
  const processLoop = new LoopAccount(clock, LOOP_STATES.process, "handlers");
  const processor = new BatchProcessor({
    chains,
    routes,
    tables: TABLES,
    addresses: new AddressTable(),
    registrars: new Map(),
    store,
    effects: effectCallsOf(store, clock),
    processLoop,
    clock,
    onUndecodable: (chain, error) => undecodable.push([chain.name, error.reason]),
  });
  store.beginBatch(batch);
  const outcome = await processor.process(batch, telemetry);
  return { outcome, batch, store, summary, failed, undecodable, processLoop };
}

function accounts(context: Parameters<AnyHandler>[0]): EntityFacade {
  return context.store.account as EntityFacade;
}

describe("events", () => {
  test("are handled in the order of their chain, with block, log, transaction and id", async () => {
    const seen: unknown[] = [];
    const handler: AnyHandler = ({ event: handled, chain }) => {
      const { id, block, log, transaction, args, contract, name } = handled;
      seen.push({ id, block, log, transaction, args, contract, name, chain });
    };
    const address = `0x${"AA".repeat(20)}`;
    const { outcome } = await run({
      routes: [routeOf(handler)],
      events: [
        { blockNumber: 5, logIndex: 0, address, blockTimestamp: 50, transactionIndex: 7 },
        { blockNumber: 5, logIndex: 3 },
        { blockNumber: 9, logIndex: 1 },
      ],
    });
    expect(outcome).toEqual({ kind: "processed" });
    expect(seen).toHaveLength(3);
    expect(seen[0]).toEqual({
      id: eventIdOf(5, 0),
      block: { number: 5n, timestamp: 50, hash: `0x${"bb".repeat(32)}` },
      log: { address: address.toLowerCase(), index: 0 },
      transaction: { hash: `0x${"cc".repeat(32)}`, index: 7 },
      args: { block: 5, log: 0 },
      contract: "C",
      name: "E(uint256)",
      chain: { name: "one", id: 1, live: true },
    });
    expect(seen.map((one) => (one as { args: unknown }).args)).toEqual([
      { block: 5, log: 0 },
      { block: 5, log: 3 },
      { block: 9, log: 1 },
    ]);
  });

  test("go to their routes, but those that a filter leaves out", async () => {
    const seen: string[] = [];
    const to = (name: string): AnyHandler => {
      return ({ event: { block } }) => void seen.push(`${name} ${block.number}`);
    };
    const { summary } = await run({
      routes: [
        routeOf(to("a"), { label: "C.A" }),
        routeOf(to("b"), { label: "C.B", accepts: ({ block }) => block !== 2 }),
      ],
      events: [{ blockNumber: 1 }, { blockNumber: 2, route: 1 }, { blockNumber: 3, route: 1 }, { blockNumber: 4 }],
    });
    expect(seen).toEqual(["a 1", "b 3", "a 4"]);
    expect(summary?.handlerCalls).toBe(3);
    expect(summary?.handlers.map(({ handler, chain, calls }) => [handler, chain, calls])).toEqual([
      ["C.A", "one", 2],
      ["C.B", "one", 1],
    ]);
  });

  test("that do not decode are counted and left out", async () => {
    const seen: unknown[] = [];
    const decode: EventRoute["decoder"]["decode"] = (page, row) => {
      if (page.blockNumber[row] === 2) throw new UndecodableLog("E()", "topic_count", "too short");
      return {};
    };
    const handler: AnyHandler = ({ event: { block } }) => void seen.push(block.number);
    const { outcome, undecodable } = await run({
      routes: [routeOf(handler, { decoder: { event, decode } })],
      events: [{ blockNumber: 1 }, { blockNumber: 2 }, { blockNumber: 3 }],
    });
    expect([outcome.kind, seen, undecodable]).toEqual(["processed", [1n, 3n], [["one", "topic_count"]]]);
  });

  test("wait for the handler before them, also when it is slow", async () => {
    const seen: string[] = [];
    await run({
      routes: [
        routeOf(async ({ event: { block } }) => {
          seen.push(`begin ${block.number}`);
          await new Promise((resolve) => setImmediate(resolve));
          seen.push(`end ${block.number}`);
        }),
      ],
      events: [{ blockNumber: 1 }, { blockNumber: 2 }],
    });
    expect(seen).toEqual(["begin 1", "end 1", "begin 2", "end 2"]);
  });
});

describe("checkpoints", () => {
  test("are those that the batch was numbered with: of each block, and of an end without events", async () => {
    const seen: unknown[] = [];
    const store = storeOf();
    const { batch } = await run({
      routes: [routeOf(({ event: { block } }) => void seen.push([block.number, store.scope.checkpoint]))],
      events: [{ blockNumber: 2 }, { blockNumber: 2, logIndex: 1 }, { blockNumber: 4 }],
      otherEvents: [{ blockNumber: 1 }],
      toBlock: 6,
      finalized: 3,
      store,
    });
    expect(seen).toEqual([
      [2n, 1],
      [2n, 1],
      [4n, 2],
      [1n, 4],
    ]);
    store.commitBatch(batch);
    expect(drain(store)?.positions).toEqual([
      { checkpoint: 1, chainId: 1, block: 2 },
      { checkpoint: 2, chainId: 1, block: 4 },
      { checkpoint: 3, chainId: 1, block: 6 },
      { checkpoint: 4, chainId: 2, block: 1 },
    ]);
  });

  test("keep before-images of blocks that are not final only", async () => {
    const { store, batch } = await run({
      routes: [routeOf((context) => void accounts(context).set({ id: Number(context.event.block.number) }))],
      events: [{ blockNumber: 1 }, { blockNumber: 2 }, { blockNumber: 3 }],
      finalized: 2,
    });
    store.commitBatch(batch);
    expect(changesIn(drain(store), account).history).toEqual([[3, { id: 3 }, undefined]]);
  });
});

describe("a handler that throws", () => {
  const throwing = (at: number): AnyHandler => {
    return (context) => {
      const block = Number(context.event.block.number);
      accounts(context).set({ id: block * 10 + context.event.log.index });
      if (block === at && context.event.log.index === 1) throw new TypeError("no");
    };
  };
  const events = [
    { blockNumber: 1 },
    { blockNumber: 5 },
    { blockNumber: 5, logIndex: 1 },
    { blockNumber: 5, logIndex: 2 },
    { blockNumber: 7 },
  ];

  test("stops the batch before its block, and is named with everything that leads to it", async () => {
    const { outcome, store, failed } = await run({ routes: [routeOf(throwing(5))], events, finalized: -1 });
    expect(outcome).toMatchObject({
      kind: "failed",
      kept: { checkpoints: { from: 1, to: 2 }, items: 1, progress: [{ block: 4 }] },
      error: {
        code: "HANDLER_FAILED",
        message: `the handler of C.E threw at block 5, log 1, transaction 0x${"cc".repeat(32)} of one: no`,
        cause: expect.any(TypeError),
        details: { handler: "C.E", chain: "one", block: 5, logIndex: 1, transactionHash: `0x${"cc".repeat(32)}` },
      },
    });
    expect(failed).toEqual([["C.E", 5, 1, "stop"]]);
    if (outcome.kind === "failed" && outcome.kept !== undefined) store.commitBatch(outcome.kept);
    const written = drain(store);
    expect(changesIn(written, account).inserts).toEqual([[1, { id: 10, balance: 0n }]]);
    expect(written?.positions).toEqual([
      { checkpoint: 1, chainId: 1, block: 1 },
      { checkpoint: 2, chainId: 1, block: 4 },
    ]);
  });

  test("in the first block leaves nothing", async () => {
    const { outcome } = await run({ routes: [routeOf(throwing(1))], events: [{ blockNumber: 1, logIndex: 1 }] });
    expect(outcome).toMatchObject({ kind: "failed", kept: undefined });
  });

  test("is skipped where it is told so: its changes alone are undone, and it is noted", async () => {
    const { outcome, store, batch, failed, summary } = await run({
      routes: [routeOf(throwing(5), { onError: "skip" })],
      events,
    });
    expect([outcome.kind, failed, summary?.skippedEvents]).toEqual(["processed", [["C.E", 5, 1, "skip"]], 1]);
    store.commitBatch(batch);
    const written = drain(store);
    expect((changesIn(written, account).inserts as [number, { id: number }][]).map(([at, { id }]) => [at, id])).toEqual(
      [
        [1, 10],
        [2, 50],
        [2, 52],
        [3, 70],
      ],
    );
    expect(written?.skipped).toEqual([
      {
        chainId: 1,
        block: 5,
        logIndex: 1,
        checkpoint: 2,
        transactionHash: `0x${"cc".repeat(32)}`,
        handler: "C.E",
        message: "no",
      },
    ]);
  });

  test("may throw anything, at once or later", async () => {
    const text: unknown = "text";
    for (const handler of [
      async () => {
        throw text;
      },
      () => {
        throw text;
      },
    ]) {
      const { outcome } = await run({ routes: [routeOf(handler)], events: [{ blockNumber: 1 }] });
      expect(outcome).toMatchObject({ kind: "failed", error: { code: "HANDLER_FAILED", cause: text } });
    }
  });
});

describe("a storage that is away", () => {
  test("is never the handler's fault: no event is skipped for it", async () => {
    const away = new SpindexError("DATABASE_UNREACHABLE", "the database is away");
    const store = storeOf({ empty: [], reader: { rowsByKey: () => Promise.reject(away) } });
    const { outcome, failed } = await run({
      routes: [routeOf(async (context) => void (await accounts(context).get(1)), { onError: "skip" })],
      events: [{ blockNumber: 1 }],
      store,
    });
    expect(outcome).toEqual({ kind: "failed", error: away, kept: undefined });
    expect(failed).toEqual([["C.E", 1, 0, "stop"]]);
  });
});

describe("an effect that nobody awaits", () => {
  /** An effect whose calls end in a later turn, and a note of those that have. */
  const slow = (ended: number[]) =>
    createEffect(
      { name: "slow", input: t.int32(), output: t.int32(), cache: true, rateLimit: false },
      async (input) => {
        await new ManualClock().turn();
        ended.push(input);
        return input;
      },
    );

  test("is an error of the handler that began it; it is cancelled, and the end does not wait for it", async () => {
    const signals: AbortSignal[] = [];
    const hanging = createEffect(
      { name: "slow", input: t.int32(), output: t.int32(), cache: true, rateLimit: false },
      (_, { signal }) => {
        signals.push(signal);
        return new Promise<number>(() => {});
      },
    );
    const { outcome, store } = await run({
      routes: [
        routeOf(async (context) => {
          // It was going to be awaited, but another one fails first.
          const later = context.effect(hanging, 5);
          await new ManualClock().turn();
          if (context.event.block.number === 1n) throw new Error("no");
          await later;
        }),
      ],
      events: [{ blockNumber: 1 }],
    });
    expect(outcome).toMatchObject({ kind: "failed", error: { code: "HANDLER_FAILED", cause: { message: "no" } } });
    expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
    expect(store.effects.changes).toBe(0);
  });

  test("has ended before the next event, also when its handler threw and the event is skipped", async () => {
    const ended: number[] = [];
    const seen: unknown[] = [];
    const begun: unknown[] = [];
    const effect = slow(ended);
    const { outcome } = await run({
      routes: [
        routeOf(
          (context) => {
            seen.push([context.event.block.number, [...ended]]);
            if (context.event.block.number === 2n) return;
            begun.push(context.effect(effect, 5));
            throw new Error("no");
          },
          { onError: "skip" },
        ),
      ],
      events: [{ blockNumber: 1 }, { blockNumber: 2 }],
    });
    expect(outcome.kind).toBe("processed");
    expect(seen).toEqual([
      [1n, []],
      [2n, [5]],
    ]);
  });
});

describe("a read that nobody awaits", () => {
  test("is an error of the handler that began it, after it has ended", async () => {
    const store = storeOf({ empty: [] });
    const { outcome } = await run({
      routes: [routeOf((context) => void accounts(context).getOrCreate({ id: 1 }))],
      events: [{ blockNumber: 1 }],
      store,
    });
    expect(outcome).toMatchObject({
      kind: "failed",
      error: { code: "HANDLER_FAILED", cause: { code: "READ_PENDING" } },
    });
    expect(store.reads.pending).toBe(0);
  });

  test("leaves nothing behind when the event is skipped", async () => {
    const store = storeOf({ empty: [] });
    const { batch, outcome } = await run({
      routes: [routeOf((context) => void accounts(context).getOrCreate({ id: 1 }), { onError: "skip" })],
      events: [{ blockNumber: 1 }],
      store,
    });
    expect(outcome.kind).toBe("processed");
    store.commitBatch(batch);
    expect(changesIn(drain(store), account)).toEqual({});
  });
});

test("the event loop gets a turn now and then, however fast the handlers are", async () => {
  class CountingClock extends ManualClock {
    turns = 0;
    override turn(): Promise<void> {
      this.turns++;
      return super.turn();
    }
  }
  const clock = new CountingClock();
  const events = Array.from({ length: 2_500 }, (_, at) => ({ blockNumber: at + 1 }));
  await run({ routes: [routeOf(() => {})], events, clock });
  expect(clock.turns).toBe(2);
});

test("what others do in that turn is not time of handlers", async () => {
  class BusyClock extends ManualClock {
    override async turn(): Promise<void> {
      this.advance(50);
    }
  }
  const clock = new BusyClock();
  const events = Array.from({ length: 2000 }, (_, at) => ({ blockNumber: at + 1 }));
  const { processLoop } = await run({ routes: [routeOf(() => clock.advance(1))], events, clock });
  expect(Object.fromEntries(processLoop.seconds())).toMatchObject({ handlers: 2, other: 0.1 });
});

test("the slowest calls are told, at most three, slowest first", async () => {
  const clock = new ManualClock();
  const tookMs = [5, 90, 1, 40, 70];
  const { summary } = await run({
    routes: [routeOf(({ event: { block } }) => clock.advance(tookMs[Number(block.number) - 1] as number))],
    events: tookMs.map((_, at) => ({ blockNumber: at + 1 })),
    clock,
  });
  expect(summary?.slowest.map(({ block, startedAt, endedAt }) => [block, endedAt - startedAt])).toEqual([
    [2, 90],
    [5, 70],
    [4, 40],
  ]);
  expect(summary?.handlers).toEqual([{ handler: "C.E", chain: "one", calls: 5, totalMs: 206, maxMs: 90 }]);
});

test("reads from the storage are counted", async () => {
  const { summary } = await run({
    routes: [routeOf(async (context) => void (await accounts(context).get(Number(context.event.block.number))))],
    events: [{ blockNumber: 1 }, { blockNumber: 2 }, { blockNumber: 2, logIndex: 1 }],
    store: storeOf({ empty: [] }),
  });
  expect(summary).toMatchObject({ handlerCalls: 3, readsFromStorage: 2, skippedEvents: 0 });
  // The third event reads the row of the second, which is in memory by then.
  expect(summary?.reads).toEqual([{ table: "account", memory: 1, storage: 2 }]);
});
