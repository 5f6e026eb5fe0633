import { sameBytes } from "./hex-bytes.ts";

/** Places that are remembered; a power of two. */
const SLOTS = 1024;

/**
 * Whether a hexadecimal text in an answer is one of those that were asked for. Answers repeat the same few texts: where
 * one was found to be right, the same bytes again are compared with, and no text is made of them.
 */
export class AskedTexts {
  readonly #body: Buffer;
  readonly #view: DataView;
  readonly #asked: ReadonlySet<string>;
  readonly #digits: number;
  /** Where a text that was asked for stood, plus one, by its last digits; 0: nowhere yet. */
  readonly #places = new Uint32Array(SLOTS);

  /** @param asked at least one; of one length, with `0x`, in lower case */
  constructor(body: Buffer, view: DataView, asked: readonly string[]) {
    this.#body = body;
    this.#view = view;
    this.#asked = new Set(asked);
    this.#digits = (asked[0]?.length ?? 2) - 2;
  }

  /** The text whose first digit stands at `offset`, in either case. */
  has(offset: number): boolean {
    const digits = this.#digits;
    const end = this.#view.getInt32(offset + digits - 4);
    const slot = (end ^ (end >>> 11)) & (SLOTS - 1);
    const known = (this.#places[slot] as number) - 1;
    if (known >= 0 && sameBytes(this.#view, known, offset, digits)) return true;
    const text = `0x${this.#body.toString("latin1", offset, offset + digits).toLowerCase()}`;
    if (!this.#asked.has(text)) return false;
    this.#places[slot] = offset + 1;
    return true;
  }
}
