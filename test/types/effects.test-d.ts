import { createEffect, defineIndexer, type Effect, entity, t } from "spindex";
import { createTestIndexer } from "spindex/testing";
import { expectTypeOf } from "vitest";

const address = `0x${"00".repeat(20)}` as const;

const getPrice = createEffect(
  { name: "price", input: { token: t.address(), block: t.int64() }, output: t.uint256().nullable(), rateLimit: false },
  async ({ token, block }, { signal, traceHeaders }) => {
    expectTypeOf(token).toEqualTypeOf<`0x${string}`>();
    expectTypeOf(block).toEqualTypeOf<bigint>();
    expectTypeOf(signal).toEqualTypeOf<AbortSignal>();
    expectTypeOf(traceHeaders).toExtend<NonNullable<RequestInit["headers"]>>();
    return block === 0n ? null : 1n;
  },
);
expectTypeOf(getPrice).toEqualTypeOf<
  Effect<{ readonly token: `0x${string}`; readonly block: bigint }, bigint | null>
>();

const getMeta = createEffect(
  {
    name: "meta",
    input: t.address(),
    output: { name: t.text(), decimals: t.int32(), tags: t.text().array(), extra: t.json<{ url: string }>() },
    cache: true,
    rateLimit: { calls: 10, perMs: 1_000 },
    concurrency: 4,
    timeoutMs: 5_000,
  },
  () => ({ name: "a", decimals: 18, tags: [], extra: { url: "" } }),
);

// @ts-expect-error the limit is given, or switched off
createEffect({ name: "a", input: t.text(), output: t.text() }, () => "");
// @ts-expect-error the function gives what the output says
createEffect({ name: "a", input: t.text(), output: t.uint256(), rateLimit: false }, () => 5);
// @ts-expect-error there is no such option
createEffect({ name: "a", input: t.text(), output: t.text(), rateLimit: false, cached: true }, () => "");
// @ts-expect-error types are made by t
createEffect({ name: "a", input: String, output: t.text(), rateLimit: false }, () => "");

const indexer = defineIndexer({
  name: "priced",
  schema: { account: entity({ id: t.address() }) },
  chains: { mainnet: { id: 1, sources: [{ rpc: "http://localhost" }] } },
  contracts: { Token: { abi: ["event Paused()"], chains: { mainnet: { address } } } },
  rawEvents: true,
});

indexer.on("Token.Paused", async ({ event, effect }) => {
  expectTypeOf(await effect(getPrice, { token: address, block: event.block.number })).toEqualTypeOf<bigint | null>();
  const meta = await effect(getMeta, address);
  expectTypeOf(meta.decimals).toEqualTypeOf<number>();
  expectTypeOf(meta.tags).toEqualTypeOf<readonly string[]>();
  expectTypeOf(meta.extra).toEqualTypeOf<{ url: string }>();
  // @ts-expect-error an input is missing
  await effect(getPrice, { token: address });
  // @ts-expect-error a number is no bigint
  await effect(getPrice, { token: address, block: 5 });
  // @ts-expect-error the output may be in memory or not: it is awaited
  const decimals: number = effect(getMeta, address).decimals;
  return decimals === 5 ? undefined : undefined;
});
indexer.onSetup(async ({ effect }) => {
  expectTypeOf((await effect(getMeta, address)).name).toEqualTypeOf<string>();
});

const tested = createTestIndexer(indexer);
tested.replaceEffect(getPrice, ({ block }) => block);
// @ts-expect-error a replacement gives what the effect gives
tested.replaceEffect(getPrice, () => 5);
expectTypeOf(tested.rawEvents[0]?.event).toEqualTypeOf<string | undefined>();
