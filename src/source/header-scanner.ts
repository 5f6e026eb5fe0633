import type { BlockHeader } from "../chain/block.ts";
import { MAX_BLOCK_NUMBER } from "../chain/event-id.ts";
import type { Hash } from "../chain/hex.ts";
import { CLOSE_LIST, CLOSE_OBJECT, COLON, COMMA, keyBytes, OPEN_LIST, OPEN_OBJECT, QUOTE } from "./json-scanner.ts";
import { RpcScanner } from "./rpc-scanner.ts";

/**
 * Reads the headers of an answer to calls of `eth_getBlockByNumber` straight from its bytes: a block is 4 KiB and more,
 * of which four values are wanted. What it does not understand, and what it would have to refuse, it leaves to
 * `JSON.parse` and `headerOf`.
 * @param numbers of the blocks, in the order of the calls; several calls were sent as a batch
 * @returns in that order, undefined for a block that the node does not have; or undefined: read it the other way
 */
export function scanHeaders(
  body: Buffer,
  numbers: readonly number[],
): readonly (BlockHeader | undefined)[] | undefined {
  return new HeaderScanner(body, numbers).headers();
}

const KEYS = ["number", "hash", "parentHash", "timestamp"] as const;
const KEY_BYTES = KEYS.map(keyBytes);

class HeaderScanner extends RpcScanner {
  readonly #numbers: readonly number[];
  /** What the last result says; -1: nothing yet. */
  #number = -1;
  #timestamp = -1;
  #hashAt = -1;
  #parentAt = -1;

  constructor(body: Buffer, numbers: readonly number[]) {
    super(body);
    this.#numbers = numbers;
  }

  headers(): readonly (BlockHeader | undefined)[] | undefined {
    const count = this.#numbers.length;
    const found = new Map<number, BlockHeader | undefined>();
    const isBatch = count > 1;
    if (isBatch && !this.token(OPEN_LIST)) return undefined;
    do {
      const id = this.envelope();
      if (id < 1 || id > count || found.has(id)) return undefined;
      if (this.#number >= 0 && this.#number !== this.#numbers[id - 1]) return undefined;
      found.set(id, this.#header());
    } while (isBatch && this.token(COMMA));
    if ((isBatch && !this.token(CLOSE_LIST)) || !this.end() || found.size < count) return undefined;
    return this.#numbers.map((_, place) => found.get(place + 1));
  }

  protected override result(): boolean {
    this.#number = -1;
    this.#timestamp = -1;
    this.#hashAt = -1;
    this.#parentAt = -1;
    if (this.word("null")) return true;
    if (!this.token(OPEN_OBJECT)) return false;
    do if (!this.token(QUOTE) || !this.#member()) return false;
    while (this.token(COMMA));
    const isWhole = this.#number >= 0 && this.#timestamp >= 0 && this.#hashAt >= 0 && this.#parentAt >= 0;
    return isWhole && this.token(CLOSE_OBJECT);
  }

  #member(): boolean {
    const key = KEYS[KEY_BYTES.findIndex((bytes) => this.literal(bytes))];
    if (key === undefined && !this.text()) return false;
    if (!this.token(COLON)) return false;
    switch (key) {
      case "number":
        this.#number = this.quantity();
        return this.#number >= 0 && this.#number <= MAX_BLOCK_NUMBER;
      case "timestamp":
        this.#timestamp = this.quantity();
        return this.#timestamp >= 0;
      case "hash":
        this.#hashAt = this.hex(64);
        return this.#hashAt >= 0;
      case "parentHash":
        this.#parentAt = this.hex(64);
        return this.#parentAt >= 0;
      default:
        return this.value();
    }
  }

  #header(): BlockHeader | undefined {
    if (this.#number < 0) return undefined;
    const [number, timestamp] = [this.#number, this.#timestamp];
    return { number, hash: this.#hash(this.#hashAt), parentHash: this.#hash(this.#parentAt), timestamp };
  }

  #hash(at: number): Hash {
    return `0x${this.body.toString("latin1", at, at + 64)}`.toLowerCase() as Hash;
  }
}
