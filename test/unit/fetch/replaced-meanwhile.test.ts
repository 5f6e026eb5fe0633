import { expect, test } from "vitest";
import type { FetchedRange } from "../../../src/batch/batch.ts";
import { HeadTracker } from "../../../src/fetch/head-tracker.ts";
import { LogSelection } from "../../../src/fetch/log-selection.ts";
import { queryRange } from "../../../src/fetch/range-query.ts";
import { RangeSizer } from "../../../src/fetch/range-sizer.ts";
import { silentTelemetry } from "../../support/silent-telemetry.ts";
import { recordingClock } from "../../support/source-doubles.ts";
import { SimulatedChain } from "../../support/world/chain.ts";
import { simulatedSource } from "../../support/world/source.ts";

const ADDRESS = `0x${"aa".repeat(20)}` as const;
const TOPIC = `0x${"bb".repeat(32)}` as const;
const EVENT = { onError: "stop", ops: [] } as const;

/** A chain of three blocks after the first; `replace` is done when its logs have been answered for the first time. */
async function fetched(
  replace: (chain: SimulatedChain) => void,
  newestKnown: boolean,
  toBlock = 3,
): Promise<FetchedRange> {
  const chain = new SimulatedChain({ chainId: 1, setup: undefined, blocks: [[], [], []], changes: [] }, 5, false);
  const clock = recordingClock();
  const source = simulatedSource({
    chain,
    pause: async () => {},
    pick: () => 1,
    fails: () => false,
    hasTimestamps: true,
    maxBlocks: 100,
    address: ADDRESS,
    topics: { stop: TOPIC, skip: TOPIC },
  });
  let isReplaced = false;
  const logs: typeof source.logs = async (...args) => {
    const page = await source.logs(...args);
    if (!isReplaced) replace(chain);
    isReplaced = true;
    return page;
  };
  const event = {
    route: 0,
    label: "A.B",
    contract: "A",
    topic: TOPIC,
    topicCount: 1,
    addresses: [ADDRESS],
    startBlock: 1,
    endBlock: 9,
  };
  const head = new HeadTracker({ maxReorgDepth: 5, blockLag: 0, live: false, finalized: -1, clock });
  head.observe(3, undefined);
  const ranges = queryRange(
    {
      chain: { name: "mainnet", id: 1 },
      source: { ...source, logs },
      selection: new LogSelection([event]),
      head,
      newest: newestKnown ? chain.head.header : undefined,
      sizer: new RangeSizer(100),
      telemetry: silentTelemetry(clock),
      clock,
    },
    1,
    toBlock,
    new AbortController().signal,
  );
  const { value } = await ranges.next();
  return value as FetchedRange;
}

test.each([true, false])(
  "logs of blocks that are replaced before their headers come are asked for again",
  async (newestKnown) => {
    // The logs had none in block 3, so that no hash of theirs could tell.
    const { page, headers } = await fetched((chain) => chain.change(1, [[EVENT]]), newestKnown);
    expect([...page.blockNumber]).toEqual([3]);
    expect(headers.at(-1)?.hash.slice(0, 34)).toBe(`0x1${"1".padStart(31, "0")}`);
  },
);

test("blocks below the one that is replaced show it too", async () => {
  const { page } = await fetched((chain) => chain.change(2, [[EVENT], [], []]), false, 2);
  expect([...page.blockNumber]).toEqual([2]);
});
