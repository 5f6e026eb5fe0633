import type { AddressTable } from "../abi/address-table.ts";
import { type EventId, eventIdOf } from "../chain/event-id.ts";
import type { Address, Hash } from "../chain/hex.ts";
import { hexAt, isReleased, type LogPage } from "../chain/log-page.ts";
import { SpindexError } from "../errors.ts";

/** The block of an event. */
export interface EventBlock {
  readonly number: bigint;
  /** Unix seconds. */
  readonly timestamp: number;
  readonly hash: Hash;
}

export interface EventTransaction {
  readonly hash: Hash;
  /** Position in the block. */
  readonly index: number;
}

export interface EventLog {
  readonly address: Address;
  /** Position in the block, over all transactions. */
  readonly index: number;
}

/** A decoded log as a handler sees it. Transaction and log are read from the page when they are asked for. */
export class HandledEvent {
  readonly id: EventId;
  readonly contract: string;
  /** With its parameter types when the contract overloads the name. */
  readonly name: string;
  readonly args: Readonly<Record<string, unknown>>;
  readonly block: EventBlock;
  readonly #page: LogPage;
  readonly #row: number;
  readonly #addresses: AddressTable;

  constructor(
    contract: string,
    name: string,
    args: Readonly<Record<string, unknown>>,
    block: EventBlock,
    page: LogPage,
    row: number,
    addresses: AddressTable,
  ) {
    this.contract = contract;
    this.name = name;
    this.args = args;
    this.block = block;
    this.#page = page;
    this.#row = row;
    this.#addresses = addresses;
    this.id = this.idOf(0);
  }

  /**
   * An id for the n-th row that this event makes; `idOf(0)` is `id`.
   * @param n from 0 to 1023
   */
  idOf(n: number): EventId {
    return eventIdOf(this.#page.blockNumber[this.#row] as number, this.#page.logIndex[this.#row] as number, n);
  }

  /** @throws SpindexError CONTEXT_REVOKED once the event's batch has been processed */
  get transaction(): EventTransaction {
    this.#requireText("transaction");
    return {
      hash: hexAt(this.#page, this.#page.transactionHash[this.#row] as number, 64),
      index: this.#page.transactionIndex[this.#row] as number,
    };
  }

  /** @throws SpindexError CONTEXT_REVOKED once the event's batch has been processed */
  get log(): EventLog {
    this.#requireText("log");
    return {
      address: this.#addresses.at(this.#page.text, this.#page.address[this.#row] as number),
      index: this.#page.logIndex[this.#row] as number,
    };
  }

  #requireText(part: string): void {
    if (!isReleased(this.#page)) return;
    throw new SpindexError(
      "CONTEXT_REVOKED",
      `event.${part} of ${this.contract}.${this.name} was read after its batch`,
      {
        fix: `Read event.${part} within the handler, and keep what you need of it.`,
      },
    );
  }
}

export function blockOf(page: LogPage, row: number): EventBlock {
  return Object.freeze({
    number: BigInt(page.blockNumber[row] as number),
    timestamp: page.blockTimestamp[row] as number,
    hash: hexAt(page, page.blockHash[row] as number, 64),
  });
}
