import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, inject, test } from "vitest";
import { hasPromtool, promtoolComplaints } from "../support/promtool.ts";

const TELEMETRY = join(import.meta.dirname, "../../telemetry");
const { jaeger } = inject("stack");
const program = jaeger?.program;

/** Jaeger is built from the collector, with most of its parts: it reads the configurations of both. */
async function complaints(configuration: string): Promise<string> {
  try {
    await promisify(execFile)(program!, ["validate", "--config", configuration]);
    return "";
  } catch (error) {
    return (error as { readonly stderr: string }).stderr;
  }
}

test.skipIf(program === undefined).each(["jaeger/config.yaml", "collector/config.yaml"])(
  "%s is a configuration that the program takes",
  async (file) => {
    expect(await complaints(join(TELEMETRY, file))).toBe("");
  },
);

test.skipIf(program === undefined)("a configuration with an unknown part is refused", async () => {
  const folder = await mkdtemp(join(tmpdir(), "spindex-stack-"));
  try {
    const file = join(folder, "config.yaml");
    await writeFile(file, "receivers: { otpl: {} }\n");
    expect(await complaints(file)).toContain('unknown type: "otpl"');
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

test.skipIf(!hasPromtool)("promtool takes the configuration of Prometheus", () => {
  const file = join(TELEMETRY, "prometheus/prometheus.yml");
  expect(promtoolComplaints(["check", "config", "--syntax-only", file])).toEqual([]);
});
