import { deserialize, serialize } from "node:v8";
import { assert } from "../errors.ts";
import type { ByteWriter, EncodedRows } from "../lib/byte-writer.ts";
import type { EffectCodec, EffectRow } from "../store/effect-table.ts";
import type { Row, RowCodec, StoredRow, TableModel } from "../store/table.ts";
import type { RawEventCodec, RawEventRow } from "../write/raw-events.ts";

/** A row, or a key, of one chain; 0 stands for all chains when the entity is shared among them. */
export interface EncodedRow extends StoredRow {
  readonly chainId: number;
}

/** What a row was before a checkpoint changed it. */
export interface EncodedImage {
  readonly chainId: number;
  readonly changedAt: number;
  /** The key columns, at least. */
  readonly key: Row;
  /** Undefined: there was no such row. */
  readonly before: StoredRow | undefined;
}

const LENGTH_BYTES = 4;

/** Rows as Node.js serialises values: reversible, so that `MemoryStorage` gets back what was encoded. */
export function createMemoryCodec(table: TableModel): RowCodec {
  const home = (chainId: number): number => (table.crossChain ? 0 : chainId);
  return {
    encodeRow: (out, chainId, checkpoint, row) => put(out, { chainId: home(chainId), checkpoint, row }),
    encodeKey: (out, chainId, row) => put(out, { chainId: home(chainId), checkpoint: 0, row: keyOf(table, row) }),
    encodeBeforeImage: (out, chainId, changedAt, previousCheckpoint, row) => {
      const before = previousCheckpoint === 0 ? undefined : { row, checkpoint: previousCheckpoint };
      put(out, { chainId: home(chainId), changedAt, key: keyOf(table, row), before });
    },
    encodeUnknownImage: (out, chainId, changedAt, row) => {
      put(out, { chainId: home(chainId), changedAt, key: keyOf(table, row), before: undefined });
    },
  };
}

/** The rows, or keys, that a codec has encoded. */
export function decodedRows(encoded: EncodedRows): readonly EncodedRow[] {
  return decoded(encoded) as readonly EncodedRow[];
}

/** The before-images that a codec has encoded; those that are unknown have no `before`. */
export function decodedImages(encoded: EncodedRows): readonly EncodedImage[] {
  return decoded(encoded) as readonly EncodedImage[];
}

function keyOf(table: TableModel, row: Row): Row {
  return Object.fromEntries(table.key.map((name) => [name, row[name]]));
}

export const memoryEffectCodec: EffectCodec = { encodeEffect: (out, row) => put(out, row) };
export const memoryRawEventCodec: RawEventCodec = { encodeRawEvent: (out, row) => put(out, row) };

/** What `memoryEffectCodec` has encoded. */
export function decodedEffects(encoded: EncodedRows): readonly EffectRow[] {
  return decoded(encoded) as readonly EffectRow[];
}

/** What `memoryRawEventCodec` has encoded. */
export function decodedRawEvents(encoded: EncodedRows): readonly RawEventRow[] {
  return decoded(encoded) as readonly RawEventRow[];
}

function put(out: ByteWriter, value: EncodedRow | EncodedImage | EffectRow | RawEventRow): void {
  const bytes = serialize(value);
  out.reserve(LENGTH_BYTES + bytes.length);
  out.buffer.writeUInt32BE(bytes.length, out.at);
  bytes.copy(out.buffer, out.at + LENGTH_BYTES);
  out.at += LENGTH_BYTES + bytes.length;
  out.endRow();
}

function decoded({ rows, bytes, chunks }: EncodedRows): readonly unknown[] {
  const text = Buffer.concat(chunks);
  assert(text.length === bytes, `${text.length} bytes where ${bytes} were announced`);
  const values: unknown[] = [];
  for (let at = 0; at < text.length; ) {
    const end = at + LENGTH_BYTES + text.readUInt32BE(at);
    values.push(deepFrozen(deserialize(text.subarray(at + LENGTH_BYTES, end))));
    at = end;
  }
  assert(values.length === rows, `${values.length} rows where ${rows} were announced`);
  return values;
}

function deepFrozen(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  for (const part of Object.values(value)) deepFrozen(part);
  return Object.freeze(value);
}
