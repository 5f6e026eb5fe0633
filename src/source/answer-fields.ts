import { invalid } from "./request-failure.ts";

/** Readers of single fields of an answer. Each throws a RequestFailure `invalid` that says where the field stands. */

const HEX_DIGITS = /^0x[0-9a-fA-F]*$/;

/** An object; `where` says what it is, such as `log 3`. */
export function recordOf(value: unknown, where: string): Readonly<Record<string, unknown>> {
  if (!isRecord(value)) throw invalid(`${where} is no object but ${shown(value)}`);
  return value;
}

/** A JSON-RPC quantity: `0x` and up to 14 significant digits, as a number from 0 to `max`. */
export function quantityOf(value: unknown, where: string, max: number = Number.MAX_SAFE_INTEGER): number {
  if (typeof value !== "string" || value.length < 3 || !HEX_DIGITS.test(value)) {
    throw invalid(`${where} is no hexadecimal number but ${shown(value)}`);
  }
  const number = Number(value);
  if (!(number <= max)) throw invalid(`${where} is ${shown(value)}, beyond ${max}`);
  return number;
}

/** Bytes as hexadecimal text with its prefix: of `bytes` bytes, or of any even number of digits. Case is kept. */
export function hexOf(value: unknown, where: string, bytes?: number): string {
  if (typeof value !== "string" || !HEX_DIGITS.test(value)) {
    throw invalid(`${where} is no hexadecimal text but ${shown(value)}`);
  }
  const digits = value.length - 2;
  if (bytes === undefined ? digits % 2 !== 0 : digits !== bytes * 2) {
    const wanted = bytes === undefined ? "an even number" : String(bytes * 2);
    throw invalid(`${where} has ${digits} hexadecimal digits instead of ${wanted}: ${shown(value)}`);
  }
  return value;
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A value as it is shown in a message: short. */
export function shown(value: unknown): string {
  const text = value === undefined ? "missing" : JSON.stringify(value);
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}
