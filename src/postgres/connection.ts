import type { Socket } from "node:net";
import { pipeline } from "node:stream/promises";
import pg from "pg";
import { from as copyFrom } from "pg-copy-streams";
import { assert } from "../errors.ts";
import type { EncodedRows } from "../lib/byte-writer.ts";
import type { Clock } from "../lib/clock.ts";
import { COPY_HEADER, COPY_TRAILER } from "./copy-codec.ts";
import type { DatabaseUrl } from "./database-url.ts";

export interface ConnectionOptions {
  readonly url: DatabaseUrl;
  /** Shown in `pg_stat_activity`. At most 63 bytes count. */
  readonly applicationName: string;
  readonly clock: Clock;
  /** A connection on which nothing moves for this long while an answer is due is destroyed. Default 60,000. */
  readonly silenceMs?: number;
  /** Cuts the session off, also while it is being made. */
  readonly signal?: AbortSignal;
}

/** What the server says about itself when a connection is made. */
export interface ServerFacts {
  readonly backendPid: number;
  readonly database: string;
  /** e.g. 180004 */
  readonly version: number;
  /** A read-only replica. */
  readonly isStandby: boolean;
}

/** What a statement did. */
export interface StatementResult {
  /** The command tag's first word, e.g. `COMMIT`. */
  readonly command: string;
  readonly rowCount: number;
  /** Values as text, whatever their type; null for NULL. */
  readonly rows: readonly (readonly (string | null)[])[];
}

const CONNECT_TIMEOUT_MS = 10_000;
const END_TIMEOUT_MS = 2_000;

/**
 * Settings of every session. Plans: a hash or merge join over a whole table costs many times what the same rows cost by
 * index, and disabled nodes lift estimates over JIT's threshold. Waits: whoever waits for a lock gives up before we
 * take the socket for dead, and a transaction that its client abandoned lets its locks go. Texts: as we parse them.
 */
const SETTINGS: Readonly<Record<string, string>> = {
  jit: "off",
  enable_hashjoin: "off",
  enable_mergejoin: "off",
  idle_in_transaction_session_timeout: "5min",
  client_min_messages: "warning",
  search_path: "pg_catalog",
  bytea_output: "hex",
  extra_float_digits: "1",
};

/** The longest wait for a lock; shorter where the connection would be given up before. */
const MAX_LOCK_MS = 30_000;

const AS_TEXT = { getTypeParser: () => (value: unknown) => value };

/** One session with the server. Usable until `isBroken`; a broken one is thrown away and another one made. */
export class Connection {
  readonly #client: pg.Client;
  readonly #clock: Clock;
  readonly #silenceMs: number;
  #server: ServerFacts | undefined;
  #broken = false;

  private constructor(client: pg.Client, options: ConnectionOptions) {
    this.#client = client;
    this.#clock = options.clock;
    this.#silenceMs = options.silenceMs ?? 60_000;
    // The cause reaches us through the promises; without a listener the event would end the process.
    for (const event of ["error", "end"] as const) {
      client.on(event, () => {
        this.#broken = true;
      });
    }
  }

  /** @throws what `pg` throws */
  static async open(options: ConnectionOptions): Promise<Connection> {
    const client = new pg.Client({
      connectionString: options.url.href,
      application_name: options.applicationName,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      keepAlive: true,
      keepAliveInitialDelayMillis: 10_000,
    });
    const connection = new Connection(client, options);
    if (options.signal !== undefined) connection.cutBy(options.signal);
    try {
      if (options.signal?.aborted === true) throw new Error("Connection terminated: nothing is asked any more");
      await client.connect();
      connection.#server = factsOf(await connection.query(setUp(connection.#silenceMs)));
      return connection;
    } catch (error) {
      connection.destroy();
      throw error;
    }
  }

  get server(): ServerFacts {
    assert(this.#server !== undefined, "a connection is used before it was set up");
    return this.#server;
  }

  get isBroken(): boolean {
    return this.#broken;
  }

  /** Calls back when the session has ended, whoever ended it. */
  whenBroken(listener: () => void): void {
    this.#client.once("end", listener);
  }

  /** Runs one statement; parameters are sent as text. */
  async query(text: string, values: readonly unknown[] = []): Promise<StatementResult> {
    const result = await this.#watched(() =>
      this.#client.query<(string | null)[]>({ text, values: [...values], rowMode: "array", types: AS_TEXT as never }),
    );
    return { command: result.command, rowCount: result.rowCount ?? 0, rows: result.rows };
  }

  /** Runs statements without parameters in one message. */
  async run(text: string): Promise<void> {
    await this.#watched(() => this.#client.query(text));
  }

  /** Streams encoded tuples into a `COPY … FROM STDIN (FORMAT binary)`; the rows that the server counted. */
  copy(text: string, rows: EncodedRows): Promise<number> {
    return this.#watched(async () => {
      const stream = this.#client.query(copyFrom(text));
      await pipeline(copyData(rows), stream);
      return stream.rowCount;
    });
  }

  /** Ends the session in order, or by force when the server does not answer. */
  async end(): Promise<void> {
    if (this.#broken) return this.destroy();
    const over = new AbortController();
    const ended = this.#client.end().catch(() => {});
    await Promise.race([ended, this.#clock.sleep(END_TIMEOUT_MS, over.signal)]);
    over.abort();
    this.destroy();
  }

  /** Cuts the session off when `signal` aborts. */
  cutBy(signal: AbortSignal): void {
    const cut = (): void => this.destroy();
    signal.addEventListener("abort", cut, { once: true });
    this.#client.once("end", () => signal.removeEventListener("abort", cut));
    if (signal.aborted) cut();
  }

  /** Cuts the session off. */
  destroy(): void {
    this.#broken = true;
    this.#client.connection.stream.destroy();
  }

  /** `pg` waits for ever on a socket that went silent: here it is destroyed, which fails what waits on it. */
  async #watched<T>(run: () => Promise<T>): Promise<T> {
    const over = new AbortController();
    const watch = this.#destroyWhenSilent(over.signal);
    try {
      return await run();
    } finally {
      over.abort();
      await watch;
    }
  }

  async #destroyWhenSilent(signal: AbortSignal): Promise<void> {
    let moved = this.#bytesMoved();
    while (true) {
      await this.#clock.sleep(this.#silenceMs, signal);
      if (signal.aborted) return;
      const now = this.#bytesMoved();
      if (now === moved) break;
      moved = now;
    }
    const error = new Error(`no answer from the database for ${this.#silenceMs / 1000} s`);
    this.#client.connection.stream.destroy(Object.assign(error, { code: "ETIMEDOUT" }));
  }

  #bytesMoved(): number {
    const socket = this.#client.connection.stream as Socket;
    return socket.bytesRead + socket.bytesWritten;
  }
}

function setUp(silenceMs: number): string {
  const settings = { ...SETTINGS, lock_timeout: `${Math.ceil(Math.min(MAX_LOCK_MS, silenceMs / 2))}ms` };
  const set = Object.entries(settings).map(([name, value]) => `set_config('${name}', '${value}', false)`);
  return `select pg_backend_pid(), current_database(), current_setting('server_version_num'), pg_is_in_recovery(),
    ${set.join(", ")}`;
}

function* copyData(rows: EncodedRows): Generator<Buffer> {
  yield COPY_HEADER;
  yield* rows.chunks;
  yield COPY_TRAILER;
}

function factsOf({ rows }: StatementResult): ServerFacts {
  const [pid, database, version, isStandby] = rows[0] ?? [];
  return { backendPid: Number(pid), database: database ?? "", version: Number(version), isStandby: isStandby === "t" };
}
