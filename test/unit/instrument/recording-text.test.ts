import { expect, test } from "vitest";
import { type Recording, readRecording } from "../../../src/instrument/recorded/recording.ts";
import { recordingText } from "../../../src/instrument/recorded/recording-text.ts";
import type { TraceSelection } from "../../../src/instrument/recorded/select-traces.ts";
import { dumpOf, durableRun, failedRun, queuedBatch, type Recorded, recorded } from "../../support/recorded.ts";
import { drainStart } from "../../support/traced.ts";

const plain = { width: undefined, style: (_look: string, text: string): string => text };

/** What `spindex trace show` prints of the newest dump; what differs from run to run is left out. */
async function shown(kit: Recorded, selection: TraceSelection = {}): Promise<string> {
  const text = recordingText(recordingOf((await kit.dumps()).at(-1)), selection, plain);
  return (text ?? "nothing").replaceAll(/^ +\d\d:\d\d:\d\d\.\d{3} /gm, "  <time> ").replaceAll(/ +$/gm, "");
}

function recordingOf(text = ""): Recording {
  const recording = readRecording(text);
  if (typeof recording === "string") throw new Error(recording);
  return recording;
}

/** Two runs: the second batch has waited for the first run, at the limit of changes. */
async function waitForCapacity(kit: Recorded): Promise<void> {
  const { clock } = kit;
  const first = queuedBatch(kit, 1);
  clock.advance(3);
  const askedAt = clock.now();
  const drain = await durableRun(kit, 1, [first]);
  const capacityWait = {
    startedAt: askedAt,
    endedAt: clock.now(),
    reason: "changes" as const,
    uncommittedChanges: 100,
    uncommittedBytes: 1000,
    queuedBatches: 1,
    limit: 90,
    wakeUps: 2,
    drainOrigin: drain.origin,
  };
  const second = queuedBatch(kit, 2, { askedAt, createdFrom: clock.now(), capacityWait });
  clock.advance(1_500);
  await durableRun(kit, 2, [second]);
  await kit.telemetry.dump("signal");
}

test("a capacity wait is shown with the write it waited for", async () => {
  const kit = await recorded({ ratio: 1 });
  await waitForCapacity(kit);
  expect(await shown(kit, { batch: 2 })).toMatchInlineSnapshot(`
    "dump: signal · 2026-01-01T00:00:01.577Z · erc20 1.2.3 at instance-1 · 25 spans, 0 of them open · log lines: 1
      processing loop in other · write loop in idle

    batch 2 · durable · 1.56 s · live · mainnet · 2026-01-01T00:00:00.015Z · trace ce372ab047cf6edc2c1a2da8f88438cf
      waited for capacity 25.0 ms · processed 12.0 ms · queued 1.50 s · written 25.0 ms
                                             0                              1.56 s
      spindex.batch                   1.56 s █████████████████████████████████████ batch 2 · 3 events · history keep
      ├ spindex.capacity_wait        25.0 ms █                                     at the limit of changes · limit 90 · 1 batch queued · waited for run 1
      ├ spindex.batch.create            0 µs █                                     bound by end
      ├ spindex.batch.process        10.0 ms █                                     3 handler calls · 1 read of storage
      │ └ spindex.handlers           8.00 ms █                                     Token.Transfer · 3 calls
      ├ spindex.batch.commit         2.00 ms █                                     5 changes
      ├ spindex.batch.queued          1.50 s ████████████████████████████████████  for run 2
      └ spindex.batch.persist        25.0 ms                                     █ in run 2
      ▸ spindex.drain_run            25.0 ms █                                     run 1 · 1 batch · 3 events · split: drained
        ├ spindex.snapshot              0 µs █                                     5 changes · 500 bytes
        └ spindex.write_transaction  25.0 ms █                                     attempt 1 · 5 rows · 500 bytes · backend 77
          ├ COPY transfer            20.0 ms █                                     entity · 5 rows
          └ COMMIT                   5.00 ms █
      ▸ spindex.drain_run            25.0 ms                                     █ run 2 · 1 batch · 3 events · split: drained
        ├ spindex.snapshot              0 µs                                     █ 5 changes · 500 bytes
        └ spindex.write_transaction  25.0 ms                                     █ attempt 1 · 5 rows · 500 bytes · backend 77
          ├ COPY transfer            20.0 ms                                     █ entity · 5 rows
          └ COMMIT                   5.00 ms                                     █
      <time> debug capacity.wait Processing waited for capacity batch_id=2 drain_id=1 duration_ms=25 reason=changes"
  `);
});

test("spans that were not sampled have no links, and give the same picture", async () => {
  const texts = [1, 0].map(async (ratio) => {
    const kit = await recorded({ ratio });
    await waitForCapacity(kit);
    return (await shown(kit, { batch: 2 })).replace(" trace_flags=00", "");
  });
  const [linked, unlinked] = await Promise.all(texts);
  expect(unlinked).toBe(linked);
});

test("a write that failed comes first, with its error where it happened, its event, and its log lines", async () => {
  const kit = await recorded({ ratio: 0 });
  await durableRun(kit, 1, [queuedBatch(kit, 1)]);
  const slow = queuedBatch(kit, 2);
  kit.clock.advance(4_000);
  await durableRun(kit, 2, [slow]);
  queuedBatch(kit, 3);
  await failedRun(kit, 3, [queuedBatch(kit, 4)]);
  await kit.telemetry.flush();
  expect(await shown(kit)).toMatchInlineSnapshot(`
    "dump: write_failure · 2026-01-01T00:00:04.106Z · erc20 1.2.3 at instance-1 · 40 spans, 1 of them open · log lines: 1
      processing loop in other · write loop in idle

    batch 4 · failed · 20.0 ms · live · mainnet · 2026-01-01T00:00:04.086Z · trace 30dcdacce5f01c1655028266a99b97c6
                                             0                             20.0 ms
      spindex.batch                  20.0 ms █████████████████████████████████████ Error · batch 4 · 3 events · history keep
      ├ spindex.batch.create            0 µs █                                     bound by end
      ├ spindex.batch.process        10.0 ms ███████████████████                   3 handler calls · 1 read of storage
      │ └ spindex.handlers           8.00 ms ███████████████                       Token.Transfer · 3 calls
      ├ spindex.batch.commit         2.00 ms                   ████                5 changes
      ├ spindex.batch.queued            0 µs                       █               for run 3
      └ spindex.batch.persist        8.00 ms                       ███████████████ Error · in run 3
      ▸ spindex.drain_run            8.00 ms                       ███████████████ Error · run 3 · 1 batch · 3 events · split: drained
        ✗ writing checkpoints 10 to 12 failed: duplicate key value violates "transfer_pkey"; it came from Token.Transfer
        ├ spindex.snapshot              0 µs                       █               5 changes · 500 bytes
        └ spindex.write_transaction  8.00 ms                       ███████████████ 23505 · attempt 1 · 5 rows · 500 bytes · backend 77 · fatal
          └ COPY transfer            8.00 ms                       ███████████████ 23505 · entity · 5 rows
            ✗ duplicate key value violates "transfer_pkey"
      <time> error write.failed A write attempt failed for good trace_flags=00 drain_id=3 attempt=1 class=fatal duration_ms=8 · duplicate key value violates "transfer_pkey"

    batch 2 · durable · 4.04 s · live · mainnet · 2026-01-01T00:00:00.037Z · trace ce372ab047cf6edc2c1a2da8f88438cf
      processed 12.0 ms · queued 4.00 s · written 25.0 ms
                                             0                              4.04 s
      spindex.batch                   4.04 s █████████████████████████████████████ batch 2 · 3 events · history keep
      ├ spindex.batch.create            0 µs █                                     bound by end
      ├ spindex.batch.process        10.0 ms █                                     3 handler calls · 1 read of storage
      │ └ spindex.handlers           8.00 ms █                                     Token.Transfer · 3 calls
      ├ spindex.batch.commit         2.00 ms █                                     5 changes
      ├ spindex.batch.queued          4.00 s █████████████████████████████████████ for run 2
      └ spindex.batch.persist        25.0 ms                                     █ in run 2
      ▸ spindex.drain_run            25.0 ms                                     █ run 2 · 1 batch · 3 events · split: drained
        ├ spindex.snapshot              0 µs                                     █ 5 changes · 500 bytes
        └ spindex.write_transaction  25.0 ms                                     █ attempt 1 · 5 rows · 500 bytes · backend 77
          ├ COPY transfer            20.0 ms                                     █ entity · 5 rows
          └ COMMIT                   5.00 ms                                     █

    batch 1 · durable · 37.0 ms · live · mainnet · 2026-01-01T00:00:00.000Z · trace d20ea1fdb382f3392660b8608812dd70
      processed 12.0 ms · written 25.0 ms
                                             0                             37.0 ms
      spindex.batch                  37.0 ms █████████████████████████████████████ batch 1 · 3 events · history keep
      ├ spindex.batch.create            0 µs █                                     bound by end
      ├ spindex.batch.process        10.0 ms ██████████                            3 handler calls · 1 read of storage
      │ └ spindex.handlers           8.00 ms ████████                              Token.Transfer · 3 calls
      ├ spindex.batch.commit         2.00 ms           ██                          5 changes
      ├ spindex.batch.queued            0 µs             █                         for run 1
      └ spindex.batch.persist        25.0 ms             █████████████████████████ in run 1
      ▸ spindex.drain_run            25.0 ms             █████████████████████████ run 1 · 1 batch · 3 events · split: drained
        ├ spindex.snapshot              0 µs             █                         5 changes · 500 bytes
        └ spindex.write_transaction  25.0 ms             █████████████████████████ attempt 1 · 5 rows · 500 bytes · backend 77
          ├ COPY transfer            20.0 ms             ████████████████████      entity · 5 rows
          └ COMMIT                   5.00 ms                                 █████

    1 more: --slowest <count>, --batch <number>, --trace <id>"
  `);
});

test("the trace of a drain run shows its batches, a line each", async () => {
  const kit = await recorded({ ratio: 1 });
  await durableRun(
    kit,
    1,
    [1, 2, 3, 4, 5, 6, 7, 8, 9, 10].map((id) => queuedBatch(kit, id)),
  );
  await kit.telemetry.dump("signal");
  const { model } = recordingOf((await kit.dumps())[0]);
  const trace = model.named("spindex.drain_run")[0]?.traceId;
  expect(await shown(kit, { trace })).toMatchInlineSnapshot(`
    "dump: signal · 2026-01-01T00:00:00.145Z · erc20 1.2.3 at instance-1 · 75 spans, 0 of them open · log lines: 0
      processing loop in other · write loop in idle

    spindex.drain_run · durable · 25.0 ms · live · 2026-01-01T00:00:00.120Z · trace 529ee450fa8ac4801af8b09c05462350
                                           0                              25.0 ms
      spindex.drain_run            25.0 ms ██████████████████████████████████████ run 1 · 10 batches · 3 events · split: drained
      ├ spindex.snapshot              0 µs █                                      5 changes · 500 bytes
      └ spindex.write_transaction  25.0 ms ██████████████████████████████████████ attempt 1 · 5 rows · 500 bytes · backend 77
        ├ COPY transfer            20.0 ms ██████████████████████████████         entity · 5 rows
        └ COMMIT                   5.00 ms                               ████████
      ▸ spindex.batch               145 ms ██████████████████████████████████████ batch 1 · 3 events · history keep
      ▸ spindex.batch               133 ms ██████████████████████████████████████ batch 2 · 3 events · history keep
      ▸ spindex.batch               121 ms ██████████████████████████████████████ batch 3 · 3 events · history keep
      ▸ spindex.batch               109 ms ██████████████████████████████████████ batch 4 · 3 events · history keep
      ▸ spindex.batch              97.0 ms ██████████████████████████████████████ batch 5 · 3 events · history keep
      ▸ spindex.batch              85.0 ms ██████████████████████████████████████ batch 6 · 3 events · history keep
      ▸ spindex.batch              73.0 ms ██████████████████████████████████████ batch 7 · 3 events · history keep
      ▸ spindex.batch              61.0 ms ██████████████████████████████████████ batch 8 · 3 events · history keep
      ▸ and 2 more linked traces"
  `);
});

test("a picture fits the terminal, and colours tell what failed", async () => {
  const kit = await recorded({ ratio: 0 });
  await failedRun(kit, 1, [queuedBatch(kit, 1)]);
  await kit.telemetry.flush();
  const recording = recordingOf((await kit.dumps())[0]);
  const text = recordingText(recording, {}, { width: 80, style: (look, part) => `<${look}>${part}</>` }) ?? "";
  const rows = text.split("\n").filter((line) => /[█]/.test(line));
  expect(rows).toHaveLength(11);
  for (const row of rows) expect(row.replaceAll(/<[a-z/]*>/g, "").length).toBeLessThanOrEqual(80);
  expect(rows.filter((row) => row.includes("<error>"))).toHaveLength(5);
});

test.each<[string, TraceSelection, readonly number[]]>([
  ["without a choice: what failed, then the slowest", {}, [3, 2, 1]],
  ["the slowest, longest first", { slowest: 2 }, [2, 1]],
  ["one batch", { batch: 1 }, [1]],
])("selects %s", async (_name, selection, batches) => {
  const kit = await recorded({ ratio: 0 });
  const first = queuedBatch(kit, 1);
  kit.clock.advance(100);
  await durableRun(kit, 1, [first]);
  const second = queuedBatch(kit, 2);
  kit.clock.advance(200);
  await durableRun(kit, 2, [second]);
  await failedRun(kit, 3, [queuedBatch(kit, 3)]);
  await kit.telemetry.flush();
  const titles = [...(await shown(kit, selection)).matchAll(/^batch (\d+) ·/gm)];
  expect(titles.map(([, id]) => Number(id))).toEqual(batches);
});

test("what is not there is not shown", async () => {
  const kit = await recorded({ ratio: 0 });
  await durableRun(kit, 1, [queuedBatch(kit, 1)]);
  await kit.telemetry.dump("signal");
  expect(await shown(kit, { batch: 7 })).toBe("nothing");
  expect(await shown(kit, { trace: "0".repeat(32) })).toBe("nothing");
});

test("a file says what is wrong with it", async () => {
  expect(readRecording("")).toBe("it is empty");
  expect(readRecording("\u0000binary")).toContain("neither OTLP/JSON lines nor a dump");
  expect(readRecording('{"name":"spindex"}')).toContain("neither OTLP/JSON lines nor a dump");
  expect(readRecording('{"resourceSpans":[{"scopeSpans":[{"spans":[{"name":1}]}]}]}')).toContain("no OTLP/JSON");
  expect(readRecording('{"spindexDump":2}')).toBe("it is a dump of version 2, and this program reads version 1");
});

test("a trace file is read like a dump, up to a line that is cut off", async () => {
  const kit = await recorded({ ratio: 1 });
  await durableRun(kit, 1, [queuedBatch(kit, 1)]);
  await kit.telemetry.dump("signal");
  const { resourceSpans } = dumpOf((await kit.dumps())[0]);
  const lines = resourceSpans.map((resource) => JSON.stringify({ resourceSpans: [resource] }));
  const recording = recordingOf([...lines, '{"resourceSpans":[{"scop'].join("\n"));
  expect(recording.dump).toBeUndefined();
  expect(recording.model.batches()).toHaveLength(1);
  expect(recordingText(recording, {}, plain)).toMatch(/^batch 1 · durable/);
});

test("what a terminal would obey is not passed on", async () => {
  const kit = await recorded({ ratio: 0 });
  const batch = queuedBatch(kit, 1);
  const drain = kit.telemetry.drainStarted({ ...drainStart(1, kit.clock, [batch]) });
  drain.failed(new Error("\u001b[2Jgone \u009b31m\u0007"));
  await kit.telemetry.flush();
  expect(await shown(kit)).not.toMatch(/[\p{Cc}--\n]/v);
});
