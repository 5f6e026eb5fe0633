import { execFile } from "node:child_process";
import { existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, normalize, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, describe, expect, test } from "vitest";
import { anchorsOf, codeBlocksOf, localLinksOf } from "../support/markdown.ts";

const run = promisify(execFile);
const root = fileURLToPath(new URL("../../", import.meta.url));
const read = (path: string): string => readFileSync(join(root, path), "utf8");

const documents = ["*.md", "{docs,telemetry,examples,test}/**/*.md"]
  .flatMap((pattern) => globSync(pattern, { cwd: root }))
  .sort();
const withCode = documents
  .map((path) => [path, codeBlocksOf(read(path)).filter((block) => block.language === "ts")] as const)
  .filter(([, blocks]) => blocks.length > 0);

// Below the root, so that `spindex` means this package.
mkdirSync(join(root, "test-results"), { recursive: true });
const folder = mkdtempSync(join(root, "test-results/docs-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("TypeScript in the documents", () => {
  test("is found, the example of the README first of all", () => {
    const files = withCode.find(([path]) => path === "README.md")?.[1].map((block) => block.file);
    expect(files).toEqual(["schema.ts", "spindex.config.ts", "src/handlers/token.ts"]);
  });

  test.each(withCode)("of %s has the right types, and loads", async (path, blocks) => {
    const project = join(folder, path.replaceAll(/\W/g, "-"));
    const files = blocks.map((block, index) => join(project, block.file ?? `block-${index}.ts`));
    for (const [index, file] of files.entries()) {
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, blocks[index]?.text ?? "");
    }
    const options = {
      extends: relative(project, join(root, "tsconfig.json")),
      compilerOptions: LOOSER,
      include: ["**/*.ts"],
    };
    writeFileSync(join(project, "tsconfig.json"), JSON.stringify(options));
    const types = await run(join(root, "node_modules/.bin/tsc"), ["-p", project]).catch((error) => error);
    expect(types.stdout, `${path}\n${types.stdout}`).toBe("");
    const load = files.map((file) => `await import(${JSON.stringify(file)});`).join("");
    const args = ["--conditions=spindex-source", "--input-type=module", "--eval", load];
    expect(await run(process.execPath, args, { cwd: project })).toEqual({ stdout: "", stderr: "" });
  });
});

/** A user's project need not declare the types of its exports. */
const LOOSER = { isolatedDeclarations: false, declaration: false, noUnusedLocals: false };

describe("the documents", () => {
  test.each(documents)("%s: its links lead somewhere", (path) => {
    const lost = localLinksOf(read(path)).filter((link) => {
      const [file = "", anchor] = link.split("#");
      const target = file === "" ? path : normalize(join(dirname(path), file));
      if (!existsSync(join(root, target))) return true;
      return anchor !== undefined && !anchorsOf(read(target)).includes(anchor);
    });
    expect(lost).toEqual([]);
  });

  test("name npm scripts that exist", () => {
    const scripts = Object.keys((JSON.parse(read("package.json")) as { scripts: object }).scripts);
    const named = documents.flatMap((path) => [...read(path).matchAll(/npm (?:run )?([\w:-]+)/g)]);
    const unknown = named.filter(([text, name = ""]) => text.startsWith("npm run ") && !scripts.includes(name));
    expect(unknown.map(([text]) => text)).toEqual([]);
  });

  test("name options that the command has", async () => {
    const bin = join(root, "src/cli/bin.ts");
    const help = await run(process.execPath, ["--conditions=spindex-source", bin, "dev", "--help"]);
    const [, commands = ""] = read("README.md").split("## Commands");
    const options = [...(commands.split("## Endpoints")[0]?.matchAll(/--[a-z][a-z-]+/g) ?? [])].map(
      ([option]) => option,
    );
    expect(options.length).toBeGreaterThan(5);
    expect(options.filter((option) => !help.stdout.includes(`${option} `))).toEqual([]);
  });

  test("are all reachable from the README", () => {
    const seen = new Set<string>();
    const waiting = ["README.md"];
    for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
      if (seen.has(path) || !path.endsWith(".md") || !existsSync(join(root, path))) continue;
      seen.add(path);
      for (const link of localLinksOf(read(path)))
        waiting.push(normalize(join(dirname(path), link.split("#")[0] ?? "")));
    }
    expect(documents.filter((path) => path.startsWith("docs/") && !seen.has(path))).toEqual([]);
  });
});
