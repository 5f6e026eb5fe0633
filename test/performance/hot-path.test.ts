import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { median } from "../../bench/statistics.ts";
import type { HotPathCost } from "./hot-path.ts";

const program = fileURLToPath(new URL("./hot-path.ts", import.meta.url));

/**
 * What an event may cost, from the bytes of an answer to encoded rows. Neither is a time, so that a busy or a slow machine
 * changes little: docs/performance.md says what they are today, and how much room these limits leave.
 */
const MOST_AGAINST_THE_PLAIN_WAY = 2.1;
const MOST_HEAP_BYTES = 2_600;

async function costWith(semiSpaceMiB: number, rounds: number): Promise<HotPathCost> {
  const heap = [`--min-semi-space-size=${semiSpaceMiB}`, `--max-semi-space-size=${semiSpaceMiB}`, "--expose-gc"];
  const args = ["--conditions=spindex-source", ...heap, program, "--rounds", String(rounds)];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  return JSON.parse(stdout) as HotPathCost;
}

describe("the hot path", () => {
  test("costs little more CPU time than parsing the answers and adding up their values", async () => {
    const { ratios } = await costWith(16, 9);
    expect(median(ratios), `rounds: ${ratios.map((ratio) => ratio.toFixed(2)).join(", ")}`).toBeLessThan(
      MOST_AGAINST_THE_PLAIN_WAY,
    );
  }, 120_000);

  test("allocates little for an event", async () => {
    // Room for all that is allocated: with nothing collected, the heap's growth is the sum.
    const { heapBytes } = await costWith(512, 1);
    expect(heapBytes).toBeGreaterThan(500);
    expect(heapBytes).toBeLessThan(MOST_HEAP_BYTES);
  }, 120_000);
});
