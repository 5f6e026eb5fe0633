import { type LogFields, logPageOf } from "../chain/log-page.ts";
import type { Source } from "../source/source.ts";
import { invalid } from "./encode-event.ts";

/** What a test has emitted, as a source of logs: for the discovery of what factories bring. */
export function emittedSource(emitted: () => readonly LogFields[]): Source {
  const refuse = (): never => {
    throw invalid("a test has no chain but what it emits", "Emit the events that are needed.");
  };
  return {
    name: "test",
    chainId: refuse,
    head: refuse,
    finalized: refuse,
    blocks: refuse,
    headers: async (numbers) =>
      numbers.map((number) => ({ number, hash: "0x", parentHash: "0x", timestamp: 0 }) as const),
    logs: async ({ fromBlock, toBlock, addresses, topics }) => {
      const wanted = { addresses: addresses && new Set<string>(addresses), topics: new Set<string>(topics) };
      return logPageOf(
        emitted().filter(
          (log) =>
            log.blockNumber >= fromBlock &&
            log.blockNumber <= toBlock &&
            wanted.topics.has(log.topics[0] ?? "") &&
            wanted.addresses?.has(log.address) !== false,
        ),
      );
    },
    close: async () => {},
  };
}
