import type { AddressTable } from "../abi/address-table.ts";
import type { Address, Hash } from "../chain/hex.ts";
import type { LogPage } from "../chain/log-page.ts";
import { SpindexError } from "../errors.ts";
import type { LogQuery } from "../source/source.ts";
import { DetailSelection, type RoutedRows, type SelectedDetails } from "./detail-selection.ts";

/** An event that is wanted on a chain. */
export interface SelectedEvent {
  /** Number of its route. */
  readonly route: number;
  /** `Contract.Event`, for errors. */
  readonly label: string;
  readonly topic: Hash;
  /** Topics that a log of it has: the first one, and one for each indexed argument. */
  readonly topicCount: number;
  /** Undefined: any address. */
  readonly addresses: readonly Address[] | undefined;
  readonly startBlock: number;
  /** Included. */
  readonly endBlock: number;
  /** Undefined: its handler selects no fields beyond the default ones. */
  readonly details?: SelectedDetails | undefined;
}

/** The log belongs to no route. */
const NO_ROUTE = -1;

interface Candidate extends SelectedEvent {
  readonly addressSet: ReadonlySet<Address> | undefined;
  /** The 64 digits of the topic as ASCII. */
  readonly digits: Buffer;
}

/** Which logs of one chain are wanted, as a query to a source and as a filter over its answer. */
export class LogSelection {
  /** Undefined: no handler selects fields. */
  readonly details: DetailSelection | undefined;
  readonly #candidates: readonly Candidate[];
  readonly #addresses: AddressTable;

  /** @throws SpindexError CONFIG_INVALID when two routes claim the same logs */
  constructor(events: readonly SelectedEvent[], addresses: AddressTable) {
    refuseOverlaps(events);
    this.#addresses = addresses;
    this.details = events.some(({ details }) => details !== undefined) ? new DetailSelection(events) : undefined;
    this.#candidates = events
      .map((event) => ({
        ...event,
        addressSet: event.addresses === undefined ? undefined : new Set(event.addresses),
        digits: Buffer.from(event.topic.slice(2), "latin1"),
      }))
      // A contract with addresses of its own comes before one that takes any address.
      .toSorted((a, b) => Number(a.addressSet === undefined) - Number(b.addressSet === undefined));
  }

  get startBlock(): number {
    return Math.min(...this.#candidates.map((event) => event.startBlock));
  }

  /** Included; infinite when an event follows the head. */
  get endBlock(): number {
    return Math.max(...this.#candidates.map((event) => event.endBlock));
  }

  /** The query for a range; undefined when no event is wanted in it. */
  query(fromBlock: number, toBlock: number): LogQuery | undefined {
    const active = this.#candidates.filter((event) => event.startBlock <= toBlock && event.endBlock >= fromBlock);
    if (active.length === 0) return undefined;
    const any = active.some((event) => event.addresses === undefined);
    return {
      fromBlock,
      toBlock,
      addresses: any ? undefined : [...new Set(active.flatMap((event) => event.addresses ?? []))],
      topics: [...new Set(active.map((event) => event.topic))],
    };
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
    let address: Address | undefined;
    let otherForm = NO_ROUTE;
    for (const event of this.#candidates) {
      if (!hasDigits(page.text, topicAt, event.digits)) continue;
      if (block < event.startBlock || block > event.endBlock) continue;
      if (event.addressSet !== undefined) {
        address ??= this.#addresses.at(page.text, page.address[row] as number);
        if (!event.addressSet.has(address)) continue;
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

function refuseOverlaps(events: readonly SelectedEvent[]): void {
  const seen = new Map<string, string>();
  for (const event of events) {
    for (const address of event.addresses ?? ["any"]) {
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
