import type { Logger } from "pino";
import { assert } from "../errors.ts";
import { logEvent } from "../instrument/log.ts";
import type { IndexStatus } from "../instrument/status.ts";
import { backoffMs } from "../lib/backoff.ts";
import type { Clock } from "../lib/clock.ts";
import { Signal } from "../lib/signal.ts";
import type { IndexModel, TableModel } from "../store/table.ts";
import type { Connection } from "./connection.ts";
import { type IndexDdl, indexDdl, indexNameOf, qualified, type SchemaNames } from "./ddl.ts";

export interface IndexBuilderOptions {
  readonly names: SchemaNames;
  readonly tables: readonly TableModel[];
  /** A session of its own. `isPatient`: statements may be silent for hours. */
  readonly connect: (isPatient: boolean) => Promise<Connection>;
  readonly clock: Clock;
  readonly log: Logger;
}

/** How often to ask whether it is time, how far a build is, and how often to say so. */
const ASK_MS = 1_000;
const PROGRESS_MS = 1_000;
const SAY_MS = 10_000;
/** How long a cancelled build may take to end. */
const CANCEL_MS = 5_000;
const BACKOFF = { firstMs: 5_000, maxMs: 300_000 };

/**
 * Builds the secondary indexes that are missing, one after the other, beside writers and readers, on connections of its
 * own. A failure costs nothing but time: it is logged, and tried again.
 */
export class IndexBuilder {
  readonly #o: IndexBuilderOptions;
  readonly #wanted: readonly IndexDdl[];
  #done = 0;
  #building: string | undefined;
  #progress: number | undefined;
  #saidAt = Number.NEGATIVE_INFINITY;
  readonly #stopped = new AbortController();
  readonly #woken = new Signal();
  #running: Promise<void> | undefined;
  #isLast = false;
  /** Names of those that handlers look rows up by. */
  readonly #needed = new Set<string>();
  readonly #valid = new Set<string>();

  constructor(options: IndexBuilderOptions) {
    this.#o = options;
    this.#wanted = options.tables.flatMap((table) => indexDdl(options.names, table));
  }

  get status(): IndexStatus {
    return { building: this.#building, done: this.#done, total: this.#wanted.length, progress: this.#progress };
  }

  /** Drops what a broken build has left, waits until `isTime`, and builds what is missing, in the background. */
  start(isTime: () => boolean): void {
    assert(this.#running === undefined, "indexes are built twice");
    if (this.#wanted.length > 0) this.#running = this.#run(isTime);
  }

  /** Handlers look rows up by this index: it is built now, whatever `isTime` says. */
  need(table: TableModel, index: IndexModel): void {
    const name = indexNameOf(table, index);
    if (this.#valid.has(name)) return;
    this.#needed.add(name);
    this.#woken.notify();
  }

  /** It is time, whatever `isTime` says: builds what is missing, if one attempt is enough for it. Never rejects. */
  async finish(): Promise<void> {
    this.#isLast = true;
    this.#woken.notify();
    await this.#running;
  }

  /** Cancels the build under way. Never rejects. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#running;
  }

  async #run(isTime: () => boolean): Promise<void> {
    const { clock } = this.#o;
    const { signal } = this.#stopped;
    let isSwept = false;
    for (let failures = 0; ; ) {
      const woken = this.#woken.next();
      let waitMs = ASK_MS;
      try {
        isSwept ||= await this.#attempt(() => false);
        if (isSwept && this.#missing === 0) return;
        if ((isTime() || this.#isLast) && (await this.#attempt(() => true))) return;
        if (this.#isNeeded) await this.#attempt(({ name }) => this.#needed.has(name));
      } catch (error) {
        if (signal.aborted) return;
        logEvent(this.#o.log, "index.failed", { index: this.#building, err: error });
        this.#building = undefined;
        waitMs = backoffMs(++failures, BACKOFF, clock);
      }
      if (signal.aborted || (this.#isLast && isSwept)) return;
      const over = new AbortController();
      await Promise.race([woken, clock.sleep(waitMs, AbortSignal.any([over.signal, signal]))]);
      over.abort();
    }
  }

  /**
   * Drops invalid indexes, and builds the missing ones for which that is asked for.
   * @returns false when another process of the schema is at it
   */
  async #attempt(build: (index: IndexDdl) => boolean): Promise<boolean> {
    const { signal } = this.#stopped;
    const connection = await this.#o.connect(true);
    const over = new AbortController();
    const cancel = (): void => void this.#cancel(connection, over.signal);
    signal.addEventListener("abort", cancel, { once: true });
    try {
      // What another one is building looks broken until it is done.
      if (!(await lock(connection, this.#o.names))) return false;
      // A build waits for old transactions of others, however long; meanwhile it holds no lock that a write waits for.
      await connection.run("set lock_timeout = 0");
      for (const index of await this.#sweep(connection)) {
        if (signal.aborted) break;
        if (build(index)) await this.#build(connection, index);
      }
      return true;
    } finally {
      over.abort();
      signal.removeEventListener("abort", cancel);
      await connection.end();
    }
  }

  /** Drops the broken ones. @returns those that are not there */
  async #sweep(connection: Connection): Promise<readonly IndexDdl[]> {
    const { names } = this.#o;
    const { rows } = await connection.query(
      `select c.relname, i.indisvalid from pg_index i join pg_class c on c.oid = i.indexrelid
         join pg_namespace n on n.oid = c.relnamespace
       where n.nspname = $1 and c.relname = any($2::text[])`,
      [names.user, this.#wanted.map(({ name }) => name)],
    );
    this.#valid.clear();
    for (const [name, isValid] of rows) if (isValid === "t") this.#valid.add(name ?? "");
    for (const [name, isValid] of rows) {
      if (isValid !== "t")
        await connection.run(`drop index concurrently if exists ${qualified(names.user, name ?? "")}`);
    }
    const missing = this.#wanted.filter(({ name }) => !this.#valid.has(name));
    this.#done = this.#wanted.length - missing.length;
    return missing;
  }

  async #build(connection: Connection, index: IndexDdl): Promise<void> {
    const { clock, log } = this.#o;
    const startedAt = clock.now();
    this.#building = index.name;
    this.#say();
    const over = new AbortController();
    const watching = this.#watch(connection.server.backendPid, over.signal);
    try {
      await connection.run(index.create);
    } finally {
      over.abort();
      await watching;
      this.#progress = undefined;
    }
    this.#building = undefined;
    this.#valid.add(index.name);
    this.#done++;
    logEvent(log, "index.built", { index: index.name, duration_ms: Math.round(clock.now() - startedAt) });
  }

  /** Keeps `progress` up to date. It is a comfort: when it fails, nothing is known of the progress. */
  async #watch(backendPid: number, signal: AbortSignal): Promise<void> {
    const { clock } = this.#o;
    await clock.sleep(PROGRESS_MS, signal);
    if (signal.aborted) return;
    let connection: Connection | undefined;
    try {
      connection = await this.#o.connect(false);
      while (!signal.aborted) {
        this.#progress = await readProgress(connection, backendPid);
        if (clock.now() - this.#saidAt >= SAY_MS) this.#say();
        await clock.sleep(PROGRESS_MS, signal);
      }
    } catch {
      this.#progress = undefined;
    } finally {
      await connection?.end();
    }
  }

  #say(): void {
    const { building: index, done, total, progress } = this.status;
    this.#saidAt = this.#o.clock.now();
    logEvent(this.#o.log, "index.building", { index, done, total, progress });
  }

  get #isNeeded(): boolean {
    return [...this.#needed].some((name) => !this.#valid.has(name));
  }

  get #missing(): number {
    return this.#wanted.length - this.#done;
  }

  /** The server would go on with a build whose client is gone. A server that does not answer is left to itself. */
  async #cancel(build: Connection, signal: AbortSignal): Promise<void> {
    try {
      const connection = await this.#o.connect(false);
      await connection.query("select pg_cancel_backend($1)", [build.server.backendPid]);
      await connection.end();
    } catch {
      // What is left of the build is dropped at the next start.
    }
    await this.#o.clock.sleep(CANCEL_MS, signal);
    if (!signal.aborted) build.destroy();
  }
}

/** Held by the session that builds, so also by that of a process that was killed, until the server has noticed. */
async function lock(connection: Connection, names: SchemaNames): Promise<boolean> {
  const { rows } = await connection.query("select pg_try_advisory_lock(hashtextextended($1, 2))", [
    `spindex ${names.user}`,
  ]);
  return rows[0]?.[0] === "t";
}

/** Share of the table that is scanned, then of the index that is checked; 0 to 1. */
async function readProgress(connection: Connection, backendPid: number): Promise<number | undefined> {
  const { rows } = await connection.query(
    `select case when phase like 'building index%' then 0.8 * case when blocks_total > 0 then blocks_done::float8 / blocks_total else 0 end
         when phase like 'index validation%' or phase like 'waiting for old%' then 0.8
           + 0.2 * case when blocks_total > 0 then blocks_done::float8 / blocks_total else 0 end
         else 0 end
     from pg_stat_progress_create_index where pid = $1`,
    [backendPid],
  );
  const [value] = rows[0] ?? [];
  return value === undefined || value === null ? undefined : Number(value);
}
