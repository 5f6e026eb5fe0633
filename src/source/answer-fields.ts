import { invalid } from "./request-failure.ts";

/**
 * Readers of single fields of an answer. Each throws a RequestFailure `invalid` that says where the field stands: what
 * it is and, where there are many, which. The name is put together only when it is shown, since most never are.
 */

const HEX_DIGITS = /^0x[0-9a-fA-F]*$/;

/** An object. */
export function recordOf(value: unknown, what: string, which?: number): Readonly<Record<string, unknown>> {
  if (!isRecord(value)) throw invalid(`${nameOf(what, which)} is no object but ${shown(value)}`);
  return value;
}

/** A JSON-RPC quantity: `0x` and digits, as a number from 0 to `max`. */
export function quantityOf(value: unknown, max: number, what: string, which?: number): number {
  if (typeof value !== "string" || value.length < 3 || !HEX_DIGITS.test(value)) {
    throw invalid(`${nameOf(what, which)} is no hexadecimal number but ${shown(value)}`);
  }
  const number = Number(value);
  if (!(number <= max)) throw invalid(`${nameOf(what, which)} is ${shown(value)}, beyond ${max}`);
  return number;
}

/** A JSON-RPC quantity of up to 256 bits. */
export function bigQuantityOf(value: unknown, what: string): bigint {
  if (typeof value !== "string" || value.length < 3 || !HEX_DIGITS.test(value)) {
    throw invalid(`${what} is no hexadecimal number but ${shown(value)}`);
  }
  if (value.length > 66) throw invalid(`${what} is ${shown(value)}, beyond 256 bits`);
  return BigInt(value);
}

/** Bytes as hexadecimal text with its prefix: of `bytes` bytes, or of any even number of digits. Case is kept. */
export function hexOf(value: unknown, bytes: number | "any", what: string, which?: number): string {
  if (typeof value !== "string" || !HEX_DIGITS.test(value)) {
    throw invalid(`${nameOf(what, which)} is no hexadecimal text but ${shown(value)}`);
  }
  const digits = value.length - 2;
  if (bytes === "any" ? digits % 2 !== 0 : digits !== bytes * 2) {
    const wanted = bytes === "any" ? "an even number" : String(bytes * 2);
    const name = nameOf(what, which);
    throw invalid(`${name} has ${digits} hexadecimal digits instead of ${wanted}: ${shown(value)}`);
  }
  return value;
}

function nameOf(what: string, which: number | undefined): string {
  return which === undefined ? what : `${what} ${which}`;
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A value as it is shown in a message: short. */
export function shown(value: unknown): string {
  const text = value === undefined ? "missing" : JSON.stringify(value);
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}
