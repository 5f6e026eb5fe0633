import type { ChildAddress } from "../chain/child-address.ts";

/** What handlers register addresses with, of one chain. */
export interface Registrar {
  /**
   * @returns the address in its one form; undefined: its logs are covered from the block on already
   * @throws SpindexError REGISTER_INVALID when there is no such contract on the chain, or it is no address
   */
  resolve(contract: unknown, address: unknown, block: number): ChildAddress | undefined;
}

/** The addresses that the handlers of a block have registered and whose logs were not asked for. */
export class BlockRegistrations {
  #children: ChildAddress[] = [];
  #eventStart = 0;

  get isEmpty(): boolean {
    return this.#children.length === 0;
  }

  get children(): readonly ChildAddress[] {
    return this.#children;
  }

  beginEvent(): void {
    this.#eventStart = this.#children.length;
  }

  add(child: ChildAddress): void {
    const isKnown = this.#children.some(
      ({ contract, address }) => contract === child.contract && address === child.address,
    );
    if (!isKnown) this.#children.push(child);
  }

  undoEvent(): void {
    this.#children.length = this.#eventStart;
  }
}
