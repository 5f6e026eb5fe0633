import { afterAll, beforeAll, expect, test } from "vitest";
import { runCli, temporaryProject } from "../support/cli.ts";
import { tokenChain } from "../support/fake-chain.ts";
import { startFakeNode } from "../support/fake-node.ts";
import { createTestDatabase, type TestDatabase } from "../support/postgres.ts";
import { TOKEN_PROJECT } from "../support/token-project.ts";

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

const HANDLERS = `import indexer from "./spindex.config.ts";

indexer.on("Token.Transfer", () => {
  void Promise.reject(new Error("nobody waits for me"));
});
`;

test("a start that an error ends which nobody caught is counted as a bug, not as killed, and lets the shard go", async () => {
  const node = await startFakeNode({ chain: tokenChain({ blocks: 5, transfersPerBlock: 2, holders: 3 }) });
  await using project = await temporaryProject({ ...TOKEN_PROJECT, "handlers.ts": HANDLERS });
  const options = {
    cwd: project.directory,
    env: { DATABASE_URL: database.url, RPC_URL: node.url, DATABASE_SCHEMA: "crashed" },
  };
  const { exitCode, stdout } = await runCli(["start", "--once", "--port", "0"], options);
  expect([exitCode, stdout.includes("nobody waits for me")]).toEqual([1, true]);
  const starts = await database.query("select outcome, exit_class from crashed_spindex.starts");
  expect(starts).toEqual([{ outcome: "INTERNAL", exit_class: "bug" }]);
  // Nobody has to wait until the lease has run out.
  const next = await runCli(["start", "--once", "--no-wait", "--port", "0"], options);
  const acquired = next.stdout.split("\n").find((line) => line.includes('"lease.acquired"'));
  expect(JSON.parse(acquired ?? "{}")).toMatchObject({ starts: 2, last_exit: "INTERNAL" });
  await node.close();
});
