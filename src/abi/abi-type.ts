import type { ParameterAbi } from "./event-abi.ts";

/** A type of the ABI, taken apart. */
export type AbiType =
  | { readonly kind: "integer"; readonly signed: boolean; readonly bits: number }
  | { readonly kind: "address" }
  | { readonly kind: "bool" }
  /** `bytes1` to `bytes32`, and `function` (24 bytes). */
  | { readonly kind: "fixedBytes"; readonly size: number }
  | { readonly kind: "bytes" }
  | { readonly kind: "string" }
  | { readonly kind: "array"; readonly element: AbiType; readonly length: number | undefined }
  | { readonly kind: "tuple"; readonly components: readonly AbiComponent[] };

export interface AbiComponent {
  /** Empty when the component has no name. */
  readonly name: string;
  readonly type: AbiType;
}

/** A type that is none; the message says why, the caller adds where. */
export class InvalidAbiType extends Error {
  override readonly name = "InvalidAbiType";
}

const TYPE = /^([a-z]+)(\d*)((?:\[\d*\])*)$/;

/** @throws InvalidAbiType */
export function abiTypeOf(type: string, components: readonly ParameterAbi[]): AbiType {
  const [, word = "", size = "", brackets = ""] = TYPE.exec(type) ?? [];
  let result = plainType(type, word, size, components);
  for (const [, digits = ""] of brackets.matchAll(/\[(\d*)\]/g)) {
    result = { kind: "array", element: result, length: digits === "" ? undefined : arrayLength(type, digits) };
  }
  return result;
}

/** `uint` → `uint256`, also in arrays; everything else has one spelling. */
export function canonicalType(type: string): string {
  return type.replace(/^(u?int)(?=\[|$)/, "$1256");
}

/** The type as it stands in a signature: `tuple[2]` → `(address,uint256)[2]`. */
export function signatureType(parameter: Pick<ParameterAbi, "type" | "components">): string {
  if (!parameter.type.startsWith("tuple")) return parameter.type;
  return `(${parameter.components.map(signatureType).join(",")})${parameter.type.slice("tuple".length)}`;
}

/** Whether the value's place in the data holds an offset to it instead of itself. */
export function isDynamic(type: AbiType): boolean {
  switch (type.kind) {
    case "bytes":
    case "string":
      return true;
    case "array":
      return type.length === undefined || isDynamic(type.element);
    case "tuple":
      return type.components.some((component) => isDynamic(component.type));
    default:
      return false;
  }
}

/** Bytes that the value takes at its place in the data: its own, or those of its offset. */
export function headBytes(type: AbiType): number {
  if (isDynamic(type)) return 32;
  if (type.kind === "array") return (type.length ?? 0) * headBytes(type.element);
  if (type.kind === "tuple") return type.components.reduce((sum, { type }) => sum + headBytes(type), 0);
  return 32;
}

function plainType(type: string, word: string, size: string, components: readonly ParameterAbi[]): AbiType {
  const number = size === "" ? undefined : Number(size);
  switch (word) {
    case "uint":
    case "int": {
      const bits = number ?? 256;
      if (bits < 8 || bits > 256 || bits % 8 !== 0 || size.startsWith("0")) break;
      return { kind: "integer", signed: word === "int", bits };
    }
    case "bytes":
      if (number === undefined) return { kind: "bytes" };
      if (number < 1 || number > 32 || size.startsWith("0")) break;
      return { kind: "fixedBytes", size: number };
    case "address":
    case "bool":
    case "string":
      if (number !== undefined) break;
      return { kind: word };
    case "function":
      if (number !== undefined) break;
      return { kind: "fixedBytes", size: 24 };
    case "tuple":
      if (number !== undefined) break;
      return tupleType(components);
  }
  throw new InvalidAbiType(`unknown type ${JSON.stringify(type)}`);
}

function tupleType(components: readonly ParameterAbi[]): AbiType {
  if (components.length === 0) throw new InvalidAbiType("a tuple without components");
  return {
    kind: "tuple",
    components: components.map(({ name, type, components }) => ({ name, type: abiTypeOf(type, components) })),
  };
}

/** No compiler makes arrays of no elements; without them every value takes room in the data, which bounds its decoding. */
function arrayLength(type: string, digits: string): number {
  const length = Number(digits);
  if (digits.startsWith("0") || !Number.isSafeInteger(length)) {
    throw new InvalidAbiType(`${JSON.stringify(type)} has an array length that is not a positive integer`);
  }
  return length;
}
