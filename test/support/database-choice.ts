import { execFile } from "node:child_process";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { messageOf } from "../../src/errors.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { startEmbedded } from "../../src/postgres/embedded.ts";

export interface TestDatabaseServer {
  readonly url: string;
  /** What was chosen and why, for people. */
  readonly choice: string;
  stop(): Promise<void>;
}

const IMAGE = "postgres:18-alpine";

/** In this order: `TEST_DATABASE_URL`, a container where Docker runs, the embedded server. */
export async function chooseDatabase(): Promise<TestDatabaseServer> {
  const url = process.env.TEST_DATABASE_URL;
  if (url) return { url, choice: "TEST_DATABASE_URL", stop: async () => {} };
  if (!(await hasDocker())) return embedded("no Docker engine answers");
  try {
    return await container();
  } catch (error) {
    return embedded(`no container: ${messageOf(error).split("\n")[0]}`);
  }
}

function hasDocker(): Promise<boolean> {
  return new Promise((done) => {
    execFile("docker", ["info", "--format", "{{.ServerVersion}}"], { timeout: 3_000 }, (error) => done(error === null));
  });
}

async function container(): Promise<TestDatabaseServer> {
  const { PostgreSqlContainer } = await import("@testcontainers/postgresql");
  const started = await new PostgreSqlContainer(IMAGE).withCommand(["postgres", "-c", "fsync=off"]).start();
  return {
    url: started.getConnectionUri(),
    choice: `Docker (${IMAGE})`,
    stop: async () => {
      await started.stop();
    },
  };
}

async function embedded(reason: string): Promise<TestDatabaseServer> {
  const folder = await temporaryFolder();
  const server = await startEmbedded({
    dataDir: join(folder, "data"),
    clock: systemClock,
    // Nobody needs the tests' data after a power cut.
    settings: { fsync: "off", full_page_writes: "off", max_connections: "100", checkpoint_timeout: "1h" },
  });
  return {
    url: server.url,
    choice: `the embedded server (${reason})`,
    stop: async () => {
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** A new folder that the server's user can enter too when the tests run as root. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "spindex-test-"));
  await chmod(folder, 0o755);
  return folder;
}
