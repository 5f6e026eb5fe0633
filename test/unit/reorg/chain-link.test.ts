import { describe, expect, test } from "vitest";
import type { BlockHeader } from "../../../src/chain/block.ts";
import { type BrokenLink, ReorgDetected, requireLinked } from "../../../src/reorg/chain-link.ts";

const header = (number: number, fork = "a", parent = fork): BlockHeader => ({
  number,
  hash: `0x${fork}${number}`,
  parentHash: `0x${parent}${number - 1}`,
  timestamp: number,
});

const mainnet = { name: "mainnet", id: 1 };

function brokenLink(known: BlockHeader | undefined, headers: readonly BlockHeader[]): BrokenLink | undefined {
  try {
    requireLinked(mainnet, known, headers);
  } catch (error) {
    if (error instanceof ReorgDetected) return error.link;
    throw error;
  }
  return undefined;
}

describe("headers that follow each other", () => {
  test.each<[string, BlockHeader | undefined, BlockHeader[]]>([
    ["from nothing known", undefined, [header(5), header(6)]],
    ["from the block before", header(4), [header(5), header(6)]],
    ["from the same block again", header(5), [header(5), header(6)]],
    ["none", header(4), []],
    ["with blocks between that nobody knows", header(4), [header(9, "b"), header(20, "c")]],
  ])("%s have no broken link", (_, known, headers) => {
    expect(brokenLink(known, headers)).toBeUndefined();
  });
});

describe("a broken link", () => {
  test("is another block at a height that is known", () => {
    const found = header(5, "b");
    expect(brokenLink(header(5), [found, header(6)])).toEqual({ known: header(5), found });
  });

  test("is a child with another parent", () => {
    expect(brokenLink(header(4), [header(5, "b")])).toEqual({ known: header(4), found: header(5, "b") });
  });

  test("is found among the headers themselves, the first one", () => {
    const headers = [header(5), header(6), header(7, "b"), header(8, "c")];
    expect(brokenLink(header(4), headers)).toEqual({ known: header(6), found: header(7, "b") });
  });

  test("is told with the chain and both blocks", () => {
    expect(() => requireLinked(mainnet, header(4), [header(5, "b")])).toThrow(
      expect.objectContaining({
        constructor: ReorgDetected,
        chain: mainnet,
        link: { known: header(4), found: header(5, "b") },
        message: "mainnet: block 4 was 0xa4; block 5 (0xb5) denies it",
      }),
    );
  });
});
