import { globSync } from "node:fs";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { startJaeger } from "./jaeger.ts";
import { NotToBeHad } from "./program.ts";
import { startPrometheus } from "./prometheus.ts";

const RULES = join(import.meta.dirname, "../../telemetry/prometheus/rules");

/** The stack that the tests ask. A part that cannot be had is a reason to skip what needs it. */
export interface Stack {
  readonly jaeger:
    | { readonly program: string | undefined; readonly otlpUrl: string; readonly queryUrl: string }
    | undefined;
  readonly prometheus: { readonly program: string; readonly url: string; readonly targetsFile: string } | undefined;
}

declare module "vitest" {
  interface ProvidedContext {
    stack: Stack;
  }
}

/** Starts a real Jaeger and a real Prometheus, says which, and stops them. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const ruleFiles = globSync("*.yml", { cwd: RULES }).map((file) => join(RULES, file));
  const [jaeger, prometheus] = await Promise.all([
    orNone("Jaeger", startJaeger()),
    orNone("Prometheus", startPrometheus(ruleFiles)),
  ]);
  if (jaeger !== undefined) console.log(`Jaeger for the tests: ${jaeger.choice}`);
  if (prometheus !== undefined) console.log(`Prometheus for the tests: ${prometheus.program}`);
  project.provide("stack", {
    jaeger: jaeger && { program: jaeger.program, otlpUrl: jaeger.otlpUrl, queryUrl: jaeger.queryUrl },
    prometheus: prometheus && {
      program: prometheus.program,
      url: prometheus.url,
      targetsFile: prometheus.targetsFile,
    },
  });
  return async () => {
    await Promise.all([jaeger?.stop(), prometheus?.stop()]);
  };
}

async function orNone<T>(name: string, start: Promise<T>): Promise<T | undefined> {
  try {
    return await start;
  } catch (error) {
    if (!(error instanceof NotToBeHad)) throw error;
    console.warn(`SKIPPED: the tests that need ${name}: ${error.message}`);
    return undefined;
  }
}
