import { assert } from "../errors.ts";
import { ByteWriter, type EncodedRows, NO_ROWS } from "../lib/byte-writer.ts";
import type { ChangeScope } from "./change-scope.ts";
import { digestOf, type EffectShape, type KeptValue } from "./effect-shape.ts";
import type { Evicted } from "./record-map.ts";

/** What names one stored output. */
export interface EffectKey {
  readonly effect: string;
  /** SHA-256 of the canonical input: 64 hex digits. */
  readonly inputHash: string;
  /** `EffectShape.outputType`: what was stored for another type is not found. */
  readonly outputType: string;
}

/** A row of the table `effects`. */
export interface EffectRow extends EffectKey {
  /** JSON values. */
  readonly input: unknown;
  readonly output: unknown;
  /** Where the call was made. */
  readonly chainId: number;
  readonly checkpoint: number;
}

export interface StoredEffect {
  readonly effect: string;
  readonly inputHash: string;
  readonly output: unknown;
}

/** Reads stored outputs that are not in memory. */
export interface EffectReader {
  /** Outputs with these keys, in any order; absent ones are left out. */
  effectsByKey(keys: readonly EffectKey[]): Promise<readonly StoredEffect[]>;
}

/** Turns a row of `effects` into the bytes that the storage takes. */
export interface EffectCodec {
  /** Reserves, writes and ends one row. */
  encodeEffect(out: ByteWriter, row: EffectRow): void;
}

interface Entry {
  readonly shape: EffectShape;
  readonly key: string;
  readonly output: KeptValue;
  readonly bytes: number;
  /** Where the call was made; 0: the output was read from the storage. */
  readonly checkpoint: number;
  readonly chainId: number;
  /** The run that wrote it; 0: it came from the storage; undefined: not sealed yet. */
  run: number | undefined;
}

/** An entry in the maps. */
const ENTRY_BYTES = 300;

/**
 * Outputs of effects in memory. One is made in the batch in progress, belongs to the checkpoint of the block that made
 * it, and goes with its batch into the open run and from there, encoded, into a sealed run, like a row.
 *
 * Undoing an event leaves its outputs: they are facts of the outer world, and their checkpoint, the block's, stays.
 * Undoing a block forgets its outputs, since its checkpoint may become another position's.
 */
export class EffectTable {
  readonly #codec: EffectCodec | undefined;
  /** Effect → input → entry. Entries are in the order in which they were made or loaded. */
  readonly #entries = new Map<string, Map<string, Entry>>();
  #batch: Entry[] = [];
  #open: Entry[] = [];
  /** Sealed or loaded, oldest first: what may be evicted once it is durable. */
  #kept: Entry[] = [];
  #uncommittedBytes = 0;
  #keptBytes = 0;
  /** Its number, as the store counts runs. */
  #openRun: number;
  #escapes = 0;

  /** @param codec undefined: no effect whose output is to be written may be called */
  constructor(codec: EffectCodec | undefined, firstRun: number) {
    this.#codec = codec;
    this.#openRun = firstRun;
  }

  /** Outputs that are in no sealed run, those of the batch in progress included. */
  get changes(): number {
    return this.#batch.length + this.#open.length;
  }

  /** Memory of what is in no sealed run, about. */
  get bytes(): number {
    return this.#uncommittedBytes;
  }

  /** Memory of the outputs that are sealed or were loaded, about. */
  get keptBytes(): number {
    return this.#keptBytes;
  }

  /** Texts that were escaped since the last call. */
  takeEscapes(): number {
    const taken = this.#escapes;
    this.#escapes = 0;
    return taken;
  }

  find(effect: string, key: string): KeptValue | undefined {
    return this.#entries.get(effect)?.get(key)?.output;
  }

  /** A call was made. Its output was checked by the shape. */
  add({ checkpoint, chainId }: ChangeScope, shape: EffectShape, key: string, output: KeptValue): void {
    this.#escapes += shape.takeEscapes();
    const entry = this.#put({ shape, key, output, checkpoint, chainId, run: undefined });
    this.#batch.push(entry);
    this.#uncommittedBytes += entry.bytes;
  }

  /** The storage had the output. */
  loaded(shape: EffectShape, key: string, output: KeptValue): void {
    const entry = this.#put({ shape, key, output, checkpoint: 0, chainId: 0, run: 0 });
    this.#kept.push(entry);
    this.#keptBytes += entry.bytes;
  }

  /** The block with this checkpoint is undone. */
  undoBlock(checkpoint: number): void {
    this.#batch = this.#batch.filter((entry) => entry.checkpoint !== checkpoint || this.#forgotten(entry));
  }

  /** The batch in progress is dropped. */
  abandonBatch(): void {
    this.#batch = this.#batch.filter((entry) => this.#forgotten(entry));
  }

  /** The batch in progress joins the open run; what is not to be written is forgotten. Returns how many changes it brings. */
  commit(): number {
    const written = this.#batch.filter((entry) => entry.shape.model.cache || this.#forgotten(entry));
    this.#batch = [];
    for (const entry of written) this.#open.push(entry);
    return written.length;
  }

  /** Encodes the outputs of the open run. */
  seal(): EncodedRows {
    const run = this.#openRun++;
    if (this.#open.length === 0) return NO_ROWS;
    const codec = this.#codec;
    assert(codec !== undefined, "an effect's output is to be written, and there is no codec");
    const encoded = new ByteWriter();
    for (const entry of this.#open) {
      codec.encodeEffect(encoded, rowOf(entry));
      entry.run = run;
      this.#uncommittedBytes -= entry.bytes;
      this.#keptBytes += entry.bytes;
      this.#kept.push(entry);
    }
    this.#open = [];
    return encoded.take();
  }

  /** Drops outputs that are durable up to run `throughRun`, oldest first, until `bytes` are free. */
  evict(throughRun: number, bytes: number): Evicted {
    const evicted = { rows: 0, bytes: 0 };
    let at = 0;
    for (; at < this.#kept.length && evicted.bytes < bytes; at++) {
      const entry = this.#kept[at] as Entry;
      if ((entry.run ?? Number.POSITIVE_INFINITY) > throughRun) break;
      this.#entries.get(entry.shape.model.name)?.delete(entry.key);
      evicted.rows++;
      evicted.bytes += entry.bytes;
    }
    if (at > 0) this.#kept = this.#kept.slice(at);
    this.#keptBytes -= evicted.bytes;
    return evicted;
  }

  #put(made: Omit<Entry, "bytes">): Entry {
    const { shape, key, output } = made;
    const { name } = shape.model;
    const entry = { ...made, bytes: ENTRY_BYTES + key.length + shape.bytesOf(output) };
    let entries = this.#entries.get(name);
    if (entries === undefined) {
      entries = new Map();
      this.#entries.set(name, entries);
    }
    assert(!entries.has(key), `two outputs of ${name} for one input`);
    entries.set(key, entry);
    return entry;
  }

  /** @returns false, for filters */
  #forgotten(entry: Entry): false {
    this.#entries.get(entry.shape.model.name)?.delete(entry.key);
    this.#uncommittedBytes -= entry.bytes;
    return false;
  }
}

/** The key of a stored output. */
export function effectKeyOf(shape: EffectShape, key: string): EffectKey {
  return { effect: shape.model.name, inputHash: digestOf(key), outputType: shape.outputType };
}

function rowOf({ shape, key, output, chainId, checkpoint }: Entry): EffectRow {
  return { ...effectKeyOf(shape, key), input: JSON.parse(key), output: shape.toJson(output), chainId, checkpoint };
}
