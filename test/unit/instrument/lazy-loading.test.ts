import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const root = fileURLToPath(new URL("../../../", import.meta.url));

/** Packages of OpenTelemetry that a process loads to start telemetry. */
function loadedWith(exporters: string, record = false): string[] {
  const program = `
    import { registerHooks } from "node:module";
    const loaded = new Set();
    registerHooks({
      resolve(name, context, next) {
        if (name.startsWith("@opentelemetry/")) loaded.add(name);
        return next(name, context);
      },
    });
    const { createTelemetry } = await import("./src/instrument/create-telemetry.ts");
    const { createLog } = await import("./src/instrument/log.ts");
    const { startTracing } = await import("./src/instrument/tracing/start-tracing.ts");
    const log = createLog({ level: "silent", format: "json" });
    const identity = { serviceName: "a", version: "1", instanceId: "i" };
    const tracing = await startTracing({ ...identity, exporters: ${exporters}, ratio: 1, record: ${record}, log });
    createTelemetry({ name: "a", shard: "0", version: "1", log, tracing, chains: [], tables: [], handlers: [] });
    await tracing.shutdown();
    console.log(JSON.stringify([...loaded]));
    process.exit(0);
  `;
  const output = execFileSync(process.execPath, ["--input-type=module", "--eval", program], { cwd: root });
  return JSON.parse(output.toString()) as string[];
}

test("the tracing library is loaded only when there is an exporter", () => {
  // The metrics library asks for the interface package; it is small.
  expect(loadedWith("{}").filter((name) => name !== "@opentelemetry/api")).toEqual([]);
  expect(loadedWith("{ file: '/dev/null' }")).toContain("@opentelemetry/sdk-node");
});

test("the flight recorder alone loads its core, and not the SDK with its exporters", () => {
  const loaded = loadedWith("{}", true);
  expect(loaded).toContain("@opentelemetry/sdk-trace");
  expect(loaded.filter((name) => /sdk-node|exporter|instrumentation/.test(name))).toEqual([]);
});
