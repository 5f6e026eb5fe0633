import { expect, test } from "vitest";
import { jsonDifferences } from "../../../src/postgres/definition-diff.ts";

test("equal definitions differ in nothing, whatever the order of their properties", () => {
  expect(jsonDifferences({ a: [{ x: 1, y: 2 }], b: null }, { b: null, a: [{ y: 2, x: 1 }] })).toEqual([]);
});

test("each difference is one line with its path", () => {
  const stored = {
    gone: { deep: 1 },
    kept: 1,
    list: ["a", "b"],
    order: [1, 2],
    steps: [{ n: 1 }, { n: 2 }],
    nil: null,
  };
  const wanted = {
    "odd name": true,
    kept: "1",
    list: ["b", "c"],
    order: [2, 1],
    steps: [{ n: 1 }, { n: 3 }, {}],
    nil: 0,
  };
  expect(jsonDifferences(stored, wanted)).toEqual([
    'gone: removed (was {"deep":1})',
    'kept: changed from 1 to "1"',
    'list: removed (was "a")',
    'list: added ("c")',
    "nil: changed from null to 0",
    '"odd name": added (true)',
    "order: order changed from [1,2] to [2,1]",
    "steps[1].n: changed from 2 to 3",
    "steps[2]: added ({})",
  ]);
});
