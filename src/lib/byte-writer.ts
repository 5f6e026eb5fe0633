/** A place in a ByteWriter, valid as long as nothing before it is undone: also after earlier bytes were taken out. */
export interface ByteMark {
  /** Bytes ever written before it. */
  readonly position: number;
  /** Rows ever ended before it. */
  readonly rows: number;
}

/** Bytes that will not change any more, and how many rows they hold. */
export interface EncodedRows {
  readonly rows: number;
  readonly bytes: number;
  readonly chunks: readonly Buffer[];
}

export const NO_ROWS: EncodedRows = { rows: 0, bytes: 0, chunks: [] };

const FIRST_CHUNK_BYTES = 4 * 1024;
const MAX_CHUNK_BYTES = 256 * 1024;

/**
 * A growing run of encoded rows, in chunks of 4 to 256 KiB, each twice the one before: a few rows at the head hold little.
 * Encoders call `reserve`, write at `buffer[at…]` and advance `at`; a reserved piece never straddles two chunks. What lies
 * before a mark can be taken out while writing goes on.
 */
export class ByteWriter {
  /** The chunk being written. */
  buffer: Buffer = Buffer.alloc(0);
  /** Where the next byte goes in it. */
  at = 0;
  #chunkBytes = FIRST_CHUNK_BYTES;
  #full: Buffer[] = [];
  #fullBytes = 0;
  #takenBytes = 0;
  #takenRows = 0;
  #rows = 0;

  /** Bytes in the writer. */
  get bytes(): number {
    return this.#fullBytes + this.at;
  }

  /** Rows in the writer. */
  get rows(): number {
    return this.#rows - this.#takenRows;
  }

  /** Makes room for `size` bytes in one piece. */
  reserve(size: number): void {
    if (this.at + size <= this.buffer.length) return;
    if (this.at > 0) {
      this.#full.push(this.buffer.subarray(0, this.at));
      this.#fullBytes += this.at;
    }
    this.buffer = Buffer.allocUnsafeSlow(Math.max(this.#chunkBytes, size));
    this.#chunkBytes = Math.min(this.#chunkBytes * 2, MAX_CHUNK_BYTES);
    this.at = 0;
  }

  endRow(): void {
    this.#rows++;
  }

  mark(): ByteMark {
    return { position: this.#takenBytes + this.bytes, rows: this.#rows };
  }

  /** Forgets everything after `mark`. */
  undoTo(mark: ByteMark): void {
    let excess = this.#takenBytes + this.bytes - mark.position;
    while (excess > this.at) {
      excess -= this.at;
      this.buffer = this.#full.pop() as Buffer;
      this.#fullBytes -= this.buffer.length;
      this.at = this.buffer.length;
    }
    this.at -= excess;
    this.#rows = mark.rows;
  }

  /** Takes what lies before `mark` out; the taken bytes are never written again. */
  takeTo(mark: ByteMark): EncodedRows {
    const bytes = mark.position - this.#takenBytes;
    const rows = mark.rows - this.#takenRows;
    const chunks: Buffer[] = [];
    const rest: Buffer[] = [];
    let left = bytes;
    for (const chunk of this.#full) {
      const size = Math.min(left, chunk.length);
      if (size > 0) chunks.push(chunk.subarray(0, size));
      if (size < chunk.length) rest.push(chunk.subarray(size));
      left -= size;
    }
    if (left > 0) {
      chunks.push(this.buffer.subarray(0, left));
      this.buffer = this.buffer.subarray(left);
      this.at -= left;
    }
    this.#full = rest;
    this.#fullBytes += left - bytes;
    this.#takenBytes = mark.position;
    this.#takenRows = mark.rows;
    return rows === 0 ? NO_ROWS : { rows, bytes, chunks };
  }

  /** Takes everything. */
  take(): EncodedRows {
    return this.takeTo(this.mark());
  }
}
