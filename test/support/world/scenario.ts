import fc from "fast-check";
import type { BatchRoom } from "../../../src/batch/create-batch.ts";
import type { StoreLimits } from "../../../src/store/store-options.ts";
import { type Op, op, type PlannedEvent } from "./plan.ts";

/** The events of one block. */
export type PlannedBlock = readonly Pick<PlannedEvent, "onError" | "ops">[];

/** What becomes of a chain while it is indexed: it grows, or its newest blocks are replaced. */
export interface ChainChange {
  /** First everything that is there becomes durable. */
  readonly waits: boolean;
  /** After so many milliseconds. */
  readonly afterMs: number;
  /** Blocks that are replaced; 0: none. */
  readonly depth: number;
  readonly blocks: readonly PlannedBlock[];
}

export interface PlannedChain {
  readonly chainId: number;
  /** What the set-up does, as an event of block 0; undefined: there is no set-up. */
  readonly setup: PlannedBlock[number] | undefined;
  /** The blocks from 1 on that are there at the start. */
  readonly blocks: readonly PlannedBlock[];
  readonly changes: readonly ChainChange[];
}

/** A way in which a write can go wrong. */
export const FAULTS = [
  /** The connection is lost, or the server is busy, before anything was done. */
  "refused",
  /** The server takes the statements and says nothing any more. */
  "silent",
  /** COMMIT is answered by ROLLBACK. */
  "rolled back",
  /** The connection is cut: the server never got the COMMIT, */
  "cut before commit",
  /** or has done it. */
  "cut after commit",
  /** The server is stuck in COMMIT for longer than the client waits: then it is done, */
  "late commit",
  /** or taken back. */
  "late rollback",
  /** No retry could help. */
  "fatal",
] as const;
export type Fault = (typeof FAULTS)[number];

export type InterruptionKind =
  /** It is asked to end: it flushes. */
  | "stop"
  /** It is gone; what it had sent to the server goes on there. */
  | "crash"
  /** Another process takes the shard while it goes on. */
  | "takeover"
  /** The server is replaced by one that has not got the last writes. */
  | "failover";

/** What happens to a process after so many steps of the world. */
export interface Interruption {
  readonly afterSteps: number;
  readonly kind: InterruptionKind;
  /** Writes that a failover loses, at most. */
  readonly lost: number;
}

/** Everything that decides how a simulated world goes. */
export interface Scenario {
  readonly chains: readonly PlannedChain[];
  /** Blocks that a reorg can replace. */
  readonly window: number;
  readonly rawEvents: boolean;
  /** The sources say which block is final. */
  readonly finality: boolean;
  readonly blockLag: number;
  /** Logs come with the time of their block. */
  readonly timestamps: boolean;
  /** Most blocks in a query, by configuration and by the node. */
  readonly maxRangeBlocks: number;
  readonly nodeRangeBlocks: number;
  readonly buffer: BatchRoom;
  readonly batch: BatchRoom;
  readonly limits: StoreLimits;
  readonly writeRetryBudgetMs: number;
  readonly flushDeadlineMs: number;
  readonly pruneEveryMs: number;
  readonly interruptions: readonly Interruption[];
  /** Of a thousand writes, so many go wrong, until the list of faults is used up. */
  readonly faultRate: number;
  readonly faults: readonly Fault[];
  /** So many reads, and requests to a source, fail for good. */
  readonly readFailures: number;
  readonly sourceFailures: number;
  /** How fast time passes, compared to the rest. */
  readonly timerWeight: number;
  /** Decides what happens next, at every step. */
  readonly seed: number;
}

interface EventShape {
  onError: "stop" | "skip";
  ops: Op[];
}

interface ChainShape {
  blocks: EventShape[][];
  setup: Op[];
  changes: { waits: boolean; afterMs: number; depth: number; blocks: EventShape[][] }[];
}

const event = fc.record({
  onError: fc.constantFrom("stop", "skip"),
  ops: fc.array(op, { minLength: 1, maxLength: 5 }),
});

const block = fc.array(event, { maxLength: 3 });

const change = fc.record({
  waits: fc.boolean(),
  afterMs: fc.oneof(fc.integer({ min: 0, max: 500 }), fc.integer({ min: 0, max: 8_000 })),
  depth: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 6 })),
  blocks: fc.array(block, { minLength: 1, maxLength: 5 }),
});

const chain: fc.Arbitrary<ChainShape> = fc.record({
  setup: fc.array(
    op.filter((one) => one.do !== "insert"),
    { minLength: 1, maxLength: 4 },
  ),
  blocks: fc.array(block, { minLength: 1, maxLength: 12, size: "max" }),
  changes: fc.array(change, { maxLength: 6, size: "max" }),
});

function withoutReorgs({ changes, ...rest }: ChainShape): ChainShape {
  return { ...rest, changes: changes.map((one) => ({ ...one, depth: 0 })) };
}

/** Rows that chains share are kept out of worlds with several chains and reorgs: they would need all chains to go back. */
function planned(shapes: readonly ChainShape[], hasSetup: boolean): PlannedChain[] {
  const isRewound = shapes.length > 1 && shapes.some(({ changes }) => changes.some(({ depth }) => depth > 0));
  return shapes.map(({ setup, blocks, changes }, index) => {
    const chainId = index + 1;
    const blocksOf = (inBlocks: readonly EventShape[][]): PlannedBlock[] =>
      inBlocks.map((events) =>
        events.map(({ onError, ops }) => ({ onError, ops: isRewound ? ops.map(unshared) : ops })),
      );
    return {
      chainId,
      setup: hasSetup ? { onError: "stop", ops: isRewound ? setup.map(unshared) : setup } : undefined,
      blocks: blocksOf(blocks),
      changes: changes.map((one) => ({ ...one, blocks: blocksOf(one.blocks) })),
    };
  });
}

function unshared(op: Op): Op {
  return "table" in op && op.table === "shared" ? { ...op, table: "counter" } : op;
}

const small = (max: number): fc.Arbitrary<number> => fc.integer({ min: 1, max });

const limits: fc.Arbitrary<StoreLimits> = fc.record({
  capacityChanges: small(40),
  capacityBytes: fc.oneof(small(4_000), fc.constant(1e9)),
  // None, a few rows, more than all rows.
  cacheBytes: fc.constantFrom(0, 1_000, 1_000_000),
  minimumItems: fc.integer({ min: 0, max: 60 }),
  liveAgeMs: fc.constantFrom(0, 50, 1e9),
  maximumChanges: small(30),
  maximumBytes: fc.oneof(small(4_000), fc.constant(1e9)),
  maximumBatches: small(6),
});

export const scenario: fc.Arbitrary<Scenario> = fc.record({
  chains: fc
    .tuple(fc.array(chain, { minLength: 1, maxLength: 2 }), fc.nat({ max: 3 }), fc.boolean())
    .map(([shapes, kind, hasSetup]) => planned(kind === 0 ? shapes.map(withoutReorgs) : shapes, hasSetup)),
  window: fc.integer({ min: 1, max: 6 }),
  rawEvents: fc.boolean(),
  finality: fc.boolean(),
  blockLag: fc.constantFrom(0, 0, 0, 1, 2),
  timestamps: fc.boolean(),
  maxRangeBlocks: fc.constantFrom(1, 2, 5, 1000),
  nodeRangeBlocks: fc.constantFrom(1, 3, 1000, 1000),
  buffer: fc.record({ items: small(20), bytes: fc.oneof(small(8_000), fc.constant(1e9)) }),
  batch: fc.record({ items: small(8), bytes: fc.oneof(small(3_000), fc.constant(1e9)) }),
  limits,
  writeRetryBudgetMs: fc.constantFrom(500, 600_000, 600_000),
  flushDeadlineMs: fc.constantFrom(1_000, 1e9, 1e9),
  pruneEveryMs: fc.constantFrom(300, 2_000, 30_000),
  interruptions: fc.array(
    fc.record({
      afterSteps: fc.integer({ min: 1, max: 120 }),
      kind: fc.constantFrom<InterruptionKind>("stop", "crash", "crash", "takeover", "failover"),
      lost: fc.integer({ min: 0, max: 3 }),
    }),
    { maxLength: 8, size: "max" },
  ),
  faultRate: fc.constantFrom(0, 150, 500),
  faults: fc.array(fc.constantFrom(...FAULTS), { maxLength: 16, size: "max" }),
  readFailures: fc.constantFrom(0, 0, 1),
  sourceFailures: fc.constantFrom(0, 0, 1),
  timerWeight: fc.constantFrom(1, 1, 3),
  seed: fc.integer(),
});
