import { expect, test } from "vitest";
import type { ChainProgress } from "../../../src/batch/batch.ts";
import { HeadTracker } from "../../../src/fetch/head-tracker.ts";
import { chainMetadataOf } from "../../../src/indexer/chain-metadata.ts";
import { ManualClock } from "../../support/manual-clock.ts";

interface ChainInput {
  readonly live?: boolean;
  readonly blockLag?: number;
  readonly startBlock?: number;
  readonly endBlock?: number;
}

function benchOf(input: ChainInput = {}) {
  const { live = false, blockLag = 0, startBlock = 0, endBlock = Number.POSITIVE_INFINITY } = input;
  const head = new HeadTracker({ maxReorgDepth: 64, blockLag, live, finalized: -1, clock: new ManualClock() });
  const durable: { block: number | undefined; live: boolean } = { block: undefined, live };
  const health: { name: string; error: string | undefined }[] = [{ name: "node", error: undefined }];
  const progress = (): ChainProgress | undefined =>
    durable.block === undefined
      ? undefined
      : {
          chainId: 1,
          block: durable.block,
          timestamp: undefined,
          checkpoint: 1,
          head: { number: durable.block, finalized: 0, live: durable.live },
          headers: [],
        };
  const lane = { definition: { id: 1 }, head, selection: { startBlock, endBlock }, source: { health } };
  const metadata = chainMetadataOf([lane as never], { committed: progress });
  return { head, durable, health, metadata };
}

test("nothing is said of a chain whose head is not known yet", () => {
  const { metadata } = benchOf();
  expect(metadata()).toEqual([]);
});

test("head and sources are those of the moment; an error's text is not part of it", () => {
  const { head, health, metadata } = benchOf();
  head.observe(100, 36);
  health.push({ name: "other", error: "timeout of https://…" });
  expect(metadata()).toEqual([
    {
      chainId: 1,
      head: 100,
      live: false,
      sources: [
        { name: "node", state: "ok" },
        { name: "other", state: "failing" },
      ],
    },
  ]);
});

test("a chain is live once what led to its head is durable, and stays it", () => {
  const { head, durable, metadata } = benchOf({ blockLag: 2 });
  const isLive = (): boolean | undefined => metadata()[0]?.live;
  head.observe(100, 36);
  durable.block = 90;
  expect(isLive()).toBe(false);
  // Everything is fetched; the rows are not durable yet.
  head.reachedHead();
  expect(isLive()).toBe(false);
  durable.block = 98;
  expect(isLive()).toBe(true);
  head.observe(101, 37);
  expect(isLive()).toBe(true);
});

test("a chain that was live in the database is live", () => {
  const { head, durable, metadata } = benchOf({ live: true });
  head.observe(100, 36);
  durable.block = 10;
  expect(metadata()[0]?.live).toBe(true);
});

test("a chain that begins above its head has nothing to catch up with", () => {
  const { head, metadata } = benchOf({ startBlock: 1_000 });
  head.observe(100, 36);
  head.reachedHead();
  expect(metadata()[0]?.live).toBe(true);
});
