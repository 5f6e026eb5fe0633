import { readFile } from "node:fs/promises";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";

/** A line of a block file. `null` where the origin of the data does not say. */
export interface FileBlock {
  readonly number: number;
  readonly hash: string | null;
  readonly parentHash: string | null;
  /** Unix seconds. */
  readonly timestamp: number;
  readonly logs: readonly FileLog[];
}

export interface FileLog {
  readonly address: string;
  readonly topics: readonly string[];
  readonly data: string;
  readonly logIndex: number;
  readonly transactionHash: string;
  readonly transactionIndex: number;
}

/**
 * Reads a gzipped block file, one JSON object a line (its form: examples/data/README.md).
 * @throws Error when it holds no block, or its blocks are not in ascending order or do not link
 */
export async function readBlockFile(path: string): Promise<FileBlock[]> {
  const text = (await promisify(gunzip)(await readFile(path))).toString("utf8");
  const blocks: FileBlock[] = [];
  for (const line of text.split("\n")) {
    if (line !== "") blocks.push(JSON.parse(line) as FileBlock);
  }
  if (blocks.length === 0) throw new Error(`${path} holds no block`);
  requireOrder(path, blocks);
  return blocks;
}

function requireOrder(path: string, blocks: readonly FileBlock[]): void {
  for (let i = 1; i < blocks.length; i++) {
    const [before, block] = [blocks[i - 1]!, blocks[i]!];
    if (block.number <= before.number || block.timestamp < before.timestamp) {
      throw new Error(`${path}: block ${block.number} follows block ${before.number}`);
    }
    const adjacent = block.number === before.number + 1;
    if (adjacent && before.hash !== null && block.parentHash !== null && block.parentHash !== before.hash) {
      throw new Error(`${path}: the parent of block ${block.number} is not block ${before.number}`);
    }
  }
}
