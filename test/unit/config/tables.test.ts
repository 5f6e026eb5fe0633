import { describe, expect, it } from "vitest";
import { entity, many } from "../../../src/config/entity.ts";
import { Problems } from "../../../src/config/problems.ts";
import { type ColumnTypes, t } from "../../../src/config/t.ts";
import { tablesOf } from "../../../src/config/tables.ts";
import { SpindexError } from "../../../src/errors.ts";

const account = entity({
  id: t.address(),
  balance: t.int256().default(0n),
  transfersOut: many(() => transfer, "from"),
});
const allowance = entity(
  { owner: t.address(), spender: t.address(), amount: t.uint256() },
  { key: ["owner", "spender"], crossChain: true, hidden: true },
);
const transfer = entity(
  { id: t.eventId(), from: t.ref(() => account).index(), blockNumber: t.int64(), memo: t.text().nullable() },
  { appendOnly: true, indexes: [["from", "blockNumber"]] },
);

/** What a user without types could write. */
const untyped = entity as (columns: unknown, options?: unknown) => unknown;

function problemsOf(schema: Record<string, unknown>): string[] {
  const problems = new Problems();
  tablesOf(schema, problems);
  try {
    problems.throwIfAny("schema.ts", "CONFIG_INVALID");
  } catch (error) {
    if (!(error instanceof SpindexError)) throw error;
    expect(error.code).toBe("SCHEMA_INVALID");
    if (problems.count === 1) return [`${error.message} → ${error.fix}`.replace("schema.ts: ", "")];
    return [...error.message.matchAll(/\d\. (.*)\n\s+(.*)/g)].map(([, what, fix]) => `${what} → ${fix}`);
  }
  return [];
}

describe("a schema", () => {
  it("gives tables in the order of their names, and relations", () => {
    const problems = new Problems();
    const { tables, relations } = tablesOf(
      { transfer, allowance, account, VERSION: 1, shared: { id: t.text() } },
      problems,
    );
    expect(problems.count).toBe(0);
    const plain = { nullable: false, array: false, defaultValue: undefined };
    expect(tables).toEqual([
      {
        name: "account",
        sqlName: "account",
        columns: [
          { ...plain, name: "id", sqlName: "id", kind: "address" },
          { ...plain, name: "balance", sqlName: "balance", kind: "int256", defaultValue: 0n },
        ],
        key: ["id"],
        appendOnly: false,
        crossChain: false,
        indexes: [],
        hidden: false,
      },
      {
        name: "allowance",
        sqlName: "allowance",
        columns: [
          { ...plain, name: "owner", sqlName: "owner", kind: "address" },
          { ...plain, name: "spender", sqlName: "spender", kind: "address" },
          { ...plain, name: "amount", sqlName: "amount", kind: "uint256" },
        ],
        key: ["owner", "spender"],
        appendOnly: false,
        crossChain: true,
        indexes: [],
        hidden: true,
      },
      {
        name: "transfer",
        sqlName: "transfer",
        columns: [
          { ...plain, name: "id", sqlName: "id", kind: "eventId" },
          { ...plain, name: "from", sqlName: "from", kind: "address", references: "account" },
          { ...plain, name: "blockNumber", sqlName: "block_number", kind: "int64" },
          { ...plain, name: "memo", sqlName: "memo", kind: "text", nullable: true },
        ],
        key: ["id"],
        appendOnly: true,
        crossChain: false,
        indexes: [{ columns: ["from"] }, { columns: ["from", "blockNumber"] }],
        hidden: false,
      },
    ]);
    expect(relations).toEqual([{ entity: "account", name: "transfersOut", target: "transfer", column: "from" }]);
  });

  it("follows refs to keys that are refs, and to the entity itself", () => {
    const user = entity({ id: t.hash() });
    const profile = entity({ id: t.ref(() => user) });
    const comment = entity({
      id: t.int64(),
      by: t.ref(() => profile),
      parent: t.ref<bigint>(() => comment).nullable(),
    });
    const { tables } = tablesOf({ user, profile, comment }, new Problems());
    expect(tables[0]?.columns.map(({ name, kind, references }) => [name, kind, references])).toEqual([
      ["id", "int64", undefined],
      ["by", "hash", "profile"],
      ["parent", "int64", "comment"],
    ]);
  });

  it("keeps what kinds of columns need to know", () => {
    const { tables } = tablesOf(
      {
        e: entity({
          id: t.text(),
          price: t.numeric(38, 18),
          state: t.enum(["open", "closed"]).default("open"),
          tags: t.text().array(),
        }),
      },
      new Problems(),
    );
    expect(tables[0]?.columns.slice(1)).toEqual([
      {
        name: "price",
        sqlName: "price",
        kind: "numeric",
        nullable: false,
        array: false,
        defaultValue: undefined,
        precision: 38,
        scale: 18,
      },
      {
        name: "state",
        sqlName: "state",
        kind: "enum",
        nullable: false,
        array: false,
        defaultValue: "open",
        values: ["open", "closed"],
      },
      { name: "tags", sqlName: "tags", kind: "text", nullable: false, array: true, defaultValue: undefined },
    ]);
  });

  it("takes names to SQL", () => {
    const names = ["transfersOut", "ERC20Token", "sqrtPriceX96", "id2", "owner_of"];
    const columns = Object.fromEntries(names.map((name) => [name, t.text()]));
    const { tables } = tablesOf({ e: untyped({ id: t.text(), ...columns }) }, new Problems());
    expect(tables[0]?.columns.slice(1).map((column) => column.sqlName)).toEqual([
      "transfers_out",
      "erc20_token",
      "sqrt_price_x96",
      "id2",
      "owner_of",
    ]);
  });
});

describe("a wrong schema", () => {
  const text = t.text();
  const cases: readonly [name: string, schema: Record<string, unknown>, problems: string[]][] = [
    [
      "no key",
      { e: untyped({ owner: text }) },
      [
        'schema.e: has no column id and no key → Add one, e.g. id: t.address(), or name other key columns: entity({ … }, { key: ["owner", "spender"] }).',
      ],
    ],
    [
      "a key that is no column",
      { e: untyped({ owner: text }, { key: ["ower"] }) },
      ['schema.e.key: there is no column "ower" → Did you mean "owner"?'],
    ],
    [
      "a key that may be null",
      { e: untyped({ id: text.nullable() }) },
      [
        "schema.e.id: may be null, and so cannot be a key column → Key columns are int32, int64, uint256, text, bytes, hash, address, eventId or a ref, and not null.",
      ],
    ],
    [
      "a key of a kind that cannot be one",
      { e: untyped({ id: t.json() }) },
      [
        "schema.e.id: is json, and so cannot be a key column → Key columns are int32, int64, uint256, text, bytes, hash, address, eventId or a ref, and not null.",
      ],
    ],
    [
      "a key that names a column twice",
      { e: untyped({ id: text }, { key: ["id", "id"] }) },
      ['schema.e.key: ["id","id"] names a column twice → Name each key column once.'],
    ],
    [
      "an index over no column",
      { e: untyped({ id: text }, { indexes: [["idd"]] }) },
      ['schema.e.indexes: there is no column "idd" → Did you mean "id"?'],
    ],
    [
      "an unknown option",
      { e: untyped({ id: text }, { apendOnly: true }) },
      ['schema.e.apendOnly: there is no such option of an entity → Did you mean "appendOnly"?'],
    ],
    [
      "something that is no column",
      { e: untyped({ id: text, n: 1 }) },
      ['schema.e.n: 1 is no column → Make it with t, e.g. t.address(), or with many(() => transfer, "from").'],
    ],
    [
      "two entities with one SQL name",
      { fooBar: entity({ id: text }), foo_bar: entity({ id: text }) },
      ["schema: the entities fooBar and foo_bar are both foo_bar in SQL → Rename one of them."],
    ],
    [
      "two columns with one SQL name",
      { e: entity({ id: text, fooBar: text, foo_bar: text }) },
      ["schema.e: the columns fooBar and foo_bar are both foo_bar in SQL → Rename one of them."],
    ],
    [
      "one entity under two names",
      { a: account, b: account, transfer },
      ["schema.b: is the same entity as schema.a → Export it under one name."],
    ],
    [
      "a name of ours",
      { e: entity({ id: text, chainId: t.int32() }) },
      [
        "schema.e.chainId: the name chainId (chain_id in SQL) is reserved → Take another name: chain_id, _… and spindex_… belong to Spindex.",
      ],
    ],
    [
      "a table of ours",
      { spindexStatus: entity({ id: text }) },
      [
        "schema.spindexStatus: the name spindexStatus (spindex_status in SQL) is reserved → Take another name: chain_id, _… and spindex_… belong to Spindex.",
      ],
    ],
    [
      "a ref to an entity that is not exported",
      { e: entity({ id: text, a: t.ref(() => account) }) },
      [
        "schema.e.a: refers to an entity that is not in the schema → Export the entity from the schema, and name it: t.ref(() => account).",
      ],
    ],
    [
      "a ref to a key of two columns",
      { allowance, e: entity({ id: text, a: t.ref(() => allowance) }) },
      [
        "schema.e.a: refers to allowance, whose key is not one plain column → Refer to an entity whose key is one column, or declare plain columns for the parts of its key.",
      ],
    ],
    [
      "a relation over a column that is no ref",
      { a: entity({ id: text, items: many(() => allowance, "owner") }), allowance },
      ["schema.a.items: allowance.owner is no ref to a → Declare owner: t.ref(() => a) in allowance."],
    ],
    [
      "an enum without values",
      { e: entity({ id: text, s: t.enum([] as unknown as ["a"]) }) },
      ['schema.e.s: is an enum without values → Give the texts that it may hold: t.enum(["open", "closed"]).'],
    ],
    [
      "a numeric that is no format",
      { e: entity({ id: text, n: t.numeric(2, 3) }) },
      [
        "schema.e.n: numeric(2, 3) is no number format → Give the digits in all (1 to 1000), and those after the point: t.numeric(38, 18).",
      ],
    ],
    [
      "a default out of range",
      { e: entity({ id: text, n: t.uint256().default(-1n) }) },
      [
        "schema.e.n: the default -1n is no value of uint256 → Give .default(…) a value of the column: a bigint like 0n, not negative.",
      ],
    ],
    [
      "a default of a list that is none",
      { e: entity({ id: text, n: t.int32().array().default([1, 2.5]) }) },
      [
        "schema.e.n: the default [1,2.5] is no value of a list of int32 → Give .default(…) a value of the column: a list, each item an integer like 0.",
      ],
    ],
  ];

  it.each(cases)("%s", (_, schema, problems) => {
    expect(problemsOf(schema)).toEqual(problems);
  });

  it("that calls .array() too late, or gives an undefined default, fails there", () => {
    const late = t.text().nullable() as unknown as ReturnType<ColumnTypes["text"]>;
    expect(() => late.array()).toThrow(".array() of a text column comes too late");
    expect(() => t.text().default(undefined as never)).toThrow("a text column was given undefined as its default");
  });
});

describe("a default", () => {
  it("takes the form that rows hold", () => {
    const columns = {
      id: t.text(),
      owner: t.address().default("0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48"),
      data: t.bytes().default("0xAB"),
      memo: t.text().nullable().default(null),
      list: t.int64().array().default([1n]),
      json: t.json().default({ a: [1, { b: null }] }),
    };
    const [table] = tablesOf({ e: entity(columns) }, new Problems()).tables;
    const defaults = table?.columns.slice(1).map((column) => column.defaultValue) ?? [];
    expect(defaults).toEqual([
      "0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48",
      "0xab",
      null,
      [1n],
      { a: [1, { b: null }] },
    ]);
    expect(Object.isFrozen(defaults[3])).toBe(true);
    expect(Object.isFrozen((defaults[4] as { a: unknown }).a)).toBe(true);
  });
});
