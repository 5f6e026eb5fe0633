import { expect, inject, test } from "vitest";
import { readRecording } from "../../src/instrument/recorded/recording.ts";
import { durableRun, queuedBatch, recorded } from "../support/recorded.ts";
import { eventually, traceOf } from "./queries.ts";

const { jaeger } = inject("stack");

test.skipIf(jaeger === undefined)("a dump can be posted to a collector as it is", async () => {
  const { otlpUrl, queryUrl } = jaeger!;
  // Ids of its own: the other tests share the stack.
  const kit = await recorded({ ratio: 0, seed: 20_261_125 });
  await durableRun(kit, 1, [queuedBatch(kit, 1)]);
  queuedBatch(kit, 2);
  await kit.telemetry.dump("signal");
  const [body = ""] = await kit.dumps();
  const headers = { "content-type": "application/json" };
  const answer = await fetch(`${otlpUrl}/v1/traces`, { method: "POST", headers, body });
  expect(answer.status).toBe(200);
  expect(await answer.json()).toEqual({ partialSuccess: {} });

  const recording = readRecording(body);
  if (typeof recording === "string") throw new Error(recording);
  const { model } = recording;
  const [batch] = model.batches().filter(({ isOpen }) => !isOpen);
  const traceId = batch?.traceId ?? "";
  const wanted = model.spans.filter((span) => span.traceId === traceId).map(({ name }) => name);
  const stored = await eventually(
    () => traceOf(queryUrl, traceId),
    ({ spans }) => spans.length >= wanted.length,
  );
  expect(stored.spans.map(({ name }) => name).toSorted()).toEqual(wanted.toSorted());
  // What was open is not among what a collector takes: it may send it itself when it ends.
  const open = model.spans.filter(({ isOpen }) => isOpen);
  expect(open.map(({ name }) => name)).toEqual(["spindex.batch"]);
  const half = await traceOf(queryUrl, open[0]?.traceId ?? "");
  expect(half.spans.map(({ name }) => name)).not.toContain("spindex.batch");
});
