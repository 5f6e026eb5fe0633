import type { BlockHeader } from "../chain/block.ts";
import { MAX_BLOCK_NUMBER } from "../chain/event-id.ts";
import type { Hash } from "../chain/hex.ts";
import { hexOf, quantityOf, recordOf } from "./answer-fields.ts";
import { invalid } from "./request-failure.ts";

/**
 * The header in a result of `eth_getBlockByNumber`.
 * @param asked the block's number, or undefined when it was asked for by a tag
 * @throws RequestFailure invalid
 */
export function headerOf(result: unknown, asked: number | undefined): BlockHeader {
  const where = asked === undefined ? "the block" : `block ${asked}`;
  const block = recordOf(result, where);
  const number = quantityOf(block.number, MAX_BLOCK_NUMBER, `the number of ${where}`);
  if (asked !== undefined && number !== asked) throw invalid(`block ${asked} was asked and block ${number} came`);
  return {
    number,
    hash: hexOf(block.hash, 32, `the hash of ${where}`).toLowerCase() as Hash,
    parentHash: hexOf(block.parentHash, 32, `the parent hash of ${where}`).toLowerCase() as Hash,
    timestamp: quantityOf(block.timestamp, Number.MAX_SAFE_INTEGER, `the timestamp of ${where}`),
  };
}
