import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { BlockHeader } from "../../src/chain/block.ts";
import { headerOf } from "../../src/source/header-answer.ts";
import { scanHeaders } from "../../src/source/header-scanner.ts";
import { readAnswer } from "../../src/source/json-rpc.ts";
import { changed, changesOf } from "../support/broken-text.ts";
import { fakeHash } from "../support/fake-chain.ts";

type Json = Record<string, unknown>;

const block = fc.record({
  exists: fc.boolean(),
  upper: fc.boolean(),
  order: fc.nat(7),
  extra: fc.dictionary(fc.constantFrom("gasUsed", "logsBloom", "numberOf", "uncles"), fc.jsonValue({ maxDepth: 3 }), {
    maxKeys: 3,
  }),
});

interface Answer {
  readonly numbers: readonly number[];
  readonly text: string;
}

const answers: fc.Arbitrary<Answer> = fc
  .record({
    blocks: fc.array(block, { minLength: 1, maxLength: 4 }),
    first: fc.nat(2 ** 33),
    shuffle: fc.array(fc.nat(9), { minLength: 4, maxLength: 4 }),
    indent: fc.constantFrom(undefined, undefined, 2, "\t"),
  })
  .map(({ blocks, first, shuffle, indent }) => {
    const numbers = blocks.map((_, at) => first + at);
    const envelopes = blocks.map(({ exists, upper, order, extra }, at) => {
      const hash = fakeHash("block", first + at);
      const result = {
        ...extra,
        number: `0x${(first + at).toString(16)}`,
        hash: upper ? `0x${hash.slice(2).toUpperCase()}` : hash,
        parentHash: fakeHash("block", first + at - 1),
        timestamp: `0x${(1_700_000_000 + at).toString(16)}`,
        transactions: [fakeHash("tx", at), fakeHash("tx", at + 1)],
      };
      return rotated({ jsonrpc: "2.0", id: at + 1, result: exists ? rotated(result, order) : null }, order);
    });
    const order = envelopes.map((envelope, at) => ({ envelope, at: shuffle[at] ?? 0 }));
    const shuffled = order.sort((a, b) => a.at - b.at).map(({ envelope }) => envelope);
    return { numbers, text: JSON.stringify(shuffled.length === 1 ? shuffled[0] : shuffled, undefined, indent) };
  });

function rotated(object: Json, by: number): Json {
  const keys = Object.keys(object);
  return Object.fromEntries(
    keys.map((_, at) => keys[(at + by) % keys.length] as string).map((key) => [key, object[key]]),
  );
}

/** The other way to read the answer; "refused": it cannot be read. */
function parsed(body: Buffer, numbers: readonly number[]): readonly (BlockHeader | undefined)[] | "refused" {
  try {
    const said = readAnswer({ status: 200, body, retryAfter: undefined, excerpt: () => "" }, numbers.length);
    if ("error" in said) return "refused";
    return said.outcomes.map((outcome, place) => {
      if ("error" in outcome) throw new Error(outcome.error.message);
      return outcome.result === null ? undefined : headerOf(outcome.result, numbers[place]);
    });
  } catch {
    return "refused";
  }
}

/** Members that make something else of the object that they are put into. */
const MEMBERS = [
  '"number":"0x1",',
  '"hash":null,',
  '"parentHash":"0x12",',
  '"timestamp":"0xfffffffffffffffff",',
  '"timestamp":12,',
  '"error":{"code":1},',
  '"id":3,',
  '"id":"1",',
  '"result":null,',
  '"a":[1,{"b":"c"}],',
  '"a":01,',
  '"a":[1,],',
  '"a":1.5e3,',
];

describe("the scanner of headers", () => {
  test("reads what parsing would, of every answer without escapes and fractions", () => {
    fc.assert(
      fc.property(answers, ({ numbers, text }) => {
        const scanned = scanHeaders(Buffer.from(text), numbers);
        const isPlain = !/\\|\d[.eE]|-|\d{16}/.test(text);
        if (isPlain) expect(scanned, text).toBeDefined();
        if (scanned !== undefined) expect(scanned).toEqual(parsed(Buffer.from(text), numbers));
      }),
      { numRuns: 500 },
    );
  });

  test("reads nothing that parsing would refuse or read otherwise, whatever bytes are changed, cut or put in", () => {
    fc.assert(
      fc.property(answers, changesOf(MEMBERS), ({ numbers, text }, changes) => {
        const body = changed(Buffer.from(text), changes);
        const scanned = scanHeaders(body, numbers);
        if (scanned !== undefined) expect(parsed(body, numbers), body.toString()).toEqual(scanned);
      }),
      { numRuns: 3_000 },
    );
  });

  test("leaves the block of another number to parsing, which refuses it", () => {
    const header = { number: "0x5", hash: fakeHash(5), parentHash: fakeHash(4), timestamp: "0x1" };
    const body = Buffer.from(JSON.stringify({ jsonrpc: "2.0", id: 1, result: header }));
    expect(scanHeaders(body, [5])).toEqual([{ ...header, number: 5, timestamp: 1 }]);
    expect(scanHeaders(body, [6])).toBeUndefined();
  });
});
