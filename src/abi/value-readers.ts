import type { AbiType } from "./abi-type.ts";
import { headBytes, isDynamic } from "./abi-type.ts";
import type { AddressTable } from "./address-table.ts";
import { int32At, isOnesAt, isZeroAt } from "./hex-words.ts";
import { compileObject } from "./object-maker.ts";
import { type Reading, type ValueReader, WORD } from "./reading.ts";

/** The largest integers that are plain numbers, as abitype types them. */
const NUMBER_BITS = 48;

/** A frame of one word with an offset in it is refused, even if the offset points at itself: as viem does. */
const DYNAMIC_FRAME = 33;

const words = new Uint32Array(2);
const unsigned = new BigUint64Array(words.buffer);
const signed = new BigInt64Array(words.buffer);
/** As every decoder of the platform: a byte order mark is dropped, what is not UTF-8 becomes U+FFFD. */
const utf8 = new TextDecoder();

/** Makes the reader of a type. */
export function readerOf(type: AbiType, addresses: AddressTable): ValueReader {
  switch (type.kind) {
    case "integer":
      if (type.bits <= NUMBER_BITS) return type.signed ? readSignedNumber : readNumber;
      return type.signed ? readSigned : readUnsigned;
    case "address":
      // High bytes that are not zero are left out of account, as viem does.
      return (reading, at) => addresses.at(reading.text, at + 24);
    case "bool":
      return readBool;
    case "fixedBytes":
      return fixedBytesReader(type.size);
    case "bytes":
      return readBytes;
    case "string":
      return readString;
    case "array":
      return arrayReader(type.element, type.length, addresses);
    case "tuple":
      return tupleReader(type, addresses);
  }
}

/** Lower-case text of `bytes` bytes: values kept by users never hold on to the page's text. */
export function hexText(reading: Reading, at: number, bytes: number): string {
  return `0x${reading.text.toString("latin1", at, at + bytes * 2)}`.toLowerCase();
}

/** Bytes, from the first place of these values on, that must be there before their readers are called. */
export function frameBytes(types: readonly AbiType[]): number {
  let at = 0;
  let bytes = 0;
  for (const type of types) {
    bytes = Math.max(bytes, at + placeBytes(type), isDynamic(type) ? DYNAMIC_FRAME : 0);
    at += headBytes(type);
  }
  return bytes;
}

/** As `headBytes`, but short fixed bytes at the end of the data may lack their padding, as viem allows. */
function placeBytes(type: AbiType): number {
  if (isDynamic(type)) return 32;
  if (type.kind === "fixedBytes") return type.size;
  if (type.kind === "array") return ((type.length ?? 0) - 1) * headBytes(type.element) + placeBytes(type.element);
  if (type.kind === "tuple") return frameBytes(type.components.map((component) => component.type));
  return 32;
}

function lowWord(view: DataView, at: number): void {
  words[0] = int32At(view, at + 56);
  words[1] = int32At(view, at + 48);
}

function readUnsigned({ view }: Reading, at: number): bigint {
  lowWord(view, at);
  const low = unsigned[0] as bigint;
  return isZeroAt(view, at, 48) ? low : withHighWords(view, at, low);
}

function readSigned({ view }: Reading, at: number): bigint {
  lowWord(view, at);
  if (isZeroAt(view, at, 48)) return unsigned[0] as bigint;
  const low = signed[0] as bigint;
  if (low < 0n && isOnesAt(view, at, 48)) return low;
  return BigInt.asIntN(256, withHighWords(view, at, unsigned[0] as bigint));
}

function withHighWords(view: DataView, at: number, low: bigint): bigint {
  words[0] = int32At(view, at + 40);
  words[1] = int32At(view, at + 32);
  const upTo128 = ((unsigned[0] as bigint) << 64n) | low;
  if (isZeroAt(view, at, 32)) return upTo128;
  words[0] = int32At(view, at + 8);
  words[1] = int32At(view, at);
  const top = unsigned[0] as bigint;
  words[0] = int32At(view, at + 24);
  words[1] = int32At(view, at + 16);
  return (((top << 64n) | (unsigned[0] as bigint)) << 128n) | upTo128;
}

/** The whole word counts, as for viem: bits above the type's width are not cut off. */
function readNumber(reading: Reading, at: number): number {
  const { view } = reading;
  const value = isZeroAt(view, at, 48) ? unsignedLow(view, at) : Number.POSITIVE_INFINITY;
  if (!Number.isSafeInteger(value)) reading.fail("integer", "an integer of at most 48 bits is larger than a number");
  return value;
}

function readSignedNumber(reading: Reading, at: number): number {
  const { view } = reading;
  if (!isOnesAt(view, at, 48)) return readNumber(reading, at);
  const value = int32At(view, at + 48) * 2 ** 32 + (int32At(view, at + 56) >>> 0);
  if (value >= 0 || !Number.isSafeInteger(value)) {
    reading.fail("integer", "an integer of at most 48 bits is larger than a number");
  }
  return value;
}

function unsignedLow(view: DataView, at: number): number {
  return (int32At(view, at + 48) >>> 0) * 2 ** 32 + (int32At(view, at + 56) >>> 0);
}

function readBool(reading: Reading, at: number): boolean {
  const value = isZeroAt(reading.view, at, 56) ? int32At(reading.view, at + 56) : -1;
  if (value !== 0 && value !== 1) reading.fail("bool", "a bool is neither 0 nor 1");
  return value === 1;
}

function fixedBytesReader(size: number): ValueReader {
  return (reading, at) => hexText(reading, at, size);
}

function readBytes(reading: Reading, at: number, frame: number): string {
  const start = reading.tailOf(at, frame);
  const length = payloadLength(reading, start);
  return hexText(reading, start + WORD, length);
}

function readString(reading: Reading, at: number, frame: number): string {
  const start = reading.tailOf(at, frame);
  const length = payloadLength(reading, start);
  if (length === 0) return "";
  return utf8.decode(Buffer.from(reading.text.toString("latin1", start + WORD, start + WORD + length * 2), "hex"));
}

function payloadLength(reading: Reading, start: number): number {
  const length = reading.lengthAt(start);
  reading.need(start + WORD, length, "length");
  reading.spendBytes(length);
  return length;
}

function arrayReader(element: AbiType, length: number | undefined, addresses: AddressTable): ValueReader {
  const read = readerOf(element, addresses);
  const stride = headBytes(element);
  const last = placeBytes(element);
  const atLeast = isDynamic(element) ? DYNAMIC_FRAME : 0;

  const readElements = (reading: Reading, from: number, count: number): readonly unknown[] => {
    const values: unknown[] = [];
    for (let index = 0; index < count; index++) values.push(read(reading, from + index * stride * 2, from));
    return Object.freeze(values);
  };
  const readTail = (reading: Reading, from: number, count: number): readonly unknown[] => {
    if (count > 0) {
      reading.need(from, Math.max((count - 1) * stride + last, atLeast), "length");
      reading.spendWords((count * stride) / 32);
    }
    return readElements(reading, from, count);
  };

  if (length === undefined) {
    return (reading, at, frame) => {
      const start = reading.tailOf(at, frame);
      return readTail(reading, start + WORD, reading.lengthAt(start));
    };
  }
  if (isDynamic(element)) return (reading, at, frame) => readTail(reading, reading.tailOf(at, frame), length);
  return (reading, at) => readElements(reading, at, length);
}

function tupleReader(type: AbiType & { kind: "tuple" }, addresses: AddressTable): ValueReader {
  let digits = 0;
  const members = type.components.map((component) => {
    const member = { name: component.name, read: readerOf(component.type, addresses), at: `at + ${digits}` };
    digits += headBytes(component.type) * 2;
    return member;
  });
  const readMembers = compileObject<ValueReader>("reading, at", members, "at");
  if (!isDynamic(type)) return readMembers;
  const bytes = frameBytes(type.components.map((component) => component.type));
  return (reading, at, frame) => {
    const start = reading.tailOf(at, frame);
    reading.need(start, bytes);
    reading.spendWords(digits / WORD);
    return readMembers(reading, start, start);
  };
}
