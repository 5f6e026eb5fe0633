import { entity, type InsertOf, type JsonValue, type KeyOf, many, type RowOf, type StoreOf, t } from "spindex";
import { expectTypeOf } from "vitest";

type Hex = `0x${string}`;

const everyKind = entity({
  id: t.eventId(),
  int32: t.int32(),
  int64: t.int64(),
  uint256: t.uint256(),
  int256: t.int256(),
  numeric: t.numeric(38, 18),
  float64: t.float64(),
  bool: t.bool(),
  text: t.text(),
  bytes: t.bytes(),
  hash: t.hash(),
  address: t.address(),
  timestamp: t.timestamp(),
  json: t.json(),
  typedJson: t.json<{ name: string }>(),
  state: t.enum(["open", "closed"]),
  owner: t.ref(() => account),
  tags: t.text().array(),
  scores: t.int64().array().nullable(),
  memo: t.text().nullable().index(),
  count: t.int32().default(0),
  closedAt: t.timestamp().nullable().default(null),
});
const account = entity({ id: t.address(), balance: t.int256().default(0n), items: many(() => everyKind, "owner") });
const allowance = entity(
  { owner: t.address(), spender: t.address(), amount: t.uint256() },
  { key: ["owner", "spender"], crossChain: true, hidden: true },
);
const transfer = entity({ id: t.eventId(), memo: t.text().nullable() }, { appendOnly: true });
const comment = entity({ id: t.int64(), parent: t.ref<bigint>(() => comment).nullable() });

interface EveryRow {
  readonly id: bigint;
  readonly int32: number;
  readonly int64: bigint;
  readonly uint256: bigint;
  readonly int256: bigint;
  readonly numeric: string;
  readonly float64: number;
  readonly bool: boolean;
  readonly text: string;
  readonly bytes: Hex;
  readonly hash: Hex;
  readonly address: Hex;
  readonly timestamp: number;
  readonly json: JsonValue;
  readonly typedJson: { name: string };
  readonly state: "open" | "closed";
  readonly owner: Hex;
  readonly tags: readonly string[];
  readonly scores: readonly bigint[] | null;
  readonly memo: string | null;
  readonly count: number;
  readonly closedAt: number | null;
}
expectTypeOf<RowOf<typeof everyKind>>().toEqualTypeOf<EveryRow>();

// A reverse relation is no column; a self-reference gives its type.
expectTypeOf<RowOf<typeof account>>().toEqualTypeOf<{ readonly id: Hex; readonly balance: bigint }>();
expectTypeOf<RowOf<typeof comment>>().toEqualTypeOf<{ readonly id: bigint; readonly parent: bigint | null }>();

// Defaults may be left out of inserts; nullable columns may not.
expectTypeOf<InsertOf<typeof account>>().toEqualTypeOf<{ readonly id: Hex; readonly balance?: bigint }>();
expectTypeOf<InsertOf<typeof transfer>>().toEqualTypeOf<{ readonly id: bigint; readonly memo: string | null }>();

// A key of one column is given bare or as an object; a key of several as an object.
expectTypeOf<KeyOf<typeof account>>().toEqualTypeOf<Hex | { readonly id: Hex }>();
expectTypeOf<KeyOf<typeof allowance>>().toEqualTypeOf<{ readonly owner: Hex; readonly spender: Hex }>();

declare const store: StoreOf<{
  account: typeof account;
  allowance: typeof allowance;
  transfer: typeof transfer;
  version: number;
}>;
type AccountRow = RowOf<typeof account>;

// Only entities of a schema are in the store.
expectTypeOf<keyof typeof store>().toEqualTypeOf<"account" | "allowance" | "transfer">();
expectTypeOf(store.account.get("0x01")).toEqualTypeOf<AccountRow | undefined | Promise<AccountRow | undefined>>();
expectTypeOf(store.account.getOrThrow({ id: "0x01" })).toEqualTypeOf<AccountRow | Promise<AccountRow>>();
expectTypeOf(store.account.getOrCreate({ id: "0x01" })).toEqualTypeOf<AccountRow | Promise<AccountRow>>();
expectTypeOf(store.account.update("0x01", { balance: 1n })).toEqualTypeOf<AccountRow | Promise<AccountRow>>();
expectTypeOf(store.account.update("0x01", ({ balance }) => ({ balance: balance + 1n }))).toEqualTypeOf<
  AccountRow | Promise<AccountRow>
>();
expectTypeOf(store.account.delete("0x01")).toEqualTypeOf<void>();
expectTypeOf<keyof typeof store.transfer>().toEqualTypeOf<"insert">();

expectTypeOf(store.account.find()).toEqualTypeOf<readonly AccountRow[] | Promise<readonly AccountRow[]>>();
store.account.find({ where: { balance: { gt: 0n, lte: 5n } }, orderBy: { balance: "desc", id: "asc" }, limit: 10 });
store.account.find({ where: { or: [{ id: "0x01" }, { and: [{ balance: { in: [1n] } }] }] } });
declare const every: StoreOf<{ everyKind: typeof everyKind }>["everyKind"];
every.find({ where: { memo: null, state: "open", owner: "0x01", bool: true, closedAt: { ne: null }, numeric: "1.0" } });

// @ts-expect-error there is no such column
store.account.find({ where: { balanc: 1n } });
// @ts-expect-error a relation is no column
store.account.find({ where: { items: 1n } });
// @ts-expect-error a bigint, not a number
store.account.find({ where: { balance: { gt: 1 } } });
// @ts-expect-error there is no such operator
store.account.find({ where: { balance: { like: 1n } } });
// @ts-expect-error nothing is greater than null
every.find({ where: { memo: { gt: null } } });
// @ts-expect-error the column is never null
every.find({ where: { text: null } });
// @ts-expect-error JSON has no order
every.find({ where: { json: 1 } });
// @ts-expect-error lists have no order
every.find({ orderBy: { tags: "asc" } });
// @ts-expect-error there is no such direction
store.account.find({ orderBy: { balance: "up" } });
// @ts-expect-error append-only entities are not read
store.transfer.find();
// @ts-expect-error a row is replaced whole
store.account.set({ id: "0x01" });
// @ts-expect-error there is no such column
store.account.set({ id: "0x01", balance: 1n, balanc: 1n });
// @ts-expect-error a bigint, not a number
store.account.set({ id: "0x01", balance: 1 });
// @ts-expect-error the key cannot be changed
await store.account.update("0x01", { id: "0x02" });
// @ts-expect-error the key has two columns
await store.allowance.get({ owner: "0x01" });
// @ts-expect-error the key has two columns
await store.allowance.get("0x01");
// @ts-expect-error amount has no default
await store.allowance.getOrCreate({ owner: "0x01", spender: "0x02" });
// @ts-expect-error memo must be given, be it null
store.transfer.insert({ id: 1n });
// @ts-expect-error append-only entities are not read
store.transfer.get(1n);
// @ts-expect-error append-only entities are not changed
store.transfer.set({ id: 1n, memo: null });
// @ts-expect-error rows are readonly
(await store.account.getOrThrow("0x01")).balance = 1n;
// @ts-expect-error a read may be a promise
store.account.getOrThrow("0x01").balance;

// @ts-expect-error an entity needs an id, or a key
entity({ owner: t.address() });
// @ts-expect-error the key names no column
entity({ id: t.address() }, { key: ["owner"] });
// @ts-expect-error float64 cannot be a key
entity({ id: t.float64() });
// @ts-expect-error a nullable column cannot be a key
entity({ id: t.address().nullable() });
// @ts-expect-error an array cannot be a key
entity({ owner: t.address().array() }, { key: ["owner"] });
// @ts-expect-error a relation is no column
entity({ id: t.address(), items: many(() => transfer, "id") }, { indexes: [["items"]] });
// @ts-expect-error there is no such option
entity({ id: t.address() }, { apendOnly: true });
// @ts-expect-error a number is no column
entity({ id: t.address(), balance: 1 });
// @ts-expect-error an enum needs values
t.enum([]);
// @ts-expect-error the default is a bigint
t.uint256().default(0);
// @ts-expect-error arrays come first
t.text().nullable().array();
// @ts-expect-error the key of allowance is not one column
t.ref(() => allowance).default("0x01");
