import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

/** A CPU profile as V8 writes it. */
export interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string };
    readonly children?: readonly number[];
  }[];
  readonly samples: readonly number[];
}

/** What makes spans, keeps them and sends them. */
export const TRACING: RegExp = /\/node_modules\/@opentelemetry\/|\/src\/instrument\/(tracing|recorder)\//;
/** Loading is not a part of a run. */
const LOADING = /^node:internal\/modules\//;
const NOT_RUNNING: ReadonlySet<string> = new Set(["(idle)", "(program)"]);

export interface Share {
  readonly samples: number;
  /** Of these: in what the pattern names, or in what that calls. */
  readonly inside: number;
}

/** How many of the samples of a profile are in functions of files whose address fits. */
export function shareOf({ nodes, samples }: CpuProfile, files: RegExp): Share {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const parents = new Map(nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id] as const)));
  const isBelow = (sample: number, pattern: RegExp): boolean => {
    for (let id: number | undefined = sample; id !== undefined; id = parents.get(id)) {
      if (pattern.test(byId.get(id)?.callFrame.url ?? "")) return true;
    }
    return false;
  };
  const running = samples.filter(
    (id) => !NOT_RUNNING.has(byId.get(id)?.callFrame.functionName ?? "") && !isBelow(id, LOADING),
  );
  return { samples: running.length, inside: running.filter((id) => isBelow(id, files)).length };
}

/** The newest profile in a folder. */
export async function newestProfile(folder: string): Promise<CpuProfile> {
  // Their names begin with the time.
  const files = (await readdir(folder)).filter((name) => name.endsWith(".cpuprofile")).toSorted();
  return JSON.parse(await readFile(join(folder, files.at(-1) ?? ""), "utf8")) as CpuProfile;
}
