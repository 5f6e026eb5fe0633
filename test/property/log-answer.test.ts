import fc from "fast-check";
import { expect, test } from "vitest";
import { logPageOfAnswer } from "../../src/source/log-answer.ts";
import { fakeAddress, fakeHash } from "../support/fake-chain.ts";

/** Logs of blocks 100 to 109 as a node sends them, in chain order, no two in one place. */
const answers = fc
  .uniqueArray(fc.record({ block: fc.integer({ min: 100, max: 109 }), index: fc.nat(40), data: fc.nat(4) }), {
    selector: ({ block, index }) => `${block}/${index}`,
    maxLength: 30,
  })
  .map((places) =>
    places
      .sort((a, b) => a.block - b.block || a.index - b.index)
      .map(({ block, index, data }) => ({
        address: fakeAddress(1),
        topics: [fakeHash("topic", index)],
        data: `0x${"ab".repeat(data)}`,
        blockNumber: `0x${block.toString(16)}`,
        blockHash: fakeHash(block),
        transactionHash: fakeHash(block, index),
        transactionIndex: `0x${index.toString(16)}`,
        logIndex: `0x${index.toString(16)}`,
      })),
  );

const query = { fromBlock: 100, toBlock: 109, addresses: undefined, topics: [] };

test("logs in any order give the page of their order in the chain", () => {
  fc.assert(
    fc.property(
      answers.chain((logs) => fc.tuple(fc.constant(logs), fc.shuffledSubarray(logs, { minLength: logs.length }))),
      ([logs, shuffled]) => {
        expect(logPageOfAnswer(shuffled, query)).toEqual(logPageOfAnswer(logs, query));
      },
    ),
  );
});

test("a log that comes twice is found wherever it stands", () => {
  fc.assert(
    fc.property(answers, fc.nat(), fc.nat(), (logs, which, where) => {
      fc.pre(logs.length > 0);
      const twice = logs.toSpliced(where % (logs.length + 1), 0, {
        ...logs[which % logs.length],
      } as (typeof logs)[number]);
      expect(() => logPageOfAnswer(twice, query)).toThrow(/comes twice/);
    }),
  );
});

test("a block with a second hash is found wherever it stands", () => {
  fc.assert(
    fc.property(answers, fc.nat(), (logs, which) => {
      fc.pre(logs.length > 0);
      const changed = logs.map((log, place) =>
        place === which % logs.length ? { ...log, blockHash: fakeHash("x") } : log,
      );
      const block = logs[which % logs.length]?.blockNumber;
      fc.pre(logs.filter((log) => log.blockNumber === block).length > 1);
      expect(() => logPageOfAnswer(changed, query)).toThrow(/has two hashes/);
    }),
  );
});
