/**
 * An event's identity within its chain: block, log index and sub-index in one number that sorts in chain order,
 * is stable over reorgs and re-indexing, and fits PostgreSQL's `int8`.
 *
 * Layout, from the highest bit: 35 bits of block number, 18 of log index, 10 of sub-index.
 */
export type EventId = bigint;

const LOG_INDEX_BITS = 18;
const SUB_INDEX_BITS = 10;

export const MAX_BLOCK_NUMBER: number = 2 ** 35 - 1;
export const MAX_LOG_INDEX: number = 2 ** LOG_INDEX_BITS - 1;
export const MAX_SUB_INDEX: number = 2 ** SUB_INDEX_BITS - 1;

const words = new Uint32Array(2);
const packed = new BigUint64Array(words.buffer);

/** @throws RangeError when a part does not fit its bits */
export function eventIdOf(block: number, logIndex: number, subIndex = 0): EventId {
  requirePart("block number", block, MAX_BLOCK_NUMBER);
  requirePart("log index", logIndex, MAX_LOG_INDEX);
  requirePart("sub-index", subIndex, MAX_SUB_INDEX);
  // Split over two 32-bit words: one bigint is made instead of five. The low word holds 4 bits of the block.
  words[0] = ((block % 16) << (LOG_INDEX_BITS + SUB_INDEX_BITS)) | (logIndex << SUB_INDEX_BITS) | subIndex;
  words[1] = Math.floor(block / 16);
  return packed[0] as bigint;
}

/** The parts of an event id. */
export function partsOfEventId(id: EventId): { block: number; logIndex: number; subIndex: number } {
  return {
    block: Number(id >> BigInt(LOG_INDEX_BITS + SUB_INDEX_BITS)),
    logIndex: Number(id >> BigInt(SUB_INDEX_BITS)) & MAX_LOG_INDEX,
    subIndex: Number(id & BigInt(MAX_SUB_INDEX)),
  };
}

function requirePart(name: string, value: number, max: number): void {
  if (!Number.isInteger(value) || value < 0 || value > max) {
    throw new RangeError(`event id: the ${name} ${value} is not an integer from 0 to ${max}`);
  }
}
