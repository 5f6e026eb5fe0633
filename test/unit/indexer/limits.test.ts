import { expect, test } from "vitest";
import { limitsOf } from "../../../src/indexer/limits.ts";

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

test("the limits of the defaults", () => {
  expect(limitsOf({ ...rest, capacityChanges: 200_000 })).toMatchObject({
    batch: { items: 5_000 },
    store: { minimumItems: 10_000, maximumChanges: 100_000 },
  });
});
