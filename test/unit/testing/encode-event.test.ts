import fc from "fast-check";
import { encodeAbiParameters } from "viem";
import { describe, expect, test } from "vitest";
import { AddressTable } from "../../../src/abi/address-table.ts";
import { compileDecoder } from "../../../src/abi/decoder.ts";
import type { EventAbi } from "../../../src/abi/event-abi.ts";
import { parseEvents } from "../../../src/abi/parse-abi.ts";
import { encodeEvent } from "../../../src/testing/encode-event.ts";
import { eventLog } from "../../support/abi-arbitraries.ts";
import { pageOf } from "../../support/log-pages.ts";

const eventOf = (signature: string): EventAbi => parseEvents([signature], "abi")[0] as EventAbi;

describe("an encoded event", () => {
  test("is what viem encodes, for whatever the decoder gives of it", () => {
    fc.assert(
      fc.property(eventLog, ({ event, log }) => {
        const args = compileDecoder(event, new AddressTable()).decode(pageOf(log), 0);
        expect(encodeEvent(event, args)).toEqual(log);
      }),
      { numRuns: 300 },
    );
  });

  test("takes hex of any case", () => {
    const event = eventOf("event E(address indexed a, bytes b)");
    const address = "0xAbCdEfABCDEF00000000000000000000000000AA";
    expect(encodeEvent(event, { a: address, b: "0xFF" })).toEqual({
      topics: [event.topic, `0x${address.slice(2).toLowerCase().padStart(64, "0")}`],
      data: encodeAbiParameters([{ type: "bytes" }], ["0xff"]),
    });
  });

  test.each([
    ["uint8 v", 256, "E args.v = 256"],
    ["uint256 v", -1n, "E args.v = -1n"],
    ["int8 v", -129, "E args.v = -129"],
    ["uint256 v", 1.5, "E args.v = 1.5"],
    ["uint256 v", "1", 'E args.v = "1"'],
    ["bool v", 1, "E args.v = 1"],
    ["address v", "0x12", 'E args.v = "0x12"'],
    ["bytes4 v", "0x1234567", 'E args.v = "0x1234567"'],
    ["bytes v", "0x123", 'E args.v = "0x123"'],
    ["string v", 5, "E args.v = 5"],
    ["uint8[2] v", [1], "E args.v = [1]"],
    ["uint8[] v", [1, 2, 300], "E args.v[2] = 300"],
    ["(uint8 x, bool y) v", { x: 1, y: 2 }, "E args.v.y = 2"],
    ["(uint8 x, bool y) v", 7, "E args.v = 7"],
    ["string indexed v", "plain text", 'E args.v = "plain text"'],
    ["uint8 v", undefined, "E args.v = undefined"],
  ])("of %s refuses %o", (parameter, value, message) => {
    expect(() => encodeEvent(eventOf(`event E(${parameter})`), { v: value })).toThrow(
      expect.objectContaining({ code: "TEST_INPUT_INVALID", message }),
    );
  });

  test("refuses an argument that the event does not have", () => {
    expect(() => encodeEvent(eventOf("event E(bool v)"), { v: true, w: 1 })).toThrow("E has no argument w");
  });
});
