import { rm } from "node:fs/promises";
import net from "node:net";
import { join } from "node:path";
import { temporaryFolder } from "./database-choice.ts";

/** Passes connections on to a PostgreSQL server, until it is told to go silent, as a broken network does. */
export interface FreezingProxy {
  /** The database's URL through the proxy. */
  readonly url: string;
  freeze(): void;
  thaw(): void;
  close(): Promise<void>;
}

export async function startFreezingProxy(databaseUrl: string): Promise<FreezingProxy> {
  const target = new URL(databaseUrl);
  const socketDir = target.searchParams.get("host");
  const folder = await temporaryFolder();
  const sockets = new Set<net.Socket>();
  let isFrozen = false;
  /** Connections made while frozen: they begin when the network is back. */
  const waiting: net.Socket[] = [];
  const server = net.createServer((client) => {
    sockets.add(client);
    client.on("error", () => {});
    if (isFrozen) waiting.push(client);
    else passOn(client);
  });
  const passOn = (client: net.Socket): void => {
    if (client.destroyed) return;
    const port = Number(target.port || 5432);
    const upstream =
      socketDir === null ? net.connect(port, target.hostname) : net.connect(join(socketDir, `.s.PGSQL.${port}`));
    sockets.add(upstream);
    upstream.on("error", () => {});
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      from.on("data", (data) => {
        if (!isFrozen) to.write(data);
      });
      from.on("close", () => {
        sockets.delete(from);
        to.destroy();
      });
    }
  };
  await new Promise<void>((done) => server.listen(join(folder, ".s.PGSQL.5432"), done));
  const url = new URL(databaseUrl);
  url.searchParams.set("host", folder);
  url.port = "";
  return {
    url: url.href,
    freeze() {
      isFrozen = true;
    },
    thaw() {
      isFrozen = false;
      for (const client of waiting.splice(0)) passOn(client);
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((done) => server.close(done));
      await rm(folder, { recursive: true, force: true });
    },
  };
}
