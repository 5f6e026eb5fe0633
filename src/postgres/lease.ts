import type { Logger } from "pino";
import type { SpindexError } from "../errors.ts";
import { logEvent } from "../instrument/log.ts";
import type { Clock } from "../lib/clock.ts";
import { WriteFailure } from "../write/storage.ts";
import { databaseWentBack, writerFenced } from "../write/write-error.ts";
import { isFromBefore } from "../write/write-guard.ts";
import type { Connection } from "./connection.ts";
import type { DatabaseUrl } from "./database-url.ts";
import { qualified, type SchemaNames } from "./ddl.ts";
import { describeError, needsNewSession } from "./failure.ts";
import { behindPooler, isBackendOf, lockKeyOf, tryLock } from "./session-lock.ts";
import { readHolder } from "./shard-holder.ts";

/** How long a shard is held without renewal, by the database's clock. */
export const LEASE_MS = 15_000;
const RENEW_MS = 5_000;
/** After a failed renewal. */
const RETRY_MS = 1_000;
const RELEASE_MS = 2_000;

export interface LeaseOptions {
  readonly url: DatabaseUrl;
  readonly names: SchemaNames;
  readonly shard: string;
  /** Random for each acquisition; every write checks it. */
  readonly token: string;
  /** How often the shard has been taken, this acquisition included. */
  readonly starts: number;
  /** A session with the server that nothing else uses. */
  readonly connection: Connection;
  /** That session has the shard's lock. */
  readonly hasLock: boolean;
  /** Makes another one when it was lost. */
  readonly connect: () => Promise<Connection>;
  /** The session that writes now, so that a successor can end it when this process hangs. */
  readonly writerPid: () => number | undefined;
  /** When the lease was taken, by `clock`. */
  readonly heldSince: number;
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * The right to write a shard, for as long as it is renewed. Three states:
 *
 *   held    renewed within the last 15 s. Only then a write may begin.
 *   lapsed  not renewed in time: the database is away, or this process stood still. Nothing is written until a renewal
 *           has shown that nobody else has taken the shard; then it is held again.
 *   lost    another process has the shard, or the database is one from before this process had it. Final: nothing is
 *           written any more.
 *
 * What makes it safe is not this clock but the token in the shard's row, which every write checks.
 */
export class Lease {
  readonly #o: LeaseOptions;
  readonly #lost = new AbortController();
  readonly #released = new AbortController();
  #connection: Connection;
  #heldUntil: number;
  #hasLock: boolean;
  #renewing: Promise<void> | undefined;
  #isFailing = false;
  #pause = new AbortController();
  #loop: Promise<void> | undefined;

  constructor(options: LeaseOptions) {
    this.#o = options;
    this.#connection = options.connection;
    this.#hasLock = options.hasLock;
    this.#heldUntil = options.heldSince + LEASE_MS;
  }

  /** Renews it from now on. */
  start(): void {
    this.#watch();
    this.#loop = this.#keep();
  }

  /** Aborts when the shard is lost, with WRITER_FENCED, DATABASE_WENT_BACK or DATABASE_PROXY as its reason. */
  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  get isHeld(): boolean {
    return !this.#lost.signal.aborted && !this.#released.signal.aborted && this.#o.clock.now() < this.#heldUntil;
  }

  /**
   * To be awaited before each write.
   * @throws WriteFailure `fenced` or `went_back` when it is lost, `transient` when it has lapsed and cannot be renewed now
   */
  async require(): Promise<void> {
    if (!this.isHeld && !this.#lost.signal.aborted) await this.#renewed();
    if (this.#lost.signal.aborted) {
      const { message, code } = this.#lost.signal.reason as SpindexError;
      throw new WriteFailure(code === "DATABASE_WENT_BACK" ? "went_back" : "fenced", message, {
        statement: "UPDATE leases",
        table: "leases",
      });
    }
    if (!this.isHeld) {
      throw new WriteFailure("transient", "the lease has lapsed and could not be renewed", {
        statement: "UPDATE leases",
        table: "leases",
      });
    }
  }

  /** To be called when a write has found another owner. */
  fenced(failure: WriteFailure): void {
    if (!this.#lost.signal.aborted) this.#lose(writerFenced(failure.message));
  }

  /** Lets the shard go, so that whoever waits for it has it at once. Idempotent; never throws. */
  async release(): Promise<void> {
    if (this.#released.signal.aborted) return;
    this.#released.abort();
    this.#pause.abort();
    await this.#loop;
    await this.#renewing;
    if (!this.#connection.isBroken && !this.#lost.signal.aborted) {
      const over = new AbortController();
      const expired = this.#connection
        .query(`update ${this.#leases} set expires_at = clock_timestamp() where shard = $1 and token = $2`, [
          this.#o.shard,
          this.#o.token,
        ])
        .catch(() => {
          // The lock goes with the session all the same.
        });
      await Promise.race([expired, this.#o.clock.sleep(RELEASE_MS, over.signal)]);
      over.abort();
    }
    await this.#connection.end();
  }

  async #keep(): Promise<void> {
    while (!this.#released.signal.aborted && !this.#lost.signal.aborted) {
      this.#pause = new AbortController();
      await this.#o.clock.sleep(this.#isFailing ? RETRY_MS : RENEW_MS, this.#pause.signal);
      if (this.#released.signal.aborted) return;
      await this.#renewed();
    }
  }

  /** One renewal at a time, whoever asks for it. */
  #renewed(): Promise<void> {
    this.#renewing ??= this.#renew().finally(() => {
      this.#renewing = undefined;
    });
    return this.#renewing;
  }

  async #renew(): Promise<void> {
    const { clock, log, shard } = this.#o;
    // What counts is when it was asked for: the answer may have taken long.
    const askedAt = clock.now();
    try {
      await this.#extend();
    } catch (error) {
      if (needsNewSession(error)) this.#connection.destroy();
      if (!this.#isFailing) logEvent(log, "lease.renewal_failed", { shard, err: error });
      this.#isFailing = true;
      return;
    }
    if (this.#lost.signal.aborted) return;
    this.#heldUntil = askedAt + LEASE_MS;
    if (this.#isFailing) logEvent(log, "lease.renewed", { shard });
    this.#isFailing = false;
  }

  async #extend(): Promise<void> {
    const { shard, token, writerPid, url } = this.#o;
    const connection = await this.#connected();
    const { rows } = await connection.query(
      `update ${this.#leases} set expires_at = clock_timestamp() + interval '${LEASE_MS} ms', renewed_at = clock_timestamp(),
         lease_pid = pg_backend_pid(), writer_pid = $3
       where shard = $1 and token = $2 returning lease_pid`,
      [shard, token, writerPid() ?? null],
    );
    const [row] = rows;
    if (row === undefined) return this.#lose(await this.#whyLost(connection));
    if (!isBackendOf(connection, row[0])) this.#lose(behindPooler(url));
  }

  async #connected(): Promise<Connection> {
    const { connect, names, shard } = this.#o;
    if (this.#connection.isBroken) {
      this.#hasLock = false;
      this.#connection = await connect();
      this.#watch();
    }
    // While another process has it, the row that is updated next tells who owns the shard.
    this.#hasLock ||= await tryLock(this.#connection, lockKeyOf(names, shard));
    return this.#connection;
  }

  /** The lock has gone with a session that ends: so the lease is renewed at once, on another one. */
  #watch(): void {
    this.#connection.whenBroken(() => this.#pause.abort());
  }

  /** Another process has taken the shard; or the database is one from before this process had it. */
  async #whyLost(connection: Connection): Promise<SpindexError> {
    const { names, shard, starts } = this.#o;
    try {
      const holder = await readHolder(connection, names, shard);
      if (holder === undefined) return databaseWentBack(`it does not know shard ${shard} any more`);
      if (isFromBefore(holder, starts))
        return databaseWentBack(`shard ${shard} is that of a time before this process had it`);
      return writerFenced(`shard ${shard} of schema ${names.user} is now held by ${holder.holder}`);
    } catch (error) {
      return writerFenced(
        `shard ${shard} of schema ${names.user} is now held by another process (${describeError(error)})`,
      );
    }
  }

  #lose(error: SpindexError): void {
    const { log, shard } = this.#o;
    logEvent(log, "lease.lost", { shard, err: error });
    this.#lost.abort(error);
  }

  get #leases(): string {
    return qualified(this.#o.names.internal, "leases");
  }
}
