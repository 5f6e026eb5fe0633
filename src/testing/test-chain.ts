import type { AddressTable } from "../abi/address-table.ts";
import { type EventId, eventIdOf } from "../chain/event-id.ts";
import type { BlockFields, TransactionFields } from "../chain/fields.ts";
import type { Address, Hash } from "../chain/hex.ts";
import { type LogFields, logPageOf } from "../chain/log-page.ts";
import type { ChainDefinition } from "../config/definition.ts";
import type { Registration } from "../config/registration.ts";
import { SpindexError } from "../errors.ts";
import { ChildRegistry } from "../fetch/child-registry.ts";
import { LogSelection, type SelectedEvent } from "../fetch/log-selection.ts";
import { RangeBuffer } from "../fetch/range-buffer.ts";
import { selectedEvents } from "../indexer/routes.ts";
import { Signal } from "../lib/signal.ts";
import { EmittedDetails } from "./emitted-details.ts";
import { encodeEvent } from "./encode-event.ts";

/** The block of an emitted event; also fields that handlers select, which are zero when they are left out. */
export interface EmittedBlock extends Partial<BlockFields> {
  readonly number: number | bigint;
  /** Unix seconds. Default: 12 seconds a block, counted from the one with number 0 at 2021-01-01. */
  readonly timestamp?: number;
  /** Default: the block's number. */
  readonly hash?: Hash;
}

/** Where an event is emitted; what is left out has plain values that depend on nothing but the events before. */
export interface EmittedPlace {
  /** Its number, or more. Default: the block after that of the last event; first, where the event's indexing begins. */
  readonly block?: number | bigint | EmittedBlock;
  readonly log?: {
    /** Default: the contract's first address on the chain. */
    readonly address?: Address;
    /** Position in the block. Default: the one after the last event's. */
    readonly index?: number;
  };
  /** Also fields that handlers select, which are zero when they are left out. */
  readonly transaction?: Partial<TransactionFields> & {
    /** Default: block number and log index. */
    readonly hash?: Hash;
    /** Position in the block. Default: the log's. */
    readonly index?: number;
  };
}

const GENESIS = Date.UTC(2021, 0, 1) / 1000;
const BLOCK_SECONDS = 12;
/** For contracts without an address of their own. */
const ANY_ADDRESS: Address = `0x${"c0".repeat(20)}`;

interface PlacedBlock {
  readonly number: number;
  readonly timestamp: number;
  readonly hash: Hash;
}

const UNBOUNDED = { items: Number.POSITIVE_INFINITY, bytes: Number.POSITIVE_INFINITY };

/** One chain of a test: makes logs of events, and hands them over as a fetch of real blocks would. */
export class TestChain {
  readonly definition: ChainDefinition;
  readonly buffer: RangeBuffer;
  readonly #registrations: readonly Registration[];
  readonly #events: readonly SelectedEvent[];
  readonly #selection: LogSelection;
  readonly #details = new EmittedDetails();
  readonly #registry = new ChildRegistry();
  #logs: LogFields[] = [];
  #last: LogFields | undefined;
  #nextBlock: number;

  constructor(definition: ChainDefinition, registrations: readonly Registration[], addresses: AddressTable) {
    this.definition = definition;
    this.#registrations = registrations;
    this.#events = selectedEvents(registrations, definition, addresses, this.#registry);
    this.#selection = new LogSelection(this.#events);
    this.#nextBlock = this.#events.length === 0 ? 0 : this.#selection.startBlock;
    this.buffer = new RangeBuffer(definition.id, this.#nextBlock, UNBOUNDED, new Signal());
  }

  /** The first block that is indexed; infinite when nothing is. */
  get startBlock(): number {
    return this.#selection.startBlock;
  }

  /**
   * Adds an event after those before.
   * @returns the event's id
   * @throws SpindexError TEST_INPUT_INVALID
   */
  emit(key: string, args: Readonly<Record<string, unknown>>, place: EmittedPlace): EventId {
    const { selected, registration } = this.#selectedEvent(key);
    const block = this.#block(key, place.block, selected);
    const logIndex = place.log?.index ?? (this.#last?.blockNumber === block.number ? this.#last.logIndex + 1 : 0);
    const log: LogFields = {
      ...encodeEvent(registration.event, args),
      address: this.#address(key, place.log?.address, selected),
      blockNumber: block.number,
      blockTimestamp: block.timestamp,
      blockHash: block.hash,
      transactionHash: place.transaction?.hash ?? wordOf(block.number, logIndex),
      transactionIndex: place.transaction?.index ?? logIndex,
      logIndex,
    };
    this.#requireOrder(key, log);
    this.#details.add(log, typeof place.block === "object" ? place.block : {}, place.transaction ?? {});
    const id = eventIdOf(log.blockNumber, logIndex);
    this.#logs.push(log);
    this.#last = log;
    return id;
  }

  /** What was emitted since the last time goes into the buffer, as one range that ends with the last event's block. */
  deliver(): void {
    const last = this.#logs.at(-1);
    if (last === undefined) return;
    const page = logPageOf(this.#logs);
    const { routes } = this.#selection.route(page);
    const [fromBlock, toBlock] = [this.#nextBlock, last.blockNumber];
    const head = { number: toBlock, finalized: toBlock, live: true };
    this.buffer.put({
      chainId: this.definition.id,
      fromBlock,
      toBlock,
      page,
      routes,
      headers: [],
      details: this.#details.take(),
      head,
      origin: undefined,
    });
    this.#nextBlock = toBlock + 1;
    this.#logs = [];
  }

  #selectedEvent(key: string): { selected: SelectedEvent; registration: Registration } {
    const selected = this.#events.find(({ label }) => label === key);
    const registration = selected && this.#registrations[selected.route];
    if (selected === undefined || registration === undefined) {
      throw invalid(
        `${key} has no handler, or its contract is not on ${this.definition.name}`,
        "Import the handler files in the test, and name a chain of the contract.",
      );
    }
    return { selected, registration };
  }

  #block(key: string, given: EmittedPlace["block"], event: SelectedEvent): PlacedBlock {
    const wanted: Partial<EmittedBlock> =
      typeof given === "object" ? given : given === undefined ? {} : { number: given };
    const following = Math.max(event.startBlock, this.#last === undefined ? 0 : this.#last.blockNumber + 1);
    const number = Number(wanted.number ?? following);
    if (number < event.startBlock || number > event.endBlock) {
      throw invalid(
        `${key} is indexed from block ${event.startBlock} to ${event.endBlock}, not at block ${number}`,
        "Give a block in between.",
      );
    }
    const same = this.#last?.blockNumber === number ? this.#last : undefined;
    const timestamp = wanted.timestamp ?? same?.blockTimestamp ?? GENESIS + number * BLOCK_SECONDS;
    const hash = (wanted.hash ?? same?.blockHash ?? wordOf(number)) as Hash;
    if (same !== undefined && (timestamp !== same.blockTimestamp || hash !== same.blockHash)) {
      throw invalid(`${key}: block ${number} has another timestamp or hash in an event before`, "Give it once.");
    }
    return { number, timestamp, hash };
  }

  #address(key: string, given: Address | undefined, { addresses }: SelectedEvent): Address {
    const address = (given?.toLowerCase() ?? addresses?.[0] ?? ANY_ADDRESS) as Address;
    if (addresses === undefined || addresses.includes(address)) return address;
    throw invalid(`${key} is not indexed at ${address}`, `Its contract has the addresses ${addresses.join(", ")}.`);
  }

  #requireOrder(key: string, { blockNumber, logIndex }: LogFields): void {
    const last = this.#last;
    const isNext =
      blockNumber >= this.#nextBlock &&
      (last === undefined ||
        blockNumber > last.blockNumber ||
        (blockNumber === last.blockNumber && logIndex > last.logIndex));
    if (isNext) return;
    throw invalid(
      `${key} at block ${blockNumber}, log ${logIndex} does not come after what was emitted before, or its block was processed`,
      "Emit events in the order of the chain, and all of a block before it is processed.",
    );
  }
}

function wordOf(block: number, logIndex?: number): Hash {
  const low = logIndex === undefined ? "" : logIndex.toString(16).padStart(8, "0");
  return `0x${block.toString(16).padStart(64 - low.length, "0")}${low}`;
}

export function invalid(message: string, fix: string): SpindexError {
  return new SpindexError("TEST_INPUT_INVALID", message, { fix });
}
