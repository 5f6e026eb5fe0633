import type { BackendWait, BackendWaits, Blocker } from "../instrument/waiting/backend-waits.ts";
import type { Clock } from "../lib/clock.ts";
import type { Connection } from "./connection.ts";
import { statementOutline } from "./statement-outline.ts";

export interface BackendWaitsOptions {
  /** Makes a connection that gives up when it is silent for about as long as an answer may take. */
  readonly connect: () => Promise<Connection>;
  readonly clock: Clock;
}

/** How long an answer may take. */
const ANSWER_MS = 2_000;

/**
 * Of each session: what it waits for, and the session at the head of the queue before it, which waits for no lock itself:
 * the one that somebody has to end. The queue is walked as a set, so that sessions which block each other end it.
 */
const QUESTION = `
  with recursive ours as (
    select pid, wait_event_type, wait_event from pg_stat_activity
    where pid = any($1::int4[]) and wait_event_type is not null and wait_event_type <> 'Client'
  ), queue (pid, blocker) as (
    select o.pid, b from ours o, unnest(pg_blocking_pids(o.pid)) b
    union
    select q.pid, b from queue q, unnest(pg_blocking_pids(q.blocker)) b where b <> q.pid
  )
  select o.pid, o.wait_event_type || ': ' || o.wait_event, head.blocker, head.sessions, a.state,
    to_char(a.xact_start at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), a.query, a.application_name
  from ours o
  left join lateral (
    select q.blocker, count(*) over () as sessions from queue q left join pg_stat_activity s on s.pid = q.blocker
    where q.pid = o.pid
    order by cardinality(pg_blocking_pids(q.blocker)), s.xact_start, q.blocker limit 1
  ) head on true
  left join pg_stat_activity a on a.pid = head.blocker`;

/** Asks `pg_stat_activity` on a connection of its own, made at the first question: who waits long asks here, never the writer. */
export class PostgresBackendWaits implements BackendWaits {
  readonly #o: BackendWaitsOptions;
  #connection: Promise<Connection> | undefined;
  #isClosed = false;

  constructor(options: BackendWaitsOptions) {
    this.#o = options;
  }

  async ask(pids: readonly number[]): Promise<ReadonlyMap<number, BackendWait>> {
    const over = new AbortController();
    const late = this.#o.clock.sleep(ANSWER_MS, over.signal).then(() => {
      if (!over.signal.aborted) throw new Error(`no answer within ${ANSWER_MS} ms`);
      return new Map<number, BackendWait>();
    });
    try {
      return await Promise.race([this.#ask(pids), late]);
    } catch (error) {
      this.#abandonConnection();
      throw error;
    } finally {
      over.abort();
    }
  }

  /** Ends its connection. Idempotent; never throws. */
  async close(): Promise<void> {
    this.#isClosed = true;
    try {
      await (await this.#connection)?.end();
    } catch {
      // There is none.
    }
  }

  async #ask(pids: readonly number[]): Promise<ReadonlyMap<number, BackendWait>> {
    const connection = await this.#connected();
    const { rows } = await connection.query(QUESTION, [pids]);
    return new Map(rows.map(waitOf));
  }

  async #connected(): Promise<Connection> {
    const known = await this.#connection;
    if (known !== undefined && !known.isBroken) return known;
    if (this.#isClosed) throw new Error("it is closed");
    this.#connection = this.#o.connect();
    return this.#connection;
  }

  /** Whatever it is doing: the next question gets another one. */
  #abandonConnection(): void {
    this.#connection?.then(
      (connection) => connection.destroy(),
      () => {},
    );
    this.#connection = undefined;
  }
}

type Column = string | null | undefined;

function waitOf([pid, event, ...blocker]: readonly Column[]): [number, BackendWait] {
  return [Number(pid), { event: event ?? "", blocker: blockerOf(blocker) }];
}

function blockerOf([pid, count, state, since, query, application]: readonly Column[]): Blocker | undefined {
  if (pid === null || pid === undefined) return undefined;
  return {
    pid: Number(pid),
    count: Number(count),
    state: pid === "0" ? "prepared transaction" : (state ?? undefined),
    since: since ?? undefined,
    query: query ? statementOutline(query) : undefined,
    application: application || undefined,
  };
}
