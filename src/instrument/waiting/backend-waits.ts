/** Who or what keeps sessions of ours waiting in the database: asked for only about what has waited long. */
export interface BackendWaits {
  /**
   * What each of these sessions waits for; those that wait for nothing are left out. Bounded in time.
   * @param pids the server's processes, as in `pg_stat_activity`
   * @throws what kept it from being known
   */
  ask(pids: readonly number[]): Promise<ReadonlyMap<number, BackendWait>>;
}

export interface BackendWait {
  /** As in `pg_stat_activity`: `Lock: relation`, `IO: WALSync`. */
  readonly event: string;
  /** The session that holds the lock. Undefined: it waits for no lock. */
  readonly blocker: Blocker | undefined;
}

export interface Blocker {
  /** 0: a prepared transaction. */
  readonly pid: number;
  /** Sessions that are waited behind, this one included. */
  readonly count: number;
  /** `active`, `idle in transaction`, …; undefined when we may not see it. */
  readonly state: string | undefined;
  /** When its transaction began; ISO 8601. */
  readonly since: string | undefined;
  /** Its current or last statement, shortened, without literals. */
  readonly query: string | undefined;
  readonly application: string | undefined;
}
