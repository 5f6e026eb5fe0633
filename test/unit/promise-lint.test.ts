import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";

// The rules need types: a linter that cannot get them finds nothing and passes. So mistakes are planted for it.

const root = fileURLToPath(new URL("../../", import.meta.url));
const oxlint = join(root, "node_modules/.bin/oxlint");
let folder = "";

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "spindex-lint-"));
  const compilerOptions = { target: "es2024", module: "nodenext", strict: true, types: [] };
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions, include: ["*.ts"] }));
});
afterAll(() => rmSync(folder, { recursive: true }));

const lint = (text: string): string[] => {
  writeFileSync(join(folder, "planted.ts"), `declare function work(): Promise<number>;\n${text}\nexport {};\n`);
  const args = ["--type-aware", "--deny-warnings", "-f", "unix", "-c", join(root, ".oxlintrc.json")];
  const { stdout, status } = spawnSync(oxlint, args, { cwd: folder, encoding: "utf8" });
  const found = [...stdout.matchAll(/\[Error\/\w+\(([\w-]+)\)\]/g)];
  expect(status).toBe(found.length === 0 ? 0 : 1);
  return found.map((match) => match[1] ?? "");
};

test.each([
  ["work();", "no-floating-promises"],
  ["void work();", "no-floating-promises"],
  [
    "export const f = (x: number | Promise<number>): void => { [x].at(0); g(x); }; declare function g<T>(x: T): T;",
    "no-floating-promises",
  ],
  ["[1].forEach(async () => { await work(); });", "no-misused-promises"],
  ["if (work()) throw new Error();", "no-misused-promises"],
  ["await 5;", "await-thenable"],
  ["export async function f(): Promise<number> { try { return work(); } catch { return 1; } }", "return-await"],
])("finds %s", (text, rule) => {
  expect(new Set(lint(text))).toEqual(new Set([rule]));
});

test("accepts promises that have an owner", () => {
  expect(lint("await work(); export const later = work(); await Promise.all([work(), later]);")).toEqual([]);
});

test("sees the files of this repository", () => {
  const files = execFileSync(oxlint, ["--debug=files"], { cwd: root, encoding: "utf8" });
  expect(files).toContain("src/errors.ts");
  expect(files).toContain("test/unit/promise-lint.test.ts");
});
