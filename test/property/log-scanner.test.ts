import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Address, Hash } from "../../src/chain/hex.ts";
import { hexAt, type LogPage } from "../../src/chain/log-page.ts";
import { AskedTexts } from "../../src/source/asked-texts.ts";
import { logPageOfAnswer } from "../../src/source/log-answer.ts";
import { scanLogs } from "../../src/source/log-scanner.ts";
import type { LogQuery } from "../../src/source/source.ts";
import { changed, changesOf } from "../support/broken-text.ts";
import { fakeAddress, fakeHash } from "../support/fake-chain.ts";

const QUERY: LogQuery = {
  fromBlock: 100,
  toBlock: 109,
  addresses: [1, 2, 3].map((n) => fakeAddress(n) as Address),
  topics: [0, 1].map((n) => fakeHash("topic", n) as Hash),
};

const hexCase = fc.constantFrom(
  (text: string) => text,
  (text: string) => `0x${text.slice(2).toUpperCase()}`,
);

/** What a log says, in its place; blocks agree with themselves. */
const facts = fc.record({
  block: fc.integer({ min: 100, max: 109 }),
  index: fc.nat(60),
  address: fc.integer({ min: 1, max: 3 }),
  topics: fc.array(fc.nat(9), { maxLength: 3 }),
  data: fc.uint8Array({ maxLength: 70 }),
  withCase: hexCase,
});

type Facts = typeof facts extends fc.Arbitrary<infer T> ? T : never;
type Json = Record<string, unknown>;

/** Keys that a log may have besides. */
const extras = fc.dictionary(
  fc.constantFrom("l1BatchNumber", "addressX", "removedBy", "", "ключ", "__proto__"),
  fc.oneof(fc.constant(null), fc.boolean(), fc.nat(), fc.constantFrom("0x1", "a ü z", "")),
  { maxKeys: 3 },
);

function logOf(facts: Facts, hasTimestamps: boolean): Json {
  const { block, index, address, topics, data, withCase } = facts;
  return {
    address: withCase(fakeAddress(address)),
    topics: [fakeHash("topic", index % 2), ...topics.map((topic) => fakeHash("value", topic))].map(withCase),
    data: withCase(`0x${Buffer.from(data).toString("hex")}`),
    blockNumber: `0x${block.toString(16)}`,
    blockHash: fakeHash(block),
    transactionHash: withCase(fakeHash(block, index)),
    transactionIndex: `0x${Math.floor(index / 3).toString(16)}`,
    logIndex: `0x${index.toString(16)}`,
    removed: false,
    ...(hasTimestamps ? { blockTimestamp: `0x${(1_700_000_000 + block).toString(16)}` } : {}),
  };
}

/** An object with its keys in another order. */
function reordered(object: Json, order: readonly number[]): Json {
  const keys = Object.keys(object);
  const places = keys.map((key, place) => ({ key, at: order[place % order.length] ?? 0 }));
  return Object.fromEntries(places.sort((a, b) => a.at - b.at).map(({ key }) => [key, object[key]]));
}

/** Members that make something else of the object that they are put into. */
const MEMBERS = [
  '"logIndex":"0x5",',
  '"blockNumber":"0x65",',
  '"address":null,',
  '"removed":true,',
  '"removed":null,',
  '"blockTimestamp":null,',
  '"blockTimestamp":"0x0",',
  '"blockTimestamp":"0x65",',
  '"blockTimestamp":"0x0000000000000065",',
  '"topics":[],',
  '"data":"0x0",',
  '"unknown":[1],',
  '"unknown":"\\"",',
  '"result":[],',
  '"id":2,',
  '"error":{"code":1},',
];

interface Answer {
  readonly text: string;
}

/** Answers as nodes may send them: any order of keys, any white space, unknown keys. */
const answers: fc.Arbitrary<Answer> = fc
  .record({
    all: fc.uniqueArray(facts, { selector: ({ block, index }) => `${block}/${index}`, maxLength: 12 }),
    hasTimestamps: fc.boolean(),
    order: fc.array(fc.nat(20), { minLength: 1, maxLength: 12 }),
    extra: extras,
    indent: fc.constantFrom(undefined, undefined, 1, "\t", "\r\n "),
    envelope: fc.array(fc.nat(9), { minLength: 1, maxLength: 3 }),
  })
  .map(({ all, hasTimestamps, order, extra, indent, envelope }) => {
    const sorted = all.toSorted((a, b) => a.block - b.block || a.index - b.index);
    const result = sorted.map((log) => reordered({ ...logOf(log, hasTimestamps), ...extra }, order));
    return { text: JSON.stringify(reordered({ jsonrpc: "2.0", id: 1, result }, envelope), undefined, indent) };
  });

/** The page as its readers see it: texts, not offsets. */
function contentOf(page: LogPage): unknown {
  return Array.from({ length: page.count }, (_, row) => ({
    block: page.blockNumber[row],
    timestamp: page.blockTimestamp[row],
    logIndex: page.logIndex[row],
    transactionIndex: page.transactionIndex[row],
    address: hexAt(page, page.address[row] as number, 40),
    blockHash: hexAt(page, page.blockHash[row] as number, 64),
    transactionHash: hexAt(page, page.transactionHash[row] as number, 64),
    topics: Array.from({ length: page.topicCount[row] as number }, (_, topic) =>
      hexAt(page, page.topics[row * 4 + topic] as number, 64),
    ),
    data: hexAt(page, page.data[row] as number, (page.dataBytes[row] as number) * 2),
  }));
}

/** The other way to read an answer to the call with the id 1; undefined: it is refused. */
function parsed(body: Buffer, query: LogQuery): LogPage | undefined {
  try {
    const { id, error, result } = JSON.parse(body.toString("utf8")) as Json;
    return id === 1 && (error === undefined || error === null) ? logPageOfAnswer(result, query) : undefined;
  } catch {
    return undefined;
  }
}

/** What the scanner reads is what parsing reads; and what parsing refuses, the scanner does not read. */
function expectAgreement(body: Buffer, query: LogQuery): LogPage | undefined {
  const scanned = scanLogs(body, query);
  if (scanned === undefined) return undefined;
  const expected = parsed(body, query);
  expect(expected && contentOf(expected), body.toString()).toEqual(contentOf(scanned));
  return scanned;
}

describe("the scanner of logs", () => {
  test("reads every well-formed answer, and reads what JSON.parse would", () => {
    fc.assert(
      fc.property(answers, ({ text }) => {
        expect(expectAgreement(Buffer.from(text), QUERY), text).toBeDefined();
      }),
      { numRuns: 500 },
    );
  });

  test("reads nothing that parsing would refuse or read otherwise, whatever bytes are changed, cut or put in", () => {
    fc.assert(
      fc.property(answers, changesOf(MEMBERS), ({ text }, changes) => {
        expectAgreement(changed(Buffer.from(text), changes), QUERY);
      }),
      { numRuns: 3_000 },
    );
  });

  test("reads no answer that ends early, at whatever byte", () => {
    const [answer] = fc.sample(
      answers.filter(({ text }) => text.length > 2_000),
      { numRuns: 1, seed: 1 },
    );
    const body = Buffer.from((answer as Answer).text);
    for (let end = 0; end < body.length; end++) expect(scanLogs(body.subarray(0, end), QUERY)).toBeUndefined();
  });

  const plain = { block: 100, index: 0, address: 1, topics: [], data: new Uint8Array(3) };
  const member = JSON.stringify(logOf({ ...plain, withCase: (text) => text }, false)).slice(1, -1);
  const answer = (log: string, id = "1"): string => `{"jsonrpc":"2.0","id":${id},"result":[{${log}}]}`;

  test.each([
    ["a timestamp of more digits than a number has", answer(`${member},"blockTimestamp":"0x00000000000000065"`)],
    ["an id that only begins with the call's", answer(member, "12")],
    ["an id that is another number", answer(member, "1.5")],
    ["a number that begins with zero", answer(`${member},"unknown":01`)],
    ["a text with a control character", answer(`${member},"unknown":"\n"`)],
    ["a second list that is no list", answer(member).replace("}]}", '}],"result":1}')],
  ])("leaves %s to parsing", (_, text) => {
    expect(expectAgreement(Buffer.from(text), QUERY)).toBeUndefined();
  });

  test("takes a text for one that was asked for by all of its digits", () => {
    const body = Buffer.from("aaaa1234bbbb1234aaaa1234AAAA1234");
    const asked = new AskedTexts(body, new DataView(body.buffer, body.byteOffset, body.length), ["0xaaaa1234"]);
    expect([0, 8, 16, 24].map((offset) => asked.has(offset))).toEqual([true, false, true, true]);
  });

  test.each([
    ["a log of another block", { fromBlock: 101 }],
    ["a log of another address", { addresses: [fakeAddress(9) as Address] }],
    ["a log of another topic", { topics: [fakeHash("topic", 9) as Hash] }],
  ] as const)("does not read %s than was asked for", (_, other: Partial<LogQuery>) => {
    const body = Buffer.from(answer(member));
    expect(scanLogs(body, QUERY)?.count).toBe(1);
    expect(scanLogs(body, { ...QUERY, ...other })).toBeUndefined();
  });
});
