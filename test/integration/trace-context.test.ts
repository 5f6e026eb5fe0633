import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createEffect, defineIndexer, entity, t } from "../../src/index.ts";
import { collectTraces } from "../../src/testing/index.ts";
import { fakeAddress, tokenChain } from "../support/fake-chain.ts";
import { type FakeNode, startFakeNode } from "../support/fake-node.ts";
import { createTestDatabase, type TestDatabase } from "../support/postgres.ts";
import { startIndexer } from "../support/run-indexer.ts";

const TOKEN = fakeAddress(0xee20) as `0x${string}`;

let database: TestDatabase;
let node: FakeNode;
/** A service that notes which trace each request belongs to. */
let service: Server;
let requested: (string | undefined)[] = [];

beforeAll(async () => {
  database = await createTestDatabase();
  node = await startFakeNode({ chain: tokenChain({ blocks: 12, transfersPerBlock: 2 }), head: 11 });
  service = createServer((request, response) => {
    requested.push(request.headers.traceparent as string | undefined);
    response.end("7");
  }).listen(0, "127.0.0.1");
  await once(service, "listening");
});
afterAll(async () => {
  service.close();
  await Promise.all([node.close(), database.drop()]);
});

/** An indexer that asks the service for each receiver of tokens. */
function asking(name: string) {
  const { port } = service.address() as AddressInfo;
  const getNumber = createEffect(
    { name: "number", input: t.address(), output: t.int32(), rateLimit: false },
    async (of, { signal, traceHeaders }) => {
      const answer = await fetch(`http://127.0.0.1:${port}/${of}`, { signal, headers: traceHeaders });
      return Number(await answer.text());
    },
  );
  const indexer = defineIndexer({
    name,
    schema: { account: entity({ id: t.address(), number: t.int32() }) },
    chains: { local: { id: 1, sources: [{ rpc: node.url }], pollIntervalMs: 20 } },
    contracts: {
      Token: {
        abi: ["event Transfer(address indexed from, address indexed to, uint256 value)"],
        chains: { local: { address: TOKEN, endBlock: 11 } },
      },
    },
  });
  indexer.on("Token.Transfer", async ({ event, store, effect, span }) => {
    const { to } = event.args;
    const number = await span("ask", () => effect(getNumber, to));
    store.account.set({ id: to, number });
  });
  return indexer;
}

async function run(name: string, ratio: number | undefined) {
  requested = [];
  const collector = ratio === undefined ? undefined : await collectTraces({ ratio });
  const running = startIndexer(asking(name), database.url, { ...(collector && { tracing: collector.tracing }) });
  expect(await running.ended).toBe("ended");
  expect(requested.length).toBeGreaterThan(3);
  return collector?.traces();
}

test("a service that an effect asks is given the trace of the call that asks it", async () => {
  const model = await run("sampled", 1);
  const effects = model?.named("spindex.effect") ?? [];
  expect(requested.toSorted()).toEqual(effects.map(({ traceId, spanId }) => `00-${traceId}-${spanId}-01`).toSorted());
  expect(effects.map((span) => model?.parentOf(span)?.name)).toEqual(effects.map(() => "spindex.batch.process"));
  expect(model?.dangling()).toEqual([]);
  expect(model?.spans.filter(({ name }) => name === "ask").length).toBeGreaterThan(3);
});

test("of a trace that is not sampled, it is told that it is not", async () => {
  const model = await run("unsampled", 0);
  expect(model?.spans).toEqual([]);
  for (const header of requested) expect(header).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/);
});

test("it is told nothing when nothing is traced", async () => {
  await run("untraced", undefined);
  expect(requested.filter((header) => header !== undefined)).toEqual([]);
});
