import { readdirSync, readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { AddressTable } from "../../../src/abi/address-table.ts";
import { compileDecoder } from "../../../src/abi/decoder.ts";
import type { EventAbi } from "../../../src/abi/event-abi.ts";
import { parseEvents } from "../../../src/abi/parse-abi.ts";
import { UndecodableLog } from "../../../src/abi/undecodable-log.ts";
import { pageOf } from "../../support/log-pages.ts";
import { type RawLog, viemArgs } from "../../support/viem-oracle.ts";

const DATA = new URL("../../data/", import.meta.url);

/** Contracts that the ABI files do not cover; each has its own list, as some signatures are in several. */
const SIGNATURES = [
  [
    "event Transfer(address indexed from, address indexed to, uint256 indexed tokenId)",
    "event Approval(address indexed owner, address indexed approved, uint256 indexed tokenId)",
  ],
  ["event Transfer(address from, address to, uint256 tokenId)"],
  [
    "event Sync(uint112 reserve0, uint112 reserve1)",
    "event Swap(address indexed sender, uint amount0In, uint amount1In, uint amount0Out, uint amount1Out, address indexed to)",
  ],
  [
    "event NameRegistered(string name, bytes32 indexed label, address indexed owner, uint256 cost, uint256 expires)",
    "event NameRenewed(string name, bytes32 indexed label, uint256 cost, uint256 expires)",
    "event NameChanged(bytes32 indexed node, string name)",
    "event TextChanged(bytes32 indexed node, string indexed indexedKey, string key)",
    "event NameWrapped(bytes32 indexed node, bytes name, address owner, uint32 fuses, uint64 expiry)",
  ],
];

interface LogLine extends RawLog {
  readonly address: string;
}

function linesOf(file: string): unknown[] {
  const text = gunzipSync(readFileSync(new URL(file, DATA))).toString("utf8");
  return text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
}

function realLogs(): LogLine[] {
  const blocks = linesOf("etl-blocks.ndjson.gz") as { logs: LogLine[] }[];
  const odd = linesOf("edge-logs.ndjson.gz") as { log: LogLine }[];
  return [...blocks.flatMap((block) => block.logs), ...odd.map((line) => line.log)];
}

function knownEvents(): EventAbi[] {
  const files = readdirSync(new URL("abi/", DATA)).filter((file) => file.endsWith(".json"));
  const fromFiles = files.flatMap((file) =>
    parseEvents(JSON.parse(readFileSync(new URL(`abi/${file}`, DATA), "utf8")) as unknown[], file),
  );
  return [...fromFiles, ...SIGNATURES.flatMap((list) => parseEvents(list, "signatures"))];
}

describe("logs of real blocks", () => {
  const logs = realLogs();
  const events = knownEvents();

  test("decode to what viem makes of them, each with every event that it may be", () => {
    const addresses = new AddressTable();
    const page = pageOf(...logs);
    const decodedBy = new Map<string, number>();
    const refused = new Map<string, number>();
    for (const event of events) {
      const decoder = compileDecoder(event, addresses);
      logs.forEach((log, row) => {
        if (!event.anonymous && log.topics[0] !== event.topic) return;
        const theirs = viemArgs(event, log);
        try {
          expect(decoder.decode(page, row)).toStrictEqual(theirs);
          decodedBy.set(event.name, (decodedBy.get(event.name) ?? 0) + 1);
        } catch (error) {
          if (!(error instanceof UndecodableLog)) throw error;
          // More topics than the event has are no matter to viem.
          if (error.reason !== "topic_count") expect(theirs).toBeUndefined();
          refused.set(error.reason, (refused.get(error.reason) ?? 0) + 1);
        }
      });
    }
    expect(Object.fromEntries([...decodedBy])).toEqual({
      Approval: 580,
      ApprovalForAll: 2,
      Deposit: 30,
      LOG_CALL: 18,
      NameChanged: 2,
      NameRegistered: 4,
      NameRenewed: 4,
      NameWrapped: 1,
      OwnershipTransferred: 1,
      Swap: 79,
      Sync: 69,
      TextChanged: 1,
      Transfer: 1515,
      Withdrawal: 31,
    });
    expect(Object.fromEntries(refused)).toEqual({ topic_count: 2365, data_short: 67, offset: 11 });
  });
});
