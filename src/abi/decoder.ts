import type { LogPage } from "../chain/log-page.ts";
import { abiTypeOf, headBytes } from "./abi-type.ts";
import type { AddressTable } from "./address-table.ts";
import type { EventAbi, ParameterAbi } from "./event-abi.ts";
import { compileObject, type Member } from "./object-maker.ts";
import { type LogShape, Reading, type ValueReader } from "./reading.ts";
import { frameBytes, hexText, readerOf } from "./value-readers.ts";

/** The arguments of an event by name, in the order of the ABI; deeply frozen. */
export type EventArgs = Readonly<Record<string, unknown>>;

export interface EventDecoder {
  readonly event: EventAbi;
  /**
   * Decodes a log that has the event's first topic (the caller's choice of this decoder is not checked).
   * @throws UndecodableLog
   */
  decode(page: LogPage, row: number): EventArgs;
}

/** Decoding is synchronous and does not nest: one reading serves all decoders, and keeps one page alive at most. */
const reading = new Reading();

/**
 * Compiles the decoder of an event.
 *
 * Values are those of abitype's types: integers of up to 48 bits are numbers, larger ones bigints; addresses and bytes
 * are lower-case hex; tuples are objects, or arrays when a component has no name; an indexed string, bytes, array or
 * tuple is the 32-byte topic that stands for it.
 *
 * It takes the logs that viem's `decodeEventLog` takes, and gives the same values. So, as there, data may be longer than
 * needed, high bytes of an address are ignored, an integer counts with all bits of its word (one of up to 48 bits must
 * then fit a number), a bool must be 0 or 1, and padding of bytes is not looked at. Meant differences:
 * - the log must have exactly the event's topics, where viem takes more: with other indexed parameters than the ABI's,
 *   values would come out wrong instead of not at all;
 * - data that end before the last parameter's place are refused, also where viem would read another word in its stead;
 * - values that share data may cost 8192 words in all beyond those of the data, where viem counts places read again.
 */
export function compileDecoder(event: EventAbi, addresses: AddressTable): EventDecoder {
  const inData = event.inputs.filter((input) => !input.indexed).map(typeOf);
  const firstTopic = event.anonymous ? 0 : 1;
  const shape: LogShape = {
    signature: event.signature,
    topics: firstTopic + event.inputs.length - inData.length,
    minBytes: inData.length === 0 ? 0 : Math.max(32, frameBytes(inData)),
  };
  const readArgs = compileObject<(reading: Reading, topics: Uint32Array, first: number) => EventArgs>(
    "reading, topics, first",
    membersOf(event, firstTopic, addresses),
    "reading.start",
  );
  return {
    event,
    decode: (page, row) => {
      reading.open(shape, page, row);
      return readArgs(reading, page.topics, row * 4);
    },
  };
}

function membersOf(event: EventAbi, firstTopic: number, addresses: AddressTable): Member[] {
  let topic = firstTopic;
  let digits = 0;
  return event.inputs.map((input) => {
    const type = typeOf(input);
    if (input.indexed) {
      const hashed = ["string", "bytes", "array", "tuple"].includes(type.kind);
      return {
        name: input.name,
        read: hashed ? readHash : readerOf(type, addresses),
        at: `topics[first + ${topic++}]`,
      };
    }
    const member = { name: input.name, read: readerOf(type, addresses), at: `reading.start + ${digits}` };
    digits += headBytes(type) * 2;
    return member;
  });
}

function typeOf(parameter: ParameterAbi): ReturnType<typeof abiTypeOf> {
  return abiTypeOf(parameter.type, parameter.components);
}

const readHash: ValueReader = (reading, at) => hexText(reading, at, 32);
