import { expect, test } from "vitest";
import { readEnvironment } from "../../../src/config/environment.ts";
import { limitsOf } from "../../../src/indexer/limits.ts";
import { account, insert, process, set, storeOf } from "../../support/store-fixture.ts";

const rest = { capacityBytes: 4_000_000, cacheBytes: 1, writeRetryBudgetMs: 1, startBudgetMs: 1 };

test.each([1, 2, 3, 10, 400, 50_000, 200_000, 10_000_000])(
  "with a capacity of %i changes neither a batch nor a run is larger than half of it, and both can make progress",
  (capacityChanges) => {
    const { store, batch } = limitsOf({ ...rest, capacityChanges });
    const half = Math.max(1, capacityChanges / 2);
    expect(batch.items).toBeGreaterThanOrEqual(1);
    expect(batch.items).toBeLessThanOrEqual(half);
    expect(store.maximumChanges).toBeLessThanOrEqual(half);
    expect(store.minimumItems).toBeLessThanOrEqual(store.maximumChanges);
    expect([batch.bytes, store.maximumBytes]).toEqual([rest.capacityBytes / 4, rest.capacityBytes / 2]);
  },
);

/** The limits of a process without any setting. */
function defaultLimits() {
  const { capacityChanges, capacityBytes, cacheBytes, writeRetryBudgetMs } = readEnvironment({});
  return limitsOf({ capacityChanges, capacityBytes, cacheBytes, writeRetryBudgetMs, startBudgetMs: 1 });
}

test("the limits of the defaults", () => {
  expect(defaultLimits()).toMatchObject({
    batch: { items: 5_000 },
    store: { capacityChanges: 500_000, minimumItems: 10_000, maximumChanges: 150_000 },
  });
});

test("by default a cut of 100,000 events is written while the next is processed: nobody waits for capacity", () => {
  const { store: limits, batch } = defaultLimits();
  const store = storeOf({ limits });
  let events = 0;
  // As of a token: each event is a row, and nearly every second one changes a balance that the cut has not changed yet.
  const processCut = (): void => {
    for (let batches = 100_000 / batch.items; batches > 0; batches--) {
      expect(store.capacityReached).toBeUndefined();
      const blocks = Array.from({ length: batch.items }, (_, at) => events + at + 1);
      process(store, { id: events / batch.items + 1, blocks }, () => {
        events++;
        insert(store, { id: BigInt(events), value: 1n });
        if (events % 100 < 44) set(store, account, { id: events, balance: 1n });
      });
    }
  };
  processCut();
  const first = store.takeRun();
  expect(first).toMatchObject({ items: 100_000, changes: 144_000, splitReason: "drained" });
  // It is being written.
  processCut();
  expect(store.capacityReached).toBeUndefined();
  if (first !== undefined) store.durable(first);
  expect(store.takeRun()).toMatchObject({ items: 100_000, changes: 144_000 });
});
