import { AddressIndex, NO_ADDRESS } from "../abi/address-index.ts";
import type { ChildAddress } from "../chain/child-address.ts";
import type { Address } from "../chain/hex.ts";

/** Addresses, each with the block from which on it counts: about 60 bytes an address, and none for a look-up. */
export class AddressesSince {
  readonly #index = new AddressIndex();
  readonly #blocks: number[] = [];

  get size(): number {
    return this.#blocks.length;
  }

  /** Whether the address whose digits stand at `offset` counts in a block. */
  has(text: Buffer, offset: number, block: number): boolean {
    const number = this.#index.find(text, offset);
    return number !== NO_ADDRESS && (this.#blocks[number] as number) <= block;
  }

  /** @returns what it was before: not there, there from a later block on, or there */
  add(address: Address, block: number): "new" | "later" | "known" {
    SCRATCH.write(address.slice(2), "latin1");
    const number = this.#index.find(SCRATCH, 0);
    if (number === NO_ADDRESS) {
      this.#index.add(SCRATCH, 0);
      this.#blocks.push(block);
      return "new";
    }
    if ((this.#blocks[number] as number) <= block) return "known";
    this.#blocks[number] = block;
    return "later";
  }

  removeLast(): void {
    this.#index.removeLast();
    this.#blocks.pop();
  }

  /** Those that count in a block; undefined: they are more than `max`. */
  upTo(block: number, max: number): readonly Address[] | undefined {
    const found: number[] = [];
    for (let number = 0; number < this.#blocks.length; number++) {
      if ((this.#blocks[number] as number) > block) continue;
      if (found.length === max) return undefined;
      found.push(number);
    }
    return found.map((number) => this.#index.at(number));
  }
}

const SCRATCH = Buffer.alloc(40);

interface Added {
  readonly child: ChildAddress;
  /** The address was not there at all. */
  readonly isNew: boolean;
}

/**
 * The addresses of one chain that are not in the configuration, by contract. Those that are new are kept apart until
 * the range is delivered that has their block: they become durable with it.
 */
export class ChildRegistry {
  readonly #contracts = new Map<string, AddressesSince>();
  #undelivered: Added[] = [];

  /** @param known those that are durable */
  constructor(known: readonly ChildAddress[] = []) {
    for (const { contract, address, block } of known) this.of(contract).add(address, block);
  }

  of(contract: string): AddressesSince {
    let addresses = this.#contracts.get(contract);
    if (addresses === undefined) {
      addresses = new AddressesSince();
      this.#contracts.set(contract, addresses);
    }
    return addresses;
  }

  /** Whether it counts in its block already. */
  has({ contract, address, block }: ChildAddress): boolean {
    SCRATCH.write(address.slice(2), "latin1");
    return this.#contracts.get(contract)?.has(SCRATCH, 0, block) ?? false;
  }

  /** @returns whether anything has changed */
  add(child: ChildAddress): boolean {
    const before = this.of(child.contract).add(child.address, child.block);
    if (before === "known") return false;
    this.#undelivered.push({ child, isNew: before === "new" });
    return true;
  }

  /** To go back to, as long as nothing was delivered. */
  get mark(): number {
    return this.#undelivered.length;
  }

  /** Those that were added since a mark. */
  since(mark: number): readonly ChildAddress[] {
    return this.#undelivered.slice(mark).map(({ child }) => child);
  }

  /** Forgets the addresses that are new since a mark. */
  forgetSince(mark: number): void {
    for (const { child, isNew } of this.#undelivered.splice(mark).reverse()) {
      if (isNew) this.of(child.contract).removeLast();
    }
  }

  /** Those that have begun up to a block and were not delivered before. */
  deliver(throughBlock: number): readonly ChildAddress[] {
    if (this.#undelivered.length === 0) return [];
    const due = this.#undelivered.filter(({ child }) => child.block <= throughBlock);
    this.#undelivered = this.#undelivered.filter(({ child }) => child.block > throughBlock);
    return due.map(({ child }) => child);
  }
}
