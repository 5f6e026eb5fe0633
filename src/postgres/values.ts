import { ByteWriter } from "../lib/byte-writer.ts";
import { storedText } from "../lib/stored-text.ts";
import type { ColumnModel } from "../store/table.ts";
import { elementOidOf } from "./column-types.ts";
import { writeNumericBigint, writeNumericText } from "./numeric.ts";
import { putInt32 } from "./wire.ts";

/** Writes one value as a field of binary COPY: its length in bytes as an int32, then the bytes. */
export type ValueWriter = (out: ByteWriter, value: unknown) => void;

const REPLACEMENT = "\uFFFD";
const MICROSECONDS = 1_000_000;
/** 2000-01-01 in unix seconds: where PostgreSQL's time begins. */
const POSTGRES_EPOCH_SECONDS = 946_684_800;
const JSONB_VERSION = 1;
/** Up to here room for the longest possible UTF-8 is reserved, beyond it the text is measured first. */
const MEASURED_TEXT_LENGTH = 16 * 1024;

const words = new Uint32Array(2);
const bigintOfWords = new BigInt64Array(words.buffer);

export function writeNull(out: ByteWriter): void {
  out.reserve(4);
  const { buffer, at } = out;
  buffer[at] = buffer[at + 1] = buffer[at + 2] = buffer[at + 3] = 0xff;
  out.at = at + 4;
}

function writeInt32(out: ByteWriter, value: number): void {
  out.reserve(8);
  putInt32(out.buffer, out.at, 4);
  putInt32(out.buffer, out.at + 4, value);
  out.at += 8;
}

/** A whole number, up to 2^53 exactly. */
export function writeInt64(out: ByteWriter, value: number): void {
  const high = Math.floor(value / 2 ** 32);
  writeWords(out, high, value - high * 2 ** 32);
}

function writeInt64Bigint(out: ByteWriter, value: bigint): void {
  bigintOfWords[0] = value;
  writeWords(out, words[1] as number, words[0] as number);
}

function writeWords(out: ByteWriter, high: number, low: number): void {
  out.reserve(12);
  putInt32(out.buffer, out.at, 8);
  putInt32(out.buffer, out.at + 4, high);
  putInt32(out.buffer, out.at + 8, low);
  out.at += 12;
}

function writeFloat64(out: ByteWriter, value: number): void {
  out.reserve(12);
  putInt32(out.buffer, out.at, 8);
  out.buffer.writeDoubleBE(value, out.at + 4);
  out.at += 12;
}

function writeBool(out: ByteWriter, value: boolean): void {
  out.reserve(5);
  putInt32(out.buffer, out.at, 1);
  out.buffer[out.at + 4] = value ? 1 : 0;
  out.at += 5;
}

/** Rows hold stored texts already; what did not come from a row is escaped here. */
function writeText(out: ByteWriter, value: string): void {
  writeUtf8(out, storedText(value), -1);
}

/** @param prefix a byte before the text, or -1 */
function writeUtf8(out: ByteWriter, text: string, prefix: number): void {
  const room = text.length > MEASURED_TEXT_LENGTH ? Buffer.byteLength(text) : text.length * 3;
  out.reserve(5 + room);
  const { buffer } = out;
  let at = out.at + 4;
  if (prefix >= 0) buffer[at++] = prefix;
  at += buffer.write(text, at, room, "utf8");
  putInt32(buffer, out.at, at - out.at - 4);
  out.at = at;
}

/** Hashes and addresses: ASCII. */
function writeAscii(out: ByteWriter, value: string): void {
  out.reserve(4 + value.length);
  putInt32(out.buffer, out.at, value.length);
  out.at += 4 + out.buffer.write(value, out.at + 4, value.length, "latin1");
}

function writeBytes(out: ByteWriter, value: string): void {
  const size = (value.length - 2) / 2;
  out.reserve(4 + size);
  putInt32(out.buffer, out.at, size);
  out.buffer.write(value.slice(2), out.at + 4, size, "hex");
  out.at += 4 + size;
}

function writeTimestamp(out: ByteWriter, seconds: number): void {
  const whole = Math.floor(seconds);
  const micros = Math.round((seconds - whole) * MICROSECONDS);
  const total = (whole - POSTGRES_EPOCH_SECONDS) * MICROSECONDS + micros;
  if (Number.isSafeInteger(total)) writeInt64(out, total);
  else writeInt64Bigint(out, BigInt(whole - POSTGRES_EPOCH_SECONDS) * BigInt(MICROSECONDS) + BigInt(micros));
}

// Either an escaped backslash, which protects what follows, or an escape that jsonb refuses. JSON.stringify escapes
// surrogates only when they are alone.
const REFUSED_ESCAPES = /\\\\|\\u0000|\\ud[89a-f][0-9a-f]{2}/g;

/** A JSON value as the text that is sent for it. */
function jsonText(value: unknown): string {
  const text = JSON.stringify(value) ?? "null";
  if (!text.includes("\\u")) return text;
  return text.replace(REFUSED_ESCAPES, (found) => (found === "\\\\" ? found : REPLACEMENT));
}

function writeJson(out: ByteWriter, value: unknown): void {
  writeUtf8(out, jsonText(value), JSONB_VERSION);
}

/** The writer of one value of the column, which is not null. */
function elementWriterOf(column: ColumnModel): ValueWriter {
  const scale = column.scale ?? 0;
  switch (column.kind) {
    case "int32":
      return writeInt32 as ValueWriter;
    case "int64":
    case "eventId":
      return writeInt64Bigint as ValueWriter;
    case "uint256":
    case "int256":
      return writeNumericBigint as ValueWriter;
    case "numeric":
      return (out, value) => writeNumericText(out, value as string, scale);
    case "float64":
      return writeFloat64 as ValueWriter;
    case "bool":
      return writeBool as ValueWriter;
    case "text":
    case "enum":
      return writeText as ValueWriter;
    case "bytes":
      return writeBytes as ValueWriter;
    case "hash":
    case "address":
      return writeAscii as ValueWriter;
    case "timestamp":
      return writeTimestamp as ValueWriter;
    case "json":
      return writeJson;
  }
}

function arrayWriterOf(oid: number, writeElement: ValueWriter): ValueWriter {
  // The field's length comes first and is known last, so elements are written aside.
  const aside = new ByteWriter();
  return (out, value) => {
    const elements = value as readonly unknown[];
    for (const element of elements) writeElement(aside, element);
    aside.endRow();
    const { bytes, chunks } = aside.take();
    const header = elements.length === 0 ? 12 : 20;
    out.reserve(4 + header + bytes);
    const { buffer, at } = out;
    putInt32(buffer, at, header + bytes);
    putInt32(buffer, at + 4, elements.length === 0 ? 0 : 1); // dimensions
    putInt32(buffer, at + 8, 0); // no nulls
    putInt32(buffer, at + 12, oid);
    if (elements.length > 0) {
      putInt32(buffer, at + 16, elements.length);
      putInt32(buffer, at + 20, 1); // lower bound
    }
    out.at = at + 4 + header;
    for (const chunk of chunks) out.at += chunk.copy(buffer, out.at);
  };
}

/** The writer of a column's values, null included where the column allows it. */
export function valueWriterOf(column: ColumnModel): ValueWriter {
  const writeElement = elementWriterOf(column);
  const write = column.array ? arrayWriterOf(elementOidOf(column), writeElement) : writeElement;
  if (!column.nullable) return write;
  return (out, value) => (value === null || value === undefined ? writeNull(out) : write(out, value));
}
