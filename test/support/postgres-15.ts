import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { systemClock } from "../../src/lib/clock.ts";
import { startEmbedded } from "../../src/postgres/embedded.ts";
import { type TestDatabaseServer, temporaryFolder } from "./database-choice.ts";

/** Where Debian and Ubuntu put the programs of the oldest version that we support. */
const BIN = "/usr/lib/postgresql/15/bin";

/** Why there is no PostgreSQL 15 on this machine; undefined: there is one. */
export const noPostgres15: string | undefined = existsSync(join(BIN, "postgres"))
  ? undefined
  : `no ${BIN}: apt-get install postgresql-15`;

/** Starts one on new data, as an ordinary user when we are root. */
export async function startPostgres15(): Promise<TestDatabaseServer> {
  const folder = await temporaryFolder();
  const server = await startEmbedded({
    dataDir: join(folder, "data"),
    clock: systemClock,
    binaries: { initdb: join(BIN, "initdb"), postgres: join(BIN, "postgres") },
    settings: { fsync: "off", shared_buffers: "16MB", max_connections: "30" },
  });
  return {
    url: server.url,
    choice: BIN,
    stop: async () => {
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
