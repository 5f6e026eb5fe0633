import { describe, expect, test } from "vitest";
import { RangeSizer } from "../../../src/fetch/range-sizer.ts";

describe("the size of a range", () => {
  test("grows twofold while answers are small, up to its limit", () => {
    const sizer = new RangeSizer(10_000);
    const sizes = [sizer.blocks];
    for (let i = 0; i < 5; i++) {
      sizer.answered(sizer.blocks, 0);
      sizes.push(sizer.blocks);
    }
    expect(sizes).toEqual([1_000, 2_000, 4_000, 8_000, 10_000, 10_000]);
    expect(new RangeSizer(50).blocks).toBe(50);
  });

  test("goes to where an answer has about 5,000 logs", () => {
    const sizer = new RangeSizer(100_000);
    sizer.answered(1_000, 50_000);
    expect(sizer.blocks).toBe(100);
    sizer.answered(100, 4_000);
    expect(sizer.blocks).toBe(125);
    sizer.answered(1, 1_000_000);
    expect(sizer.blocks).toBe(1);
  });

  test("does not grow because of a short range at the head", () => {
    const sizer = new RangeSizer(10_000);
    sizer.answered(1, 0);
    expect(sizer.blocks).toBe(1_000);
  });

  test("halves when a node refuses, or takes what the node suggests", () => {
    const sizer = new RangeSizer(10_000);
    expect(sizer.refused(1_000, undefined)).toBe(500);
    expect(sizer.refused(500, 120)).toBe(120);
    expect(sizer.refused(120, 400)).toBe(60);
    expect(sizer.refused(1, undefined)).toBe(1);
  });

  test("stays below what was refused, and comes near it again slowly", () => {
    const sizer = new RangeSizer(10_000);
    sizer.refused(1_000, undefined);
    sizer.answered(500, 0);
    expect(sizer.blocks).toBe(750);
    for (let i = 0; i < 14; i++) sizer.answered(sizer.blocks, 0);
    expect(sizer.blocks).toBeLessThan(1_000);
    for (let i = 0; i < 200; i++) sizer.answered(sizer.blocks, 0);
    expect(sizer.blocks).toBe(10_000);
  });
});
