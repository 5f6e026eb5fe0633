import type { AddressTable } from "../abi/address-table.ts";
import type { UndecodableLog } from "../abi/undecodable-log.ts";
import type { BatchRoom } from "../batch/create-batch.ts";
import type { BlockHeader } from "../chain/block.ts";
import type { ChainLabel } from "../chain/chain-label.ts";
import type { ChildAddress } from "../chain/child-address.ts";
import type { ChainDefinition, ContractDefinition } from "../config/definition.ts";
import type { Registration } from "../config/registration.ts";
import { ChainFetcher } from "../fetch/chain-fetcher.ts";
import { ChildRegistry } from "../fetch/child-registry.ts";
import { FactoryDiscovery } from "../fetch/factory-discovery.ts";
import { HeadTracker } from "../fetch/head-tracker.ts";
import { LogSelection } from "../fetch/log-selection.ts";
import { RangeBuffer } from "../fetch/range-buffer.ts";
import { RangeSizer } from "../fetch/range-sizer.ts";
import type { Telemetry } from "../instrument/telemetry.ts";
import type { Clock } from "../lib/clock.ts";
import type { Signal } from "../lib/signal.ts";
import type { ChainSupply } from "../process/processing-loop.ts";
import type { Registrar } from "../process/registrar.ts";
import { requireLinked } from "../reorg/chain-link.ts";
import type { ChainSource } from "../source/fallback-source.ts";
import { selectedFactories } from "./factories.ts";
import { createRegistrar } from "./registrar.ts";
import { selectedEvents } from "./routes.ts";

/** Where a chain goes on. */
export interface LaneStart {
  readonly nextBlock: number;
  /** The newest block of ours whose hash is known. */
  readonly lastHeader: BlockHeader | undefined;
  /** The highest block known to be final. */
  readonly finalized: number;
  /** Addresses that are not in the configuration, up to the position. */
  readonly children: readonly ChildAddress[];
}

export interface LaneOptions {
  readonly definition: ChainDefinition;
  readonly contracts: readonly ContractDefinition[];
  readonly registrations: readonly Registration[];
  readonly source: ChainSource;
  readonly addresses: AddressTable;
  /** Resume position; undefined: from the beginning. */
  readonly start: LaneStart | undefined;
  /** Its head was once reached in this deployment. */
  readonly live: boolean;
  readonly arrived: Signal;
  readonly once: boolean;
  readonly bufferRoom: BatchRoom;
  readonly onUndecodable: (chain: ChainLabel, error: UndecodableLog) => void;
  readonly telemetry: Telemetry;
  readonly clock: Clock;
}

/** The parts that one chain has of its own, joined: what is wanted of it, its head, its fetch loop and its buffer. */
export interface ChainLane {
  readonly definition: ChainDefinition;
  readonly label: ChainLabel;
  readonly selection: LogSelection;
  readonly head: HeadTracker;
  readonly sizer: RangeSizer;
  readonly fetcher: ChainFetcher;
  readonly supply: ChainSupply;
  readonly buffer: RangeBuffer;
  readonly source: ChainSource;
  /** Takes what handlers register. */
  readonly registrar: Registrar;
}

/** Queries under way at once: enough to hide a round trip, few enough to keep memory small. */
const PARALLEL_QUERIES = 3;

export function createLane(options: LaneOptions): ChainLane {
  const { definition, source, telemetry, clock, start } = options;
  const label = { name: definition.name, id: definition.id };
  const registry = new ChildRegistry(start?.children);
  const selection = new LogSelection(selectedEvents(options.registrations, definition, options.addresses, registry));
  const nextBlock = start?.nextBlock ?? selection.startBlock;
  const head = new HeadTracker({
    maxReorgDepth: definition.maxReorgDepth,
    blockLag: definition.blockLag,
    live: options.live,
    finalized: start?.finalized ?? -1,
    clock,
  });
  const sizer = sizerOf(definition);
  const buffer = new RangeBuffer(definition.id, nextBlock, options.bufferRoom, options.arrived);
  const fetcher = new ChainFetcher({
    chain: label,
    source,
    selection,
    registry,
    discovery: discoveryOf(options, label, registry, nextBlock > selection.startBlock ? nextBlock : undefined),
    head,
    sizer,
    buffer,
    nextBlock,
    lastHeader: start?.lastHeader,
    pollIntervalMs: definition.pollIntervalMs,
    once: options.once,
    parallel: PARALLEL_QUERIES,
    checkLink: requireLinked,
    telemetry,
    clock,
  });
  return {
    definition,
    label,
    selection,
    head,
    sizer,
    fetcher,
    supply: supplyOf(label, buffer, head, fetcher),
    buffer,
    source,
    registrar: createRegistrar(options.contracts, definition, registry),
  };
}

function sizerOf({ sources }: ChainDefinition): RangeSizer {
  return new RangeSizer(Math.min(...sources.map(({ maxRangeBlocks }) => maxRangeBlocks)));
}

/** @param resumeAt undefined: nothing is known yet, and a factory may be older than what is indexed of its children */
function discoveryOf(
  options: LaneOptions,
  label: ChainLabel,
  registry: ChildRegistry,
  resumeAt: number | undefined,
): FactoryDiscovery | undefined {
  const { contracts, registrations, definition, source, telemetry, clock } = options;
  const factories = selectedFactories(contracts, registrations, definition, registry);
  if (factories === undefined) return undefined;
  return new FactoryDiscovery({
    ...factories,
    source,
    registry,
    sizer: sizerOf(definition),
    nextBlock: resumeAt ?? factories.selection.startBlock,
    requests: () => telemetry.source(label, source.name),
    onUndecodable: (error) => options.onUndecodable(label, error),
    clock,
  });
}

function supplyOf(label: ChainLabel, buffer: RangeBuffer, head: HeadTracker, fetcher: ChainFetcher): ChainSupply {
  return {
    label,
    chainId: label.id,
    take: (room, atLeastOne) => buffer.take(room, atLeastOne),
    giveBack: (slices) => buffer.giveBack(slices),
    cover: (children, signal) => fetcher.cover(children, signal),
    get isEmpty() {
      return buffer.isEmpty;
    },
    get isEnded() {
      return buffer.isEnded;
    },
    get isAtHead() {
      return buffer.isAtHead;
    },
    get isInsideWindow() {
      return head.finalized >= 0 && fetcher.fetched > head.finalized;
    },
  };
}
