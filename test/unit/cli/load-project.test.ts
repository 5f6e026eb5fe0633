import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { loadProject } from "../../../src/cli/load-project.ts";
import { SpindexError } from "../../../src/errors.ts";

const SPINDEX = new URL("../../../src/index.ts", import.meta.url).href;

const CONFIG = `
import { defineIndexer, entity, env, t } from "${SPINDEX}";
export default defineIndexer({
  name: "test",
  schema: { account: entity({ id: t.address() }) },
  chains: { mainnet: { id: 1, sources: [{ rpc: env("TEST_ONLY_RPC") }] } },
  contracts: { Token: { abi: ["event A()", "event B()", "event C()"], chains: { mainnet: { address: "any" } } } },
});
`;
const handle = (event: string, up = "."): string =>
  `import indexer from "${up}/spindex.config.ts";\nindexer.on("Token.${event}", () => {});\n`;
const ENV = "TEST_ONLY_RPC=http://localhost:8545\n";

/** A project of these files in a folder of its own; its path has no symbolic links. */
function projectOf(files: Readonly<Record<string, string>>): string {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), "spindex-")));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), text);
  }
  return directory;
}

async function errorOf(path: string): Promise<string> {
  try {
    await loadProject(path);
  } catch (error) {
    if (error instanceof SpindexError) return `${error.code} ${error.message} → ${error.fix}`.replaceAll(path, "…");
    throw error;
  }
  throw new Error("no error");
}

describe("a project", () => {
  it("is loaded from its folder: config, .env, handlers in path order", async () => {
    const directory = projectOf({
      "spindex.config.ts": CONFIG,
      ".env": ENV,
      "src/handlers/b.ts": handle("B", "../.."),
      "src/handlers/a/z.ts": handle("A", "../../.."),
      "src/handlers/b.test.ts": "throw new Error('a test is no handler file');",
      "src/handlers/types.d.ts": "export declare const x: number;",
      "handlers.ts": handle("C"),
    });
    const project = await loadProject(directory);
    expect(project.directory).toBe(directory);
    expect(project.definition.chains[0]?.sources[0]?.rpc).toBe("http://localhost:8545");
    expect(project.registrations.map(({ key, place }) => `${key} ${place}`.replaceAll(`${directory}/`, ""))).toEqual([
      "Token.C handlers.ts:2",
      "Token.A src/handlers/a/z.ts:2",
      "Token.B src/handlers/b.ts:2",
    ]);
  });

  it("is loaded from its config file, with the handlers that it names", async () => {
    const config = CONFIG.replace("contracts:", 'handlers: ["./only/*.mts", "./only/x.mts"], contracts:');
    const directory = projectOf({
      "spindex.config.ts": config,
      ".env": ENV,
      "only/x.mts": handle("A", ".."),
      "handlers.ts": "throw new Error('not asked for');",
    });
    const { registrations } = await loadProject(join(directory, "spindex.config.ts"));
    expect(registrations.map((registration) => registration.key)).toEqual(["Token.A"]);
  });

  it("ends registration once it is loaded", async () => {
    const late = `${handle("A")}setImmediate(() => { try { indexer.on("Token.B", () => {}); } catch (error) { globalThis.spindexLate = error; } });`;
    const directory = projectOf({ "spindex.config.ts": CONFIG, ".env": ENV, "handlers.ts": `${late}` });
    await loadProject(directory);
    await expect
      .poll(() => (globalThis as { spindexLate?: unknown }).spindexLate)
      .toMatchObject({ code: "HANDLER_LATE" });
  });
});

describe("a project that cannot be loaded says why", () => {
  const DEFINE = "Write export default defineIndexer({ … }).";
  const cases: readonly [name: string, files: Record<string, string>, error: string | RegExp][] = [
    [
      "no config",
      {},
      "CONFIG_NOT_FOUND there is no spindex.config.ts in … → Run the command in the project's folder, or name the config file with --config.",
    ],
    [
      "no default export",
      { "spindex.config.ts": "export const a = 1;" },
      `CONFIG_NOT_LOADABLE …/spindex.config.ts: it has no default export → ${DEFINE}`,
    ],
    [
      "a default export that is no indexer",
      { "spindex.config.ts": "export default { name: 'x' };" },
      `CONFIG_NOT_LOADABLE …/spindex.config.ts: its default export was not made by defineIndexer → ${DEFINE}`,
    ],
    [
      "a config that throws",
      { "spindex.config.ts": "\n\nthrow new Error('boom');" },
      "CONFIG_NOT_LOADABLE …/spindex.config.ts cannot be loaded: boom (at …/spindex.config.ts:3) → Mend the file; `npx tsc --noEmit` shows most mistakes.",
    ],
    [
      "a config that is no TypeScript",
      { "spindex.config.ts": "export default {" },
      /^CONFIG_NOT_LOADABLE …\/spindex\.config\.ts cannot be loaded: /,
    ],
    [
      "no handlers",
      { "spindex.config.ts": CONFIG, ".env": ENV },
      'HANDLERS_MISSING no file in … matches ./handlers.ts or ./src/handlers/**/*.ts → Create handlers.ts, or say where handlers are: handlers: "./src/handlers/**/*.ts".',
    ],
    [
      "handler files that register nothing",
      { "spindex.config.ts": CONFIG, ".env": ENV, "handlers.ts": "export const a = 1;" },
      'HANDLERS_MISSING handlers.ts: no handler was registered with the indexer of …/spindex.config.ts → Import the indexer from spindex.config.ts and call indexer.on("Contract.Event", …) at the top level.',
    ],
    [
      "a handler of an unknown event",
      { "spindex.config.ts": CONFIG, ".env": ENV, "handlers.ts": handle("Nope") },
      "HANDLER_UNKNOWN_EVENT handlers: …/handlers.ts:2: the event Token.Nope is not in the ABI of Token → There are A, B, C.",
    ],
    [
      "two handlers of one event",
      {
        "spindex.config.ts": CONFIG,
        ".env": ENV,
        "handlers.ts": handle("A"),
        "src/handlers/a.ts": handle("A", "../.."),
      },
      "HANDLER_DUPLICATE …/src/handlers/a.ts:2: Token.A has a handler already, at …/handlers.ts:2 → Keep one of the two; a handler may call several functions.",
    ],
    [
      "a handler file that throws",
      { "spindex.config.ts": CONFIG, ".env": ENV, "handlers.ts": `${handle("A")}throw new TypeError("no");` },
      "CONFIG_NOT_LOADABLE …/handlers.ts cannot be loaded: no (at …/handlers.ts:3) → Mend the file; `npx tsc --noEmit` shows most mistakes.",
    ],
    [
      "a wrong configuration",
      { "spindex.config.ts": CONFIG.replace('name: "test"', 'name: "Test"'), ".env": ENV },
      /^CONFIG_INVALID …\/spindex\.config\.ts: name: "Test" is no usable value → /,
    ],
  ];

  it.each(cases)("%s", async (_, files, error) => {
    const text = await errorOf(projectOf(files));
    if (typeof error === "string") expect(text).toBe(error);
    else expect(text).toMatch(error);
  });
});
