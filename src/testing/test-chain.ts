import type { AddressTable } from "../abi/address-table.ts";
import type { EventAbi } from "../abi/event-abi.ts";
import type { FetchedRange } from "../batch/batch.ts";
import type { ChildAddress } from "../chain/child-address.ts";
import { type EventId, eventIdOf } from "../chain/event-id.ts";
import type { BlockFields, TransactionFields } from "../chain/fields.ts";
import type { Address, Hash } from "../chain/hex.ts";
import { type LogFields, logPageOf, selectRows } from "../chain/log-page.ts";
import type { ChainDefinition, ContractDefinition } from "../config/definition.ts";
import type { Registration } from "../config/registration.ts";
import { ChildRegistry } from "../fetch/child-registry.ts";
import { FactoryDiscovery } from "../fetch/factory-discovery.ts";
import { addLate, putAmong } from "../fetch/late-children.ts";
import { LogSelection, type SelectedEvent } from "../fetch/log-selection.ts";
import { RangeBuffer } from "../fetch/range-buffer.ts";
import { RangeSizer } from "../fetch/range-sizer.ts";
import { selectedFactories } from "../indexer/factories.ts";
import { createRegistrar } from "../indexer/registrar.ts";
import { selectedEvents } from "../indexer/routes.ts";
import type { SourceTelemetry } from "../instrument/fetch-telemetry.ts";
import { systemClock } from "../lib/clock.ts";
import { Signal } from "../lib/signal.ts";
import type { Registrar } from "../process/registrar.ts";
import { EmittedDetails } from "./emitted-details.ts";
import { emittedSource } from "./emitted-source.ts";
import { encodeEvent, invalid } from "./encode-event.ts";

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

/** An event that a test may emit. */
interface Emittable {
  readonly selected: SelectedEvent;
  readonly abi: EventAbi;
}

const NEVER = new AbortController().signal;
const NO_REQUESTS: SourceTelemetry = { request: async (_, run) => (await run()).value };
const UNBOUNDED = { items: Number.POSITIVE_INFINITY, bytes: Number.POSITIVE_INFINITY };

/** One chain of a test: makes logs of events, and hands them over as a fetch of real blocks would. */
export class TestChain {
  readonly definition: ChainDefinition;
  readonly buffer: RangeBuffer;
  /** Takes what handlers register. */
  readonly registrar: Registrar;
  readonly #emittable: readonly Emittable[];
  readonly #selection: LogSelection;
  readonly #details = new EmittedDetails();
  readonly #registry = new ChildRegistry();
  readonly #discovery: FactoryDiscovery | undefined;
  /** All that was emitted: some of it may count only when its address has become known. */
  readonly #emitted: LogFields[] = [];
  #logs: LogFields[] = [];
  #last: LogFields | undefined;
  #nextBlock: number;

  constructor(
    definition: ChainDefinition,
    contracts: readonly ContractDefinition[],
    registrations: readonly Registration[],
    addresses: AddressTable,
  ) {
    this.definition = definition;
    const events = selectedEvents(registrations, definition, addresses, this.#registry);
    this.#selection = new LogSelection(events);
    const factories = selectedFactories(contracts, registrations, definition, this.#registry);
    this.#emittable = [
      ...events.map((selected) => ({ selected, abi: registrations[selected.route]?.event as EventAbi })),
      ...(factories?.selected ?? []).map((selected, at) => ({
        selected,
        abi: factories?.events[at]?.decoder.event as EventAbi,
      })),
    ];
    this.#discovery =
      factories &&
      new FactoryDiscovery({
        ...factories,
        source: emittedSource(() => this.#emitted),
        registry: this.#registry,
        sizer: new RangeSizer(Number.MAX_SAFE_INTEGER),
        nextBlock: 0,
        requests: () => NO_REQUESTS,
        onUndecodable: (error) => {
          throw error;
        },
        clock: systemClock,
      });
    this.registrar = createRegistrar(contracts, definition, this.#registry);
    const startBlocks = this.#emittable.map(({ selected }) => selected.startBlock);
    this.#nextBlock = startBlocks.length === 0 ? 0 : Math.min(...startBlocks);
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
    const { selected, abi } = this.#selectedEvent(key);
    const block = this.#block(key, place.block, selected);
    const logIndex = place.log?.index ?? (this.#last?.blockNumber === block.number ? this.#last.logIndex + 1 : 0);
    const log: LogFields = {
      ...encodeEvent(abi, args),
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
    this.#emitted.push(log);
    this.#last = log;
    return id;
  }

  /** What was emitted since the last time goes into the buffer, as one range that ends with the last event's block. */
  async deliver(): Promise<void> {
    const last = this.#logs.at(-1);
    if (last === undefined) return;
    const toBlock = last.blockNumber;
    await this.#discovery?.reach(toBlock, toBlock, NEVER);
    const range = this.#rangeOf(this.#selection, this.#logs, toBlock);
    const children = this.#registry.deliver(toBlock);
    this.buffer.put({ ...range, details: this.#details.take(), children });
    this.#nextBlock = toBlock + 1;
    this.#logs = [];
  }

  /** What was emitted at these addresses from their blocks on joins what is in the buffer. */
  async cover(children: readonly ChildAddress[]): Promise<void> {
    const { late, deliver } = await addLate(this.#registry, this.#discovery, children, NEVER);
    const toBlock = this.#nextBlock - 1;
    const logs = this.#emitted.filter(
      ({ blockNumber }) => blockNumber >= this.buffer.nextBlock && blockNumber <= toBlock,
    );
    putAmong(this.buffer, [this.#rangeOf(this.#selection.of(late), logs, toBlock)], deliver(toBlock));
  }

  #rangeOf(selection: LogSelection, logs: readonly LogFields[], toBlock: number): FetchedRange {
    const page = logPageOf(logs);
    const { rows, routes } = selection.route(page);
    return {
      chainId: this.definition.id,
      fromBlock: this.#nextBlock,
      toBlock,
      page: selectRows(page, rows),
      routes,
      headers: [],
      head: { number: toBlock, finalized: toBlock, live: true },
      origin: undefined,
    };
  }

  #selectedEvent(key: string): Emittable {
    const found = this.#emittable.find(({ selected }) => selected.label === key);
    if (found === undefined) {
      throw invalid(
        `${key} has no handler, or its contract is not on ${this.definition.name}`,
        "Import the handler files in the test, and name a chain of the contract.",
      );
    }
    return found;
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
    if (addresses.length === 0) {
      if (given !== undefined) return address;
      const fix = "Give log: { address }: it counts once an event of the factory, or a handler, has brought it.";
      throw invalid(`${key} has no address of its own`, fix);
    }
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
