import { expect, test } from "vitest";
import { Permits } from "../../../src/source/permits.ts";

test("permits go to waiters in order, and a failed or cancelled one is not lost", async () => {
  const permits = new Permits(1);
  const never = new AbortController().signal;
  const cancel = new AbortController();
  const events: string[] = [];
  const first = Promise.withResolvers<void>();
  const work = [
    permits.run(never, () => first.promise.then(() => events.push("first"))),
    permits.run(cancel.signal, async () => events.push("cancelled")),
    permits.run(never, () => Promise.reject(new Error("failed"))),
    permits.run(never, async () => events.push("last")),
  ];
  cancel.abort(new Error("stopped"));
  first.resolve();
  const outcomes = await Promise.allSettled(work);
  expect(outcomes.map((outcome) => (outcome.status === "rejected" ? String(outcome.reason) : "done"))).toEqual([
    "done",
    "Error: stopped",
    "Error: failed",
    "done",
  ]);
  expect(events).toEqual(["first", "last"]);
});
