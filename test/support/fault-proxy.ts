import { rm } from "node:fs/promises";
import net from "node:net";
import { join } from "node:path";
import { systemClock } from "../../src/lib/clock.ts";
import { temporaryFolder } from "./database-choice.ts";
import { StatementRefuser } from "./statement-refuser.ts";

export type Direction = "toServer" | "toClient";

/** What a server answers to a statement instead of running it. */
export interface InjectedError {
  readonly sqlState: string;
  readonly message: string;
}

/** Passes connections on to a PostgreSQL server, until it is told to fail as networks and servers fail. */
export interface FaultProxy {
  /** The database's URL through the proxy. */
  readonly url: string;
  /** Nothing is passed on any more, nor is anything closed: as when a cable is pulled. What was sent meanwhile is lost. */
  freeze(): void;
  thaw(): void;
  /** Closes every connection, and every new one at once. */
  refuse(): void;
  accept(): void;
  /** Everything is passed on later by this much. */
  delay(ms: number): void;
  /**
   * Closes the connection that carries a byte, when everything before that byte has been passed on. Positions count the
   * bytes of all connections since the start, in one direction.
   */
  cutAt(direction: Direction, positions: readonly number[]): void;
  /** Answers the statements that match instead of the server, until the returned function is called. */
  failStatements(pattern: RegExp, error: InjectedError): () => void;
  /** Bytes passed on since the start. */
  readonly bytes: Readonly<Record<Direction, number>>;
  /** Connections that `cutAt` has closed, and statements that `failStatements` has answered. */
  readonly faults: number;
  close(): Promise<void>;
}

export async function startFaultProxy(databaseUrl: string): Promise<FaultProxy> {
  const folder = await temporaryFolder();
  const proxy = new PostgresProxy(databaseUrl, folder);
  await proxy.listen();
  return proxy;
}

class PostgresProxy implements FaultProxy {
  readonly url: string;
  readonly bytes: Record<Direction, number> = { toServer: 0, toClient: 0 };
  faults = 0;
  readonly #target: URL;
  readonly #folder: string;
  readonly #server: net.Server;
  readonly #sockets = new Set<net.Socket>();
  readonly #cuts: Record<Direction, number[]> = { toServer: [], toClient: [] };
  readonly #failing = new Map<RegExp, InjectedError>();
  /** They have never got through: a network would not even have accepted them. */
  readonly #bornFrozen = new Set<net.Socket>();
  #isFrozen = false;
  #isRefusing = false;
  #delayMs = 0;

  constructor(databaseUrl: string, folder: string) {
    this.#target = new URL(databaseUrl);
    this.#folder = folder;
    const url = new URL(databaseUrl);
    url.searchParams.set("host", folder);
    url.port = "";
    this.url = url.href;
    this.#server = net.createServer((client) => this.#connect(client));
  }

  listen(): Promise<void> {
    return new Promise((done) => this.#server.listen(join(this.#folder, ".s.PGSQL.5432"), done));
  }

  freeze(): void {
    this.#isFrozen = true;
  }

  thaw(): void {
    this.#isFrozen = false;
    for (const socket of this.#bornFrozen) socket.destroy();
    this.#bornFrozen.clear();
  }

  refuse(): void {
    this.#isRefusing = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  accept(): void {
    this.#isRefusing = false;
  }

  delay(ms: number): void {
    this.#delayMs = ms;
  }

  cutAt(direction: Direction, positions: readonly number[]): void {
    this.#cuts[direction] = positions.toSorted((a, b) => a - b);
  }

  failStatements(pattern: RegExp, error: InjectedError): () => void {
    this.#failing.set(pattern, error);
    return () => {
      this.#failing.delete(pattern);
    };
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((done) => this.#server.close(done));
    await rm(this.#folder, { recursive: true, force: true });
  }

  #connect(client: net.Socket): void {
    if (this.#isRefusing) {
      client.destroy();
      return;
    }
    if (this.#isFrozen) this.#bornFrozen.add(client);
    const socketDir = this.#target.searchParams.get("host");
    const port = Number(this.#target.port || 5432);
    const upstream =
      socketDir === null ? net.connect(port, this.#target.hostname) : net.connect(join(socketDir, `.s.PGSQL.${port}`));
    const refuser = new StatementRefuser((statement) => this.#errorFor(statement));
    client.on("data", (data) => {
      const { forwarded, answer } = refuser.take(data);
      if (forwarded.length > 0) this.#pass("toServer", forwarded, client, upstream);
      if (answer.length > 0) this.#pass("toClient", answer, upstream, client);
    });
    upstream.on("data", (data) => this.#pass("toClient", data, upstream, client));
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      this.#sockets.add(from);
      from.on("error", () => {});
      from.on("close", () => {
        this.#sockets.delete(from);
        to.destroy();
      });
    }
  }

  #errorFor(statement: string): InjectedError | undefined {
    for (const [pattern, error] of this.#failing) {
      if (!pattern.test(statement)) continue;
      this.faults++;
      return error;
    }
    return undefined;
  }

  #pass(direction: Direction, data: Buffer, from: net.Socket, to: net.Socket): void {
    if (this.#isFrozen || from.destroyed || to.destroyed) return;
    const [cut] = this.#cuts[direction];
    const left = cut === undefined ? Number.POSITIVE_INFINITY : cut - this.bytes[direction];
    const passed = data.subarray(0, Math.max(0, Math.min(data.length, left)));
    this.bytes[direction] += passed.length;
    const isCut = data.length > left;
    if (isCut) {
      this.#cuts[direction].shift();
      this.faults++;
    }
    const write = (): void => {
      if (isCut) {
        to.end(passed);
        from.destroy();
      } else to.write(passed);
    };
    if (this.#delayMs === 0) write();
    // A socket that was cut meanwhile takes nothing any more.
    else
      systemClock
        .sleep(this.#delayMs)
        .then(write, () => {})
        .catch(() => {});
  }
}
