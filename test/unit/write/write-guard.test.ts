import { describe, expect, test } from "vitest";
import { WriteFailure } from "../../../src/write/storage.ts";
import { explainUnclaimed, type StoredGuard } from "../../../src/write/write-guard.ts";

/** Write 7 of the process that made start 3; writes up to 5 are known to be durable. */
const write = { writeSeq: 7, durableSeq: 5, starts: 3 };
const ours: StoredGuard = { isOurs: true, writeSeq: 6, starts: 3, holder: "us" };
const others: StoredGuard = { isOurs: false, writeSeq: 6, starts: 4, holder: "host-b, process 9" };

function explained(stored: StoredGuard | undefined): string {
  try {
    return explainUnclaimed("main", write, stored);
  } catch (error) {
    if (error instanceof WriteFailure) return `${error.kind}: ${error.message}`;
    throw error;
  }
}

describe("a write whose guarded update matched nothing", () => {
  test.each<[string, StoredGuard | undefined, string]>([
    ["was durable already", { ...ours, writeSeq: 7 }, "already_durable"],
    ["was overtaken by a later owner", others, "fenced: shard main is now written by host-b, process 9"],
    [
      "meets a database without the last durable write",
      { ...ours, writeSeq: 4 },
      "went_back: shard main is at write 4, although write 5 was durable",
    ],
    [
      "meets a backup of the time of an owner before us",
      { ...others, starts: 2, writeSeq: 5 },
      "went_back: shard main is that of a time before this process had it",
    ],
    [
      "meets such a backup that somebody has taken anew",
      { ...others, starts: 3, writeSeq: 6 },
      "went_back: shard main is that of a time before this process had it",
    ],
    [
      "meets such a backup that several have taken, and that lacks what was durable",
      { ...others, starts: 9, writeSeq: 4 },
      "went_back: shard main is at write 4, although write 5 was durable",
    ],
    ["meets a database without the shard", undefined, "went_back: it does not know shard main any more"],
    ["meets what cannot be", { ...ours, writeSeq: 9 }, "fatal: shard main is at write 9, unexpected before write 7"],
  ])("%s", (_, stored, outcome) => {
    expect(explained(stored)).toBe(outcome);
  });
});
