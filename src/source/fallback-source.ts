import { SpindexError } from "../errors.ts";
import { RangeTooLarge, type Source } from "./source.ts";
import type { SourceHealth, WatchedSource } from "./source-health.ts";

/** The sources of one chain as one. */
export interface ChainSource extends Source {
  readonly health: readonly SourceHealth[];
}

/** Several sources of one chain as one: each question goes to the first, and to the next when that one gives up. */
export function fallbackSource(sources: readonly WatchedSource[]): ChainSource {
  async function ask<T>(question: (source: Source) => Promise<T>): Promise<T> {
    for (const source of sources) {
      try {
        return await question(source);
      } catch (error) {
        const isLast = source === sources.at(-1);
        if (isLast || error instanceof RangeTooLarge || !(error instanceof SpindexError)) throw error;
      }
    }
    throw new SpindexError("INTERNAL", "a chain without sources");
  }

  return {
    name: sources.map(({ name }) => name).join(","),
    get health() {
      return sources.map(({ health }) => health);
    },
    chainId: (...args) => ask((source) => source.chainId(...args)),
    head: (...args) => ask((source) => source.head(...args)),
    finalized: (...args) => ask((source) => source.finalized(...args)),
    headers: (...args) => ask((source) => source.headers(...args)),
    blocks: (...args) => ask((source) => source.blocks(...args)),
    logs: (...args) => ask((source) => source.logs(...args)),
    close: async () => {
      await Promise.all(sources.map((source) => source.close()));
    },
  };
}
