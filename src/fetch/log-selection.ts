import type { ChildAddress } from "../chain/child-address.ts";
import type { Address, Hash } from "../chain/hex.ts";
import type { LogPage } from "../chain/log-page.ts";
import { SpindexError } from "../errors.ts";
import type { LogQuery } from "../source/source.ts";
import { AddressesSince } from "./child-registry.ts";
import { DetailSelection, type RoutedRows, type SelectedDetails } from "./detail-selection.ts";

/** An event that is wanted on a chain. */
export interface SelectedEvent {
  /** Number of its route. */
  readonly route: number;
  /** `Contract.Event`, for errors. */
  readonly label: string;
  readonly contract: string;
  readonly topic: Hash;
  /** Topics that a log of it has: the first one, and one for each indexed argument. */
  readonly topicCount: number;
  /** Those in the configuration. Undefined: any address. */
  readonly addresses: readonly Address[] | undefined;
  /** The contract's further addresses, as they become known. */
  readonly children?: AddressesSince | undefined;
  /** The factory that brings them, to tell whether another contract has the same. */
  readonly factory?: string | undefined;
  readonly startBlock: number;
  /** Included. */
  readonly endBlock: number;
  /** Undefined: its handler selects no fields beyond the default ones. */
  readonly details?: SelectedDetails | undefined;
}

/** The log belongs to no route. */
const NO_ROUTE = -1;

/**
 * A contract with more addresses is asked for at any address, and its logs are picked here: nodes limit the list, and a
 * request for each part of a long one would cost more than the logs of others.
 */
const MAX_ASKED_ADDRESSES = 500;

interface Candidate extends SelectedEvent {
  /** Those in the configuration; undefined: any. */
  readonly fixed: AddressesSince | undefined;
  /** The 64 digits of the topic as ASCII. */
  readonly digits: Buffer;
}

/** Which logs of one chain are wanted, as a query to a source and as a filter over its answer. */
export class LogSelection {
  /** Undefined: no handler selects fields. */
  readonly details: DetailSelection | undefined;
  readonly #events: readonly SelectedEvent[];
  readonly #candidates: readonly Candidate[];

  /** @throws SpindexError CONFIG_INVALID when two routes claim the same logs */
  constructor(events: readonly SelectedEvent[]) {
    refuseOverlaps(events);
    this.#events = events;
    this.details = events.some(({ details }) => details !== undefined) ? new DetailSelection(events) : undefined;
    this.#candidates = events
      .map((event) => ({
        ...event,
        fixed: event.addresses && fixedAddresses(event.addresses),
        digits: Buffer.from(event.topic.slice(2), "latin1"),
      }))
      // A contract with addresses of its own comes before one that takes any address.
      .toSorted((a, b) => Number(a.fixed === undefined) - Number(b.fixed === undefined));
  }

  get startBlock(): number {
    return Math.min(...this.#candidates.map((event) => event.startBlock));
  }

  /** Included; infinite when an event follows the head. */
  get endBlock(): number {
    return Math.max(...this.#candidates.map((event) => event.endBlock));
  }

  /**
   * The queries for a range: one for the topics that are wanted of any address, and one for the others at their
   * addresses. None when nothing is wanted in it. No log comes with both.
   */
  queries(fromBlock: number, toBlock: number): readonly LogQuery[] {
    const active = this.#candidates
      .filter((event) => event.startBlock <= toBlock && event.endBlock >= fromBlock)
      .map(({ topic, fixed, children }) => ({ topic, addresses: askedAddresses(fixed, children, toBlock) }));
    const anywhere = new Set(active.filter(({ addresses }) => addresses === undefined).map(({ topic }) => topic));
    const listed = active.filter(({ topic }) => !anywhere.has(topic));
    const addresses = new Set(listed.flatMap((event) => event.addresses ?? []));
    const topics = new Set(listed.filter((event) => event.addresses?.length !== 0).map(({ topic }) => topic));
    const queries: LogQuery[] = [];
    if (anywhere.size > 0) queries.push({ fromBlock, toBlock, addresses: undefined, topics: [...anywhere] });
    if (topics.size > 0) queries.push({ fromBlock, toBlock, addresses: [...addresses], topics: [...topics] });
    return queries;
  }

  /** The same events of these addresses alone, each from its block on. */
  of(children: readonly ChildAddress[]): LogSelection {
    const events = this.#events.flatMap((event) => {
      const own = children.filter(({ contract }) => contract === event.contract);
      if (event.addresses === undefined || own.length === 0) return [];
      const only = new AddressesSince();
      for (const { address, block } of own) only.add(address, block);
      return [{ ...event, addresses: [], children: only }];
    });
    return new LogSelection(events);
  }

  /** The contracts that are asked for at any address, up to a block. */
  askedAnywhere(toBlock: number): ReadonlySet<string> {
    const anywhere = this.#candidates.filter(
      ({ fixed, children }) => askedAddresses(fixed, children, toBlock) === undefined,
    );
    return new Set(anywhere.map(({ contract }) => contract));
  }

  /** Rows of the page that have a route, and the route of each. */
  route(page: LogPage): RoutedRows {
    const rows = new Uint32Array(page.count);
    const routes = new Uint16Array(page.count);
    let count = 0;
    for (let row = 0; row < page.count; row++) {
      const route = this.#routeOf(page, row);
      if (route === NO_ROUTE) continue;
      rows[count] = row;
      routes[count] = route;
      count++;
    }
    return { rows: rows.subarray(0, count), routes: routes.subarray(0, count) };
  }

  #routeOf(page: LogPage, row: number): number {
    const topicCount = page.topicCount[row] as number;
    if (topicCount === 0) return NO_ROUTE;
    const topicAt = page.topics[row * 4] as number;
    const block = page.blockNumber[row] as number;
    const addressAt = page.address[row] as number;
    let otherForm = NO_ROUTE;
    for (const event of this.#candidates) {
      if (!hasDigits(page.text, topicAt, event.digits)) continue;
      if (block < event.startBlock || block > event.endBlock) continue;
      if (event.fixed?.has(page.text, addressAt, block) === false) {
        if (event.children?.has(page.text, addressAt, block) !== true) continue;
      }
      if (event.topicCount === topicCount) return event.route;
      // The same signature indexed otherwise: it goes to the decoder, which says why it does not decode.
      if (otherForm === NO_ROUTE) otherForm = event.route;
    }
    return otherForm;
  }
}

/** Whether the 64 hex digits at `at`, of either case, are these lower-case ones. */
function hasDigits(text: Buffer, at: number, digits: Buffer): boolean {
  for (let i = 0; i < digits.length; i++) {
    if (((text[at + i] as number) | 0x20) !== digits[i]) return false;
  }
  return true;
}

function fixedAddresses(addresses: readonly Address[]): AddressesSince {
  const fixed = new AddressesSince();
  for (const address of addresses) fixed.add(address, 0);
  return fixed;
}

/** What is asked for; undefined: any address, since they are any, or too many. */
function askedAddresses(
  fixed: AddressesSince | undefined,
  children: AddressesSince | undefined,
  toBlock: number,
): readonly Address[] | undefined {
  const listed = fixed?.upTo(toBlock, MAX_ASKED_ADDRESSES);
  const further = children === undefined ? [] : children.upTo(toBlock, MAX_ASKED_ADDRESSES);
  if (listed === undefined || further === undefined) return undefined;
  return listed.length + further.length > MAX_ASKED_ADDRESSES ? undefined : [...listed, ...further];
}

function refuseOverlaps(events: readonly SelectedEvent[]): void {
  const seen = new Map<string, string>();
  for (const event of events) {
    const factory = event.factory === undefined ? [] : [event.factory];
    for (const address of [...(event.addresses ?? ["any"]), ...factory]) {
      const place = `${address}/${event.topic}/${event.topicCount}`;
      const other = seen.get(place);
      if (other !== undefined) {
        throw new SpindexError("CONFIG_INVALID", `${event.label} and ${other} both take the same logs of ${address}`, {
          fix: "Handle the event in one contract.",
        });
      }
      seen.set(place, event.label);
    }
  }
}
