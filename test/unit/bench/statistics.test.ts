import { expect, test } from "vitest";
import { median, medianInterval, quantile } from "../../../bench/statistics.ts";

test.each([
  [[3], 3],
  [[3, 1, 2], 2],
  [[4, 1, 3, 2], 2.5],
])("the median of %j is %d", (values, middle) => {
  expect(median(values)).toBe(middle);
});

test("quartiles lie between the values", () => {
  expect([0.25, 0.75].map((share) => quantile([10, 20, 30, 40], share))).toEqual([17.5, 32.5]);
});

test.each([
  // From the tables of the sign test: for 10 values the second and the ninth, for 20 the sixth and the fifteenth.
  [5, [1, 5]],
  [10, [2, 9]],
  [20, [6, 15]],
])("the interval of the median of %d values leaves out what 95 %% allow", (count, interval) => {
  const values = Array.from({ length: count }, (_, index) => count - index);
  expect(medianInterval(values)).toEqual(interval);
});
