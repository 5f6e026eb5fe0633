import { type AbiType, abiTypeOf, headBytes, isDynamic } from "../abi/abi-type.ts";
import type { EventAbi } from "../abi/event-abi.ts";
import type { Hex } from "../chain/hex.ts";
import { SpindexError } from "../errors.ts";
import { show } from "../store/column-check.ts";

/** What a log carries of its event. */
export interface EncodedEvent {
  readonly topics: readonly Hex[];
  readonly data: Hex;
}

/** A value and its type, on the way to the data. */
interface Part {
  readonly type: AbiType;
  readonly value: unknown;
  /** Names it in errors. */
  readonly place: string;
}

/** Types that do not fit a topic: the hash that stands for the value is given instead, as handlers get it. */
const HASHED: readonly AbiType["kind"][] = ["string", "bytes", "array", "tuple"];
const HASH: AbiType = { kind: "fixedBytes", size: 32 };

/**
 * Encodes a log's topics and data: the inverse of the decoder.
 * @param args as handlers get them, by name; addresses and bytes may be of any case
 * @throws SpindexError TEST_INPUT_INVALID that names the argument
 */
export function encodeEvent(event: EventAbi, args: Readonly<Record<string, unknown>>): EncodedEvent {
  const parts = event.inputs.map((input) => ({
    indexed: input.indexed,
    type: abiTypeOf(input.type, input.components),
    value: args[input.name],
    place: `${event.key} args.${input.name}`,
  }));
  const unknown = Object.keys(args).filter((name) => !event.inputs.some((input) => input.name === name));
  if (unknown.length > 0) {
    const names = event.inputs.map(({ name }) => name).join(", ");
    throw invalid(`${event.key} has no argument ${unknown.join(", ")}`, `Its arguments are ${names}.`);
  }
  const topics = parts
    .filter(({ indexed }) => indexed)
    .map((part): Hex => `0x${encodeValue(HASHED.includes(part.type.kind) ? { ...part, type: HASH } : part)}`);
  const data = encodeSequence(parts.filter(({ indexed }) => !indexed));
  return { topics: event.anonymous ? topics : [event.topic, ...topics], data: `0x${data}` };
}

/** Values one after the other; those of no fixed size lie behind, and their places hold the way to them. */
function encodeSequence(parts: readonly Part[]): string {
  const headSize = parts.reduce((sum, { type }) => sum + headBytes(type), 0);
  let head = "";
  let tail = "";
  for (const part of parts) {
    if (!isDynamic(part.type)) head += encodeValue(part);
    else {
      head += word(BigInt(headSize + tail.length / 2));
      tail += encodeValue(part);
    }
  }
  return head + tail;
}

function encodeValue(part: Part): string {
  const { type, value, place } = part;
  switch (type.kind) {
    case "integer":
      return encodeInteger(type, value, place);
    case "bool":
      if (typeof value !== "boolean") throw refused(part, "true or false");
      return word(value ? 1n : 0n);
    case "address":
      return hexDigits(part, 20, "an address: 0x and 40 hex digits").padStart(64, "0");
    case "fixedBytes":
      return padded(hexDigits(part, type.size, `0x and ${type.size * 2} hex digits`));
    case "bytes":
      return sized(hexDigits(part, undefined, "0x and pairs of hex digits"));
    case "string":
      if (typeof value !== "string") throw refused(part, "a string");
      return sized(Buffer.from(value, "utf8").toString("hex"));
    case "array": {
      if (!Array.isArray(value) || value.length !== (type.length ?? value.length)) {
        throw refused(part, `an array${type.length === undefined ? "" : ` of ${type.length}`}`);
      }
      const elements = value.map((item, index) => ({ type: type.element, value: item, place: `${place}[${index}]` }));
      return (type.length === undefined ? word(BigInt(value.length)) : "") + encodeSequence(elements);
    }
    case "tuple":
      return encodeSequence(componentsOf(type, part));
  }
}

/** A tuple is an object, or an array when a component has no name. */
function componentsOf({ components }: AbiType & { readonly kind: "tuple" }, part: Part): readonly Part[] {
  const { value, place } = part;
  if (typeof value !== "object" || value === null) throw refused(part, "an object or an array of the tuple's parts");
  return components.map(({ name, type }, index) => {
    const at = Array.isArray(value) ? String(index) : name;
    return { type, value: (value as Readonly<Record<string, unknown>>)[at], place: `${place}.${at}` };
  });
}

function encodeInteger(
  { signed, bits }: AbiType & { readonly kind: "integer" },
  value: unknown,
  place: string,
): string {
  const isInteger = typeof value === "bigint" || (typeof value === "number" && Number.isSafeInteger(value));
  const integer = isInteger ? BigInt(value) : undefined;
  const fits = (signed ? BigInt.asIntN : BigInt.asUintN)(bits, integer ?? 0n) === integer;
  if (integer === undefined || !fits) {
    throw refused({ value, place }, `an integer of ${signed ? "int" : "uint"}${bits}`);
  }
  return word(BigInt.asUintN(256, integer));
}

function hexDigits(part: Part, bytes: number | undefined, expected: string): string {
  const digits = typeof part.value === "string" ? /^0x((?:[0-9a-f]{2})*)$/i.exec(part.value)?.[1] : undefined;
  if (digits === undefined || (bytes !== undefined && digits.length !== bytes * 2)) throw refused(part, expected);
  return digits.toLowerCase();
}

function word(value: bigint): string {
  return value.toString(16).padStart(64, "0");
}

/** Up to a whole number of words. */
function padded(digits: string): string {
  return digits.padEnd(Math.ceil(digits.length / 64) * 64, "0");
}

function sized(digits: string): string {
  return word(BigInt(digits.length / 2)) + padded(digits);
}

function refused({ place, value }: Pick<Part, "place" | "value">, expected: string): SpindexError {
  return invalid(`${place} = ${show(value)}`, `Give ${expected}.`);
}

export function invalid(message: string, fix: string): SpindexError {
  return new SpindexError("TEST_INPUT_INVALID", message, { fix });
}
