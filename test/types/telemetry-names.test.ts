import { expectTypeOf, test } from "vitest";
import type { LabelsOf, MetricName, SpanAttributes, SpanName } from "../../src/instrument/names.ts";

test("names, attributes and labels that the contract does not have are type errors", () => {
  expectTypeOf<"spindex.batch">().toExtend<SpanName>();
  expectTypeOf<"spindex.bach">().not.toExtend<SpanName>();
  expectTypeOf<"queue_batches">().toExtend<MetricName>();
  expectTypeOf<"queue_batch">().not.toExtend<MetricName>();
  expectTypeOf<LabelsOf<"drain_runs_total">>().toEqualTypeOf<{
    readonly outcome: "durable" | "failed" | "aborted";
  }>();
  expectTypeOf<LabelsOf<"head_block">>().toEqualTypeOf<{ readonly chain: string }>();
  // biome-ignore lint/complexity/noBannedTypes: the type of no labels
  expectTypeOf<LabelsOf<"queue_batches">>().toEqualTypeOf<{}>();
  expectTypeOf<SpanAttributes<"spindex.snapshot">>().toEqualTypeOf<{
    readonly "spindex.snapshot.tables"?: number | undefined;
    readonly "spindex.snapshot.changes"?: number | undefined;
    readonly "spindex.snapshot.bytes"?: number | undefined;
  }>();
  expectTypeOf<{ "spindex.batch.id": string }>().not.toExtend<SpanAttributes<"spindex.batch">>();
});
