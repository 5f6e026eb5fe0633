import type { BlockHeader } from "../../../src/chain/block.ts";
import type { Hash } from "../../../src/chain/hex.ts";
import type { PlannedEvent } from "./plan.ts";
import type { PlannedBlock, PlannedChain } from "./scenario.ts";

/** A block of one version of a chain. */
export interface SimulatedBlock {
  readonly header: BlockHeader;
  readonly events: readonly PlacedEvent[];
  readonly parent: SimulatedBlock | undefined;
}

export interface PlacedEvent extends PlannedEvent {
  /** Its place in `SimulatedChain.events` of its chain. */
  readonly number: number;
}

const BLOCK_SECONDS = 12;

/** A chain with all its versions. Blocks that have become final are in all of them. */
export class SimulatedChain {
  readonly chainId: number;
  /** All events that were ever in a block. */
  readonly events: PlacedEvent[] = [];
  readonly #window: number;
  readonly #hasFinality: boolean;
  readonly #byHash = new Map<Hash, SimulatedBlock>();
  #blocks: readonly SimulatedBlock[];
  #version = 0;
  #highest: number;

  constructor({ chainId, setup, blocks }: PlannedChain, window: number, hasFinality: boolean) {
    this.chainId = chainId;
    this.#window = window;
    this.#hasFinality = hasFinality;
    this.#blocks = this.#extended([], [setup === undefined ? [] : [setup], ...blocks]);
    this.#highest = this.head.header.number;
  }

  /** Blocks by number, as they are now. */
  get blocks(): readonly SimulatedBlock[] {
    return this.#blocks;
  }

  get head(): SimulatedBlock {
    return this.#blocks.at(-1) as SimulatedBlock;
  }

  /** What a node calls final; undefined where it does not say. */
  get finalized(): SimulatedBlock | undefined {
    return this.#hasFinality ? this.#blocks[this.#highest - this.#window] : undefined;
  }

  block(hash: Hash): SimulatedBlock | undefined {
    return this.#byHash.get(hash);
  }

  /** Replaces the newest blocks, as many as are not final, or adds some. */
  change(depth: number, blocks: readonly PlannedBlock[]): void {
    const lowest = Math.max(0, this.#highest - this.#window);
    const ancestor = Math.max(lowest, this.head.header.number - depth);
    this.#version++;
    this.#blocks = this.#extended(this.#blocks.slice(0, ancestor + 1), blocks);
    this.#highest = Math.max(this.#highest, this.head.header.number);
  }

  /** Goes beyond all versions before, so that whoever follows the head gets to it. */
  overtake(): void {
    const missing = this.#highest + 1 - this.head.header.number;
    this.change(
      0,
      Array.from({ length: missing }, () => []),
    );
  }

  #extended(known: readonly SimulatedBlock[], added: readonly PlannedBlock[]): readonly SimulatedBlock[] {
    const blocks = [...known];
    for (const planned of added) {
      const number = blocks.length;
      const parent = blocks.at(-1);
      const hash = hashOf(this.chainId, this.#version, number);
      const parentHash = parent?.header.hash ?? hashOf(this.chainId, 0, -1);
      const block: SimulatedBlock = {
        header: { number, hash, parentHash, timestamp: 1_600_000_000 + number * BLOCK_SECONDS },
        events: planned.map((event, logIndex) => this.#placed({ ...event, block: number, logIndex })),
        parent,
      };
      this.#byHash.set(hash, block);
      blocks.push(block);
    }
    return blocks;
  }

  #placed(event: Omit<PlannedEvent, "chainId">): PlacedEvent {
    const placed = { ...event, chainId: this.chainId, number: this.events.length };
    this.events.push(placed);
    return placed;
  }
}

function hashOf(chainId: number, version: number, number: number): Hash {
  return `0x${chainId}${String(version).padStart(31, "0")}${String(number + 1).padStart(32, "0")}`;
}
