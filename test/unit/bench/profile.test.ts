import { expect, test } from "vitest";
import { type CpuProfile, shareOf, TRACING } from "../../../bench/telemetry/profile.ts";

const node = (id: number, functionName: string, url: string, ...children: number[]): CpuProfile["nodes"][number] => ({
  id,
  callFrame: { functionName, url },
  children,
});

test("samples count for the one whose function was called, however deep, and waiting and loading do not count", () => {
  const profile: CpuProfile = {
    nodes: [
      node(1, "(root)", "", 2, 3, 6, 7),
      node(2, "(idle)", ""),
      node(3, "step", "file:///x/src/process/processing-loop.ts", 4),
      node(4, "startSpan", "file:///x/src/instrument/tracing/spans.ts", 5),
      node(5, "now", "node:perf_hooks"),
      node(6, "load", "node:internal/modules/esm/loader", 8),
      node(7, "send", "file:///x/node_modules/@opentelemetry/otlp-transformer/dist/trace.mjs"),
      node(8, "", "file:///x/node_modules/@opentelemetry/api/index.js"),
    ],
    samples: [2, 2, 3, 3, 3, 4, 5, 7, 8],
  };
  expect(shareOf(profile, TRACING)).toEqual({ samples: 6, inside: 3 });
});
