import { keccak_256 } from "@noble/hashes/sha3.js";
import type { Hash } from "../chain/hex.ts";

/** The first topic of an event: keccak256 of its canonical signature. */
export function topicOf(signature: string): Hash {
  const hash = keccak_256(Buffer.from(signature, "utf8"));
  return `0x${Buffer.from(hash.buffer, hash.byteOffset, hash.length).toString("hex")}`;
}
