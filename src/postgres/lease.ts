import type { Clock } from "../lib/clock.ts";
import type { Connection } from "./connection.ts";

/**
 * The right to write a shard: a session lock on a connection of its own, so that it ends with the process however it
 * ends. It keeps others from starting; what keeps a former owner from writing is the token that every write checks.
 */
export class Lease {
  readonly #connect: () => Promise<Connection>;
  readonly #key: string;
  #connection: Connection;

  private constructor(connect: () => Promise<Connection>, key: string, connection: Connection) {
    this.#connect = connect;
    this.#key = key;
    this.#connection = connection;
  }

  /**
   * Waits a moment for a former owner's session to end.
   * @returns undefined when another session has it
   */
  static async acquire(options: {
    /** Names the schema and shard. */
    readonly key: string;
    readonly connect: () => Promise<Connection>;
    readonly clock: Clock;
    readonly waitMs: number;
  }): Promise<Lease | undefined> {
    const { key, connect, clock, waitMs } = options;
    const giveUpAt = clock.now() + waitMs;
    const connection = await connect();
    try {
      while (!(await tryLock(connection, key))) {
        if (clock.now() >= giveUpAt) {
          await connection.end();
          return undefined;
        }
        await clock.sleep(50);
      }
    } catch (error) {
      connection.destroy();
      throw error;
    }
    return new Lease(connect, key, connection);
  }

  get backendPid(): number {
    return this.#connection.server.backendPid;
  }

  /**
   * Whether another session of the same process could take it too: true behind a pooler that lends one server
   * session to several clients, where a lock protects nobody.
   */
  async isShared(other: Connection): Promise<boolean> {
    return tryLock(other, this.#key);
  }

  /** Takes it again after its connection was lost. Without success writes go on: their token decides. */
  async regain(): Promise<void> {
    if (!this.#connection.isBroken) return;
    try {
      const connection = await this.#connect();
      if (await tryLock(connection, this.#key)) this.#connection = connection;
      else await connection.end();
    } catch {
      // Whatever is wrong with the server, the write that follows meets it and says so.
    }
  }

  async release(): Promise<void> {
    await this.#connection.end();
  }
}

async function tryLock(connection: Connection, key: string): Promise<boolean> {
  const { rows } = await connection.query("select pg_try_advisory_lock(hashtextextended($1, 0))", [key]);
  return rows[0]?.[0] === "t";
}
