import fc from "fast-check";
import { type AbiParameter, encodeAbiParameters, type Hex } from "viem";
import type { EventAbi } from "../../src/abi/event-abi.ts";
import { parseEvents } from "../../src/abi/parse-abi.ts";
import type { RawLog } from "./viem-oracle.ts";

/** A parameter of a JSON ABI, and values for it. */
interface Typed {
  readonly type: string;
  readonly components?: readonly AbiParameter[];
  readonly value: fc.Arbitrary<unknown>;
}

const bits = fc.integer({ min: 1, max: 32 }).map((bytes) => bytes * 8);

const uint = bits.map((size): Typed => ({ type: `uint${size}`, value: integer(size, 0n, 2n ** BigInt(size) - 1n) }));
const int = bits.map((size): Typed => {
  const half = 2n ** BigInt(size - 1);
  return { type: `int${size}`, value: integer(size, -half, half - 1n) };
});
const fixedBytes = fc
  .integer({ min: 1, max: 32 })
  .map((size): Typed => ({ type: `bytes${size}`, value: hex(size, size) }));
const plain: fc.Arbitrary<Typed> = fc.oneof(
  uint,
  int,
  fixedBytes,
  fc.constantFrom<Typed>(
    { type: "address", value: hex(20, 20) },
    { type: "bool", value: fc.boolean() },
    { type: "bytes", value: hex(0, 70) },
    { type: "string", value: fc.string({ unit: "binary", maxLength: 40 }) },
  ),
);

/** viem takes numbers for up to 48 bits. */
function integer(size: number, min: bigint, max: bigint): fc.Arbitrary<unknown> {
  const small = fc.bigInt({ min: min < -300n ? -300n : min, max: max > 300n ? 300n : max });
  const value = fc.oneof(fc.bigInt({ min, max }), small, fc.constantFrom(min, max));
  return size <= 48 ? value.map(Number) : value;
}

function hex(minBytes: number, maxBytes: number): fc.Arbitrary<Hex> {
  const bytes = fc.uint8Array({ minLength: minBytes, maxLength: maxBytes });
  return bytes.map((value): Hex => `0x${Buffer.from(value).toString("hex")}`);
}

/** Types of at most `depth` arrays and tuples in each other. */
function typed(depth: number): fc.Arbitrary<Typed> {
  if (depth === 0) return plain;
  return fc.oneof({ weight: 3, arbitrary: plain }, array(typed(depth - 1)), tuple(typed(depth - 1)));
}

function array(element: fc.Arbitrary<Typed>): fc.Arbitrary<Typed> {
  return fc.tuple(element, fc.option(fc.integer({ min: 1, max: 3 }))).map(([inner, length]) => ({
    ...inner,
    type: `${inner.type}[${length ?? ""}]`,
    value: fc.array(inner.value, length === null ? { maxLength: 3 } : { minLength: length, maxLength: length }),
  }));
}

function tuple(component: fc.Arbitrary<Typed>): fc.Arbitrary<Typed> {
  return fc.tuple(fc.array(component, { minLength: 1, maxLength: 3 }), fc.boolean()).map(([members, named]) => {
    const components = members.map((member, index) => parameter(member, named || index > 0 ? `c${index}` : ""));
    const values = fc.tuple(...members.map((member) => member.value));
    const value = named
      ? values.map((all) => Object.fromEntries(all.map((item, index) => [`c${index}`, item])))
      : values;
    return { type: "tuple", components, value };
  });
}

function parameter({ type, components }: Typed, name: string): AbiParameter {
  return { type, ...(name !== "" && { name }), ...(components !== undefined && { components }) } as AbiParameter;
}

/** An event and a log of it, as viem encodes it. */
export interface EventLog {
  readonly event: EventAbi;
  readonly log: RawLog;
}

export const eventLog: fc.Arbitrary<EventLog> = fc
  .record({
    inputs: fc.array(fc.record({ typed: typed(2), indexed: fc.boolean(), named: fc.boolean() }), { maxLength: 5 }),
    anonymous: fc.boolean(),
    hashes: fc.array(hex(32, 32), { minLength: 4, maxLength: 4 }),
  })
  .chain(({ inputs, anonymous, hashes }) => {
    let topicsLeft = anonymous ? 4 : 3;
    const parameters = inputs.map(({ typed, indexed, named }, index) => ({
      typed,
      indexed: indexed && topicsLeft-- > 0,
      abi: parameter(typed, named ? `p${index}` : ""),
    }));
    const json = parameters.map(({ abi, indexed }) => ({ ...abi, indexed }));
    const [event] = parseEvents([{ type: "event", name: "E", anonymous, inputs: json }], "abi");
    if (event === undefined) throw new Error("no event");
    return fc.tuple(...parameters.map(({ typed }) => typed.value)).map((values): EventLog => {
      const inData = parameters.flatMap(({ abi, indexed }, index) => (indexed ? [] : [{ abi, value: values[index] }]));
      const topics: string[] = anonymous ? [] : [event.topic];
      parameters.forEach(({ abi, indexed }, index) => {
        if (!indexed) return;
        const hashed = /^(string|bytes|tuple)$|\]$/.test(abi.type);
        topics.push(hashed ? (hashes[index % 4] as string) : encodeAbiParameters([abi], [values[index]]));
      });
      const data = encodeAbiParameters(
        inData.map(({ abi }) => abi),
        inData.map(({ value }) => value),
      );
      return { event, log: { topics, data } };
    });
  });

/** Data that a contract may emit instead: words replaced, bytes changed, the end cut off, or more added. */
export function damaged(data: string): fc.Arbitrary<string> {
  const bytes = (data.length - 2) / 2;
  const word = fc.nat({ max: Math.max(0, Math.ceil(bytes / 32) - 1) });
  const small = fc.nat({ max: bytes + 40 }).map((value) => value.toString(16).padStart(64, "0"));
  const huge = fc.constantFrom("f".repeat(64), `${"0".repeat(55)}1${"0".repeat(8)}`, `8${"0".repeat(63)}`);
  const change = fc.oneof(
    fc.tuple(word, fc.oneof(small, huge)).map(([index, value]) => replace(index * 64, value)),
    fc.tuple(fc.nat({ max: Math.max(0, bytes - 1) }), hex(1, 1)).map(([at, value]) => replace(at * 2, value.slice(2))),
    fc.nat({ max: bytes }).map((size) => (text: string) => text.slice(0, size * 2)),
    hex(1, 70).map((more) => (text: string) => text + more.slice(2)),
  );
  return fc
    .array(change, { minLength: 1, maxLength: 3 })
    .map((changes) => `0x${changes.reduce((text, apply) => apply(text), data.slice(2))}`);
}

/** A topic that is now and then not what its type allows. */
export function damagedTopic(topic: string): fc.Arbitrary<string> {
  return fc.oneof({ weight: 3, arbitrary: fc.constant(topic) }, hex(32, 32));
}

function replace(at: number, value: string): (text: string) => string {
  return (text) => (at + value.length > text.length ? text : text.slice(0, at) + value + text.slice(at + value.length));
}
