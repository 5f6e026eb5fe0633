import fc from "fast-check";
import { expect, test } from "vitest";
import { createTelemetry, type IndexerTelemetry } from "../../src/instrument/create-telemetry.ts";
import { createLog } from "../../src/instrument/log.ts";
import type { Clock } from "../../src/lib/clock.ts";
import { collectTraces } from "../../src/testing/collect-traces.ts";
import { TABLES } from "../support/world/plan.ts";
import { scenario } from "../support/world/scenario.ts";
import { Simulation } from "../support/world/simulation.ts";

const log = createLog({ level: "silent", format: "json" });

/** The whole pipeline, traced, over the chains and faults of the simulation. */
test("every sampled batch leads to its write transaction and back, whatever fails and ends in between", async () => {
  let durable = 0;
  const world = fc.asyncProperty(scenario, fc.constantFrom(1, 0.5), fc.nat(), async (planned, ratio, seed) => {
    const collector = await collectTraces({ ratio, seed });
    const telemetries: IndexerTelemetry[] = [];
    const telemetryOf = (clock: Clock): IndexerTelemetry => {
      const telemetry = createTelemetry({
        name: "simulated",
        shard: "default",
        version: "0.0.0",
        log,
        // Processes share the collector: it outlives each of them.
        tracing: { ...collector.tracing, shutdown: async () => {} },
        clock,
        chains: planned.chains.map(({ chainId }) => ({ id: chainId, name: chainId === 1 ? "one" : "two" })),
        tables: TABLES.map(({ sqlName }) => sqlName),
        handlers: ["Plan.Stop", "Plan.Skip"],
        processMetrics: false,
      });
      telemetries.push(telemetry);
      return telemetry;
    };
    await new Simulation(planned, { telemetryOf }).run();
    for (const telemetry of telemetries) await telemetry.shutdown();
    const model = await collector.traces();
    await collector.close();

    expect(collector.problems).toEqual([]);
    expect(model.dangling()).toEqual([]);
    for (const batch of model.batches()) {
      const drain = model.drainRunOf(batch);
      if (drain !== undefined) expect(model.batchesOf(drain)).toContain(batch);
      if (batch.attributes["spindex.outcome"] !== "durable") continue;
      durable++;
      const transaction = model.writeTransactionOf(batch);
      expect(transaction?.name).toBe("spindex.write_transaction");
      expect(transaction && model.batchesOf(transaction)).toContain(batch);
      expect(transaction && model.parentOf(transaction)).toBe(drain);
    }
  });
  await fc.assert(world, { numRuns: 30, interruptAfterTimeLimit: 30_000 });
  expect(durable).toBeGreaterThan(100);
}, 60_000);
