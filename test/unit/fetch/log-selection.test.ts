import { describe, expect, test } from "vitest";
import type { LogFields } from "../../../src/chain/log-page.ts";
import { LogSelection, type SelectedEvent } from "../../../src/fetch/log-selection.ts";
import { pageOf } from "../../support/log-pages.ts";

const topic = (byte: string): `0x${string}` => `0x${byte.repeat(32)}`;
const address = (byte: string): `0x${string}` => `0x${byte.repeat(20)}`;

function event(route: number, more: Partial<SelectedEvent> = {}): SelectedEvent {
  return {
    route,
    label: `C.E${route}`,
    contract: "C",
    topic: topic("aa"),
    topicCount: 1,
    addresses: [address("01")],
    startBlock: 0,
    endBlock: Number.POSITIVE_INFINITY,
    ...more,
  };
}
const selection = (...events: readonly SelectedEvent[]): LogSelection => new LogSelection(events);

describe("the query", () => {
  test("asks for the addresses and topics that are wanted in the range, each once", () => {
    const selected = selection(
      event(0, { addresses: [address("01"), address("02")], startBlock: 10 }),
      event(1, { topic: topic("bb"), addresses: [address("02")], endBlock: 20 }),
    );
    expect([selected.startBlock, selected.endBlock]).toEqual([0, Number.POSITIVE_INFINITY]);
    expect(selected.queries(5, 15)).toEqual([
      {
        fromBlock: 5,
        toBlock: 15,
        addresses: [address("01"), address("02")],
        topics: [topic("aa"), topic("bb")],
      },
    ]);
    expect(selected.queries(21, 30)).toMatchObject([{ topics: [topic("aa")] }]);
    expect(selected.queries(0, 9)).toMatchObject([{ topics: [topic("bb")], addresses: [address("02")] }]);
  });

  test("asks for a topic at any address when it is wanted of any, and for others apart", () => {
    const selected = selection(
      event(0),
      event(1, { topic: topic("bb"), addresses: undefined }),
      event(2, { topic: topic("bb"), topicCount: 2 }),
    );
    expect(selected.queries(0, 9)).toEqual([
      { fromBlock: 0, toBlock: 9, addresses: undefined, topics: [topic("bb")] },
      { fromBlock: 0, toBlock: 9, addresses: [address("01")], topics: [topic("aa")] },
    ]);
  });

  test("is none where nothing is wanted", () => {
    const selected = selection(event(0, { startBlock: 10, endBlock: 20 }));
    expect([selected.queries(0, 9), selected.queries(21, 99)]).toEqual([[], []]);
    expect(selected.queries(9, 10)).toHaveLength(1);
  });
});

describe("the route of a log", () => {
  const routesOf = (selected: LogSelection, ...logs: readonly Partial<LogFields>[]): unknown => {
    const { rows, routes } = selected.route(pageOf(...logs));
    return [...rows].map((row, at) => [row, routes[at]]);
  };

  test("follows topic, address and block, whatever the case of its hex", () => {
    const selected = selection(
      event(3, { startBlock: 5, endBlock: 6 }),
      event(7, { topic: topic("bb"), addresses: undefined }),
    );
    const mine = { address: address("01"), topics: [topic("AA")], blockNumber: 5 };
    expect(
      routesOf(
        selected,
        mine,
        { ...mine, address: address("02") },
        { ...mine, blockNumber: 4 },
        { ...mine, blockNumber: 6 },
        { ...mine, blockNumber: 7 },
        { ...mine, topics: [] },
        { ...mine, topics: [topic("cc")] },
        { ...mine, topics: [topic("bB")], address: address("99") },
      ),
    ).toEqual([
      [0, 3],
      [3, 3],
      [7, 7],
    ]);
  });

  test("takes the form with as many topics; another form goes to a decoder that refuses it", () => {
    const selected = selection(event(0, { topicCount: 3 }), event(1, { topicCount: 4 }));
    const log = (topics: number) => ({
      address: address("01"),
      topics: Array.from({ length: topics }, () => topic("aa")),
    });
    expect(routesOf(selected, log(3), log(4), log(2))).toEqual([
      [0, 0],
      [1, 1],
      [2, 0],
    ]);
  });

  test("prefers a contract that names the address to one that takes any", () => {
    const selected = selection(event(0, { addresses: undefined }), event(1));
    const log = { topics: [topic("aa")] };
    expect(routesOf(selected, { ...log, address: address("01") }, { ...log, address: address("02") })).toEqual([
      [0, 1],
      [1, 0],
    ]);
  });
});

test("two events that would take the same logs are refused", () => {
  expect(() => selection(event(0), event(1))).toThrow(
    expect.objectContaining({
      code: "CONFIG_INVALID",
      message: `C.E1 and C.E0 both take the same logs of ${address("01")}`,
    }),
  );
});
