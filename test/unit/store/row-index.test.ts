import fc from "fast-check";
import { expect, test } from "vitest";
import { RowIndex } from "../../../src/store/row-index.ts";
import { comparatorOf, rowComparator } from "../../../src/store/row-order.ts";
import type { ColumnKind, Row } from "../../../src/store/table.ts";
import { columnOf } from "../../support/tables.ts";

const group = columnOf({ name: "group", kind: "int32" });
const id = columnOf({ name: "id", kind: "int32" });
const compare = rowComparator([group, id].map((column) => ({ column, descending: false })));

test("an index has its rows in order from either end, whatever was added, replaced and removed", () => {
  const changes = fc.array(
    fc.record({ id: fc.integer({ min: 0, max: 1_500 }), group: fc.integer({ min: 0, max: 4 }), isThere: fc.boolean() }),
    { maxLength: 4_000, minLength: 500 },
  );
  fc.assert(
    fc.property(changes, fc.integer({ min: 0, max: 2_000 }), (all, built) => {
      const rows = new Map<number, Row>();
      for (const { isThere: _, ...row } of all.slice(0, built)) rows.set(row.id, row);
      const index = new RowIndex(compare, [...rows.values()]);
      for (const { isThere, ...row } of all.slice(built)) {
        const before = rows.get(row.id);
        if (isThere) {
          if (before === undefined) index.add(row);
          else index.replace(before, row);
          rows.set(row.id, row);
        } else if (before !== undefined) {
          index.remove(before);
          rows.delete(row.id);
        }
      }
      const sorted = [...rows.values()].sort(compare);
      expect([...index.at(() => 0, false)]).toEqual(sorted);
      expect([...index.at(() => 0, true)]).toEqual(sorted.toReversed());
      for (const wanted of [0, 2, 4, 7]) {
        const place = (row: Row): number => (row.group as number) - wanted;
        const expected = sorted.filter((row) => row.group === wanted);
        expect([...index.at(place, false)]).toEqual(expected);
        expect([...index.at(place, true)]).toEqual(expected.toReversed());
      }
    }),
    { numRuns: 40 },
  );
});

test.each<[ColumnKind, readonly unknown[]]>([
  ["int32", [-5, 0, 7]],
  ["uint256", [0n, 9n, 10n, 2n ** 255n]],
  ["float64", [Number.NEGATIVE_INFINITY, -1.5, 0, 2, Number.POSITIVE_INFINITY, Number.NaN]],
  ["numeric", ["-10.00", "-9.99", "0.00", "9.50", "10.00"]],
  ["bool", [false, true]],
  // By the bytes of UTF-8: what lies beyond the basic plane comes last.
  ["text", ["", "A", "Z", "a", "a\u0001", "é", "\uffff", "\u{1f600}"]],
  ["bytes", ["0x", "0x00", "0x0001", "0x01", "0xff"]],
])("values of %s are ordered as PostgreSQL orders them, null last", (kind, ascending) => {
  const order = comparatorOf(columnOf({ name: "c", kind, nullable: true, scale: 2 }));
  const expected = [...ascending, null];
  expect(expected.toReversed().sort(order)).toEqual(expected);
});
