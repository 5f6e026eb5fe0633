import type { Clock } from "../lib/clock.ts";
import type { Connection } from "./connection.ts";
import type { SchemaNames } from "./ddl.ts";
import { isConnectionError } from "./failure.ts";
import { lockKeyOf, tryLock } from "./session-lock.ts";
import { endExpiredSessions, type RecordedHolder, readHolder } from "./shard-holder.ts";

const POLL_MS = 1_000;
/** Looks after which an expired owner is replaced although its session, and with it the lock, could not be ended. */
const PATIENT_LOOKS = 3;

export interface AwaitShardOptions<T> {
  readonly names: SchemaNames;
  readonly shard: string;
  /** Makes a connection that is checked to be a session of its own; done again when it was lost. */
  readonly connect: () => Promise<Connection>;
  /** Before anything is waited for: whether this process could use the shard at all. Changes nothing. */
  readonly check: (connection: Connection) => Promise<void>;
  /** Takes the shard; undefined: somebody else still has it. */
  readonly take: (connection: Connection, hasLock: boolean) => Promise<T | undefined>;
  /** Called at each look while another process has it; its holder is undefined while that one is just starting. */
  readonly onTaken: (holder: RecordedHolder | undefined) => void;
  readonly clock: Clock;
  readonly signal: AbortSignal | undefined;
}

/** A shard that was taken, with the session that its lease is renewed on. */
export interface AwaitedShard<T> {
  readonly connection: Connection;
  readonly hasLock: boolean;
  readonly taken: T;
}

/**
 * Looks once a second whether a shard can be taken: because its owner has let it go, because the owner's session has ended
 * (then the lock is free, long before the lease expires), or because the owner hangs and its lease has expired (then its
 * sessions are ended). Until it is taken nothing is created or changed.
 * @throws the signal's reason when it aborts; what `connect`, `check`, `take` and `onTaken` throw
 */
export async function awaitShard<T>(options: AwaitShardOptions<T>): Promise<AwaitedShard<T>> {
  const { names, shard, clock, signal, connect, check } = options;
  let connection: Connection | undefined;
  let hasLock = false;
  let expiredLooks = 0;
  try {
    for (;;) {
      try {
        if (connection === undefined || connection.isBroken) {
          hasLock = false;
          connection = await connect();
          await check(connection);
        }
        hasLock ||= await tryLock(connection, lockKeyOf(names, shard));
        const holder = await readHolder(connection, names, shard);
        expiredLooks = holder?.isExpired ? expiredLooks + 1 : 0;
        if (expiredLooks > 0) await endExpiredSessions(connection, names, shard);
        const taken = hasLock || expiredLooks > PATIENT_LOOKS ? await options.take(connection, hasLock) : undefined;
        if (taken !== undefined) return { connection, hasLock, taken };
        options.onTaken(holder);
      } catch (error) {
        if (!isConnectionError(error)) throw error;
        // Made again below, with all the patience that a start has.
        connection?.destroy();
      }
      await clock.sleep(POLL_MS, signal);
      signal?.throwIfAborted();
    }
  } catch (error) {
    connection?.destroy();
    throw error;
  }
}
