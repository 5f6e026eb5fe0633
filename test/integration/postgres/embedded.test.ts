import { spawn } from "node:child_process";
import { rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { SpindexError } from "../../../src/errors.ts";
import { systemClock } from "../../../src/lib/clock.ts";
import { type EmbeddedServer, startEmbedded } from "../../../src/postgres/embedded.ts";
import { isAlive } from "../../../src/postgres/embedded-postmaster.ts";
import { temporaryFolder } from "../../support/database-choice.ts";

let folder: string;
const start = (): Promise<EmbeddedServer> => startEmbedded({ dataDir: join(folder, "data"), clock: systemClock });

async function query(url: string, text: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  client.on("error", () => {});
  await client.connect();
  try {
    return (await client.query(text)).rows;
  } finally {
    await client.end();
  }
}

async function untilEnded(pid: number): Promise<void> {
  while (isAlive(pid)) await systemClock.sleep(10);
}

describe("the embedded server", () => {
  beforeAll(async () => {
    folder = await temporaryFolder();
  });

  afterAll(() => rm(folder, { recursive: true, force: true }));

  test("is made once, survives its own death with all rows, and stops", async () => {
    const first = await start();
    expect(first.origin).toBe("created");
    await query(first.url, "create table kept (n int); insert into kept values (1)");
    process.kill(first.pid, "SIGKILL");
    await untilEnded(first.pid);
    const second = await start();
    expect(second.origin).toBe("started");
    expect(await query(second.url, "select n from kept")).toEqual([{ n: 1 }]);
    await second.stop();
    await second.stop();
    expect(isAlive(second.pid)).toBe(false);
    const socketDir = new URL(second.url).searchParams.get("host") as string;
    await expect(stat(socketDir)).rejects.toThrow("ENOENT");
  });

  test("is adopted from a process that is dead, and left to one that lives", async () => {
    const first = await start();
    const other = spawn("sleep", ["60"]);
    await writeFile(join(folder, "data", "spindex.owner"), `${other.pid}\n`);
    const guest = await start();
    expect([guest.origin, guest.pid]).toEqual(["adopted", first.pid]);
    await guest.stop();
    expect(isAlive(first.pid)).toBe(true);
    other.kill("SIGKILL");
    await untilEnded(other.pid as number);
    const heir = await start();
    expect(heir.origin).toBe("adopted");
    await heir.stop();
    expect(isAlive(first.pid)).toBe(false);
  });

  test("says why it does not start, with the end of its own log", async () => {
    await writeFile(join(folder, "data", "PG_VERSION"), "9.6\n");
    const error = await start().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(SpindexError);
    expect((error as SpindexError).code).toBe("EMBEDDED_DATABASE");
    expect((error as SpindexError).message).toContain("The data directory was initialized by PostgreSQL version 9.6");
  });
});
