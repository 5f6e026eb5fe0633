import { expect, test } from "vitest";
import { Totals } from "../../../src/indexer/totals.ts";

const evicted = (changed: number): { effects: number; changed: number; loaded: number } => ({
  effects: 0,
  changed,
  loaded: 1,
});

test("totals go on with the next session, whatever the one before counted last, and never fall", () => {
  const totals = new Totals();
  expect([totals.events, totals.evicted]).toEqual([0, { effects: 0, changed: 0, loaded: 0 }]);
  const first = { itemsProcessed: 10, cache: { evicted: evicted(3) } };
  totals.begin(first);
  totals.countUndecodable("mainnet", "data_short");
  // Nobody looks between this and the reorg.
  first.itemsProcessed = 12;
  first.cache.evicted = evicted(5);
  const second = { itemsProcessed: 0, cache: { evicted: evicted(0) } };
  totals.begin(second);
  expect([totals.events, totals.evicted]).toEqual([12, { effects: 0, changed: 5, loaded: 2 }]);
  second.itemsProcessed = 4;
  first.itemsProcessed = 99;
  totals.countUndecodable("mainnet", "data_short");
  expect([totals.events, totals.undecodable]).toEqual([16, [{ chain: "mainnet", reason: "data_short", count: 2 }]]);
});
