import type { StatementStart, WriteTransactionTelemetry } from "../instrument/drain-telemetry.ts";
import type { TableModel } from "../store/table.ts";
import type { PruneOutcome, Pruning, WriteOutcome } from "../write/storage.ts";
import type { Connection } from "./connection.ts";
import { CHAIN_COLUMN, CHANGED_AT_COLUMN } from "./copy-codec.ts";
import { historyTableOf, qualified, type SchemaNames } from "./ddl.ts";
import { writeFailureOf } from "./failure.ts";
import type { GuardedWrite } from "./guarded-write.ts";
import { quoteName, quoteNames } from "./sql.ts";

export interface PostgresPrunerOptions {
  readonly names: SchemaNames;
  readonly shard: string;
  /** The row of `starts` of this process. */
  readonly startId: string;
  readonly tables: readonly TableModel[];
  /** Before-images of an entity's table are gone. */
  readonly onHistoryDeleted: (table: string, rows: number) => void;
  readonly write: (write: GuardedWrite, telemetry: WriteTransactionTelemetry) => Promise<WriteOutcome>;
}

/** How long audit rows are kept. */
const AUDIT_DAYS = 90;

/** Tables of audit rows, and the column that says how old a row is. Their ids grow with time. */
const AUDIT: Readonly<Record<string, string>> = {
  reorgs: "rolled_back_at",
  skipped_events: "skipped_at",
  starts: "started_at",
};

/** A step waits this long for a lock, and runs this long, at most. Shorter than anyone minds. */
const LOCK_MS = 500;
const STATEMENT_MS = 2_000;

/** From where on a chain's rows are needed. */
interface Keep {
  readonly chainId: number;
  /** Nothing at or below it can be taken back. */
  readonly floor: number;
  /** The floor is not yet in its row. */
  readonly isNew: boolean;
  /** The first checkpoint that a rollback may take back. */
  readonly firstOpen: number;
  /** The newest position at or below the floor: where a rollback to the floor ends. */
  readonly lastFinalBlock: number | undefined;
  /** The newest header at or below the floor: where the search for a common ancestor ends. */
  readonly lastFinalHeader: number | undefined;
}

/** Rows of one table between two values of an indexed column, for one chain or for all. */
interface Range {
  readonly table: string;
  /** The entity's table, when the rows are its history. */
  readonly historyOf?: string;
  readonly chain: number | undefined;
  readonly column: string;
  /** Rows below it are not needed. */
  readonly below: number;
}

/**
 * Finds and deletes what no rollback can need: history, positions and headers below each chain's floor; and old audit
 * rows. Remembers how far each table has been pruned, so that no step looks again at what earlier ones have deleted and
 * nobody has vacuumed yet.
 */
export class PostgresPruner {
  readonly #o: PostgresPrunerOptions;
  readonly #prunedUpTo = new Map<string, number>();

  constructor(options: PostgresPrunerOptions) {
    this.#o = options;
  }

  /**
   * What there is to prune; first of all the chains' floors, which refuse a rollback to what is then deleted.
   * @throws WriteFailure
   */
  async plan(connection: Connection): Promise<readonly Pruning[]> {
    try {
      await connection.run(`begin read only; set local statement_timeout = ${STATEMENT_MS}`);
      const keeps = await this.#keeps(connection);
      const ranges = await this.#present(connection, this.#ranges(keeps));
      const audits = await this.#oldAudits(connection);
      await connection.run("commit");
      const floors = keeps.filter(({ isNew }) => isNew);
      return [
        ...(ranges.length > 0 && floors.length > 0 ? [this.#raising(floors)] : []),
        ...ranges.map((range) => this.#deleting(range)),
        ...audits.map((table) => this.#deletingOld(table)),
      ];
    } catch (error) {
      throw writeFailureOf(error, { summary: "PLAN OF A PRUNING", table: undefined, commitSent: false });
    }
  }

  async #keeps(connection: Connection): Promise<readonly Keep[]> {
    const { names, shard } = this.#o;
    const of = (name: string): string => qualified(names.internal, name);
    const { rows } = await connection.query(
      `select c.chain_id, f.floor, c.history_floor is distinct from f.floor,
         coalesce((select p.checkpoint from ${of("checkpoints")} p where p.chain_id = c.chain_id and p.block > f.floor
           order by p.block, p.checkpoint limit 1), c.checkpoint + 1),
         (select max(p.block) from ${of("checkpoints")} p where p.chain_id = c.chain_id and p.block <= f.floor),
         (select max(b.number) from ${of("blocks")} b where b.chain_id = c.chain_id and b.number <= f.floor)
       from ${of("chains")} c
       cross join lateral (select greatest(c.history_floor, least(c.finalized, c.block)) as floor) f
       where c.shard = $1 and c.block is not null and c.finalized >= 0`,
      [shard],
    );
    const numberOf = (value: string | null | undefined): number | undefined =>
      value === null || value === undefined ? undefined : Number(value);
    return rows.map(([chainId, floor, isNew, firstOpen, lastFinalBlock, lastFinalHeader]) => ({
      chainId: Number(chainId),
      floor: Number(floor),
      isNew: isNew === "t",
      firstOpen: Number(firstOpen),
      lastFinalBlock: numberOf(lastFinalBlock),
      lastFinalHeader: numberOf(lastFinalHeader),
    }));
  }

  #ranges(keeps: readonly Keep[]): readonly Range[] {
    const withHistory = this.#o.tables.filter(({ appendOnly }) => !appendOnly);
    // A shared row has been changed by any chain: its history is needed while one of them can be rolled back.
    const sharedBelow = Math.min(...keeps.map(({ firstOpen }) => firstOpen));
    const histories = withHistory.flatMap((table): Range[] => {
      const range = { table: historyTableOf(table), historyOf: table.sqlName, column: CHANGED_AT_COLUMN };
      if (table.crossChain) return keeps.length === 0 ? [] : [{ ...range, chain: undefined, below: sharedBelow }];
      return keeps.map(({ chainId, firstOpen }) => ({ ...range, chain: chainId, below: firstOpen }));
    });
    const positions = keeps.flatMap(({ chainId, lastFinalBlock, lastFinalHeader }): Range[] => [
      ...(lastFinalBlock === undefined
        ? []
        : [{ table: "checkpoints", chain: chainId, column: "block", below: lastFinalBlock }]),
      ...(lastFinalHeader === undefined
        ? []
        : [{ table: "blocks", chain: chainId, column: "number", below: lastFinalHeader }]),
    ]);
    return [...histories, ...positions];
  }

  /** Those with at least one row. */
  async #present(connection: Connection, ranges: readonly Range[]): Promise<readonly Range[]> {
    if (ranges.length === 0) return [];
    // Ordered, so that it goes by the index: a scan of the table would pass over all that was deleted and not vacuumed.
    const checks = ranges.map(
      (range) => `(select 1 from ${this.#rowsOf(range)} order by ${orderOf(range)} limit 1) is not null`,
    );
    const { rows } = await connection.query(`select ${checks.join(", ")}`);
    return ranges.filter((_, at) => rows[0]?.[at] === "t");
  }

  #rowsOf(range: Range): string {
    const { table, chain, column, below } = range;
    const from = this.#prunedUpTo.get(keyOf(range)) ?? 0;
    return `${qualified(this.#o.names.internal, table)} where ${
      chain === undefined ? "" : `${quoteName(CHAIN_COLUMN)} = ${chain} and `
    }${quoteName(column)} >= ${from} and ${quoteName(column)} < ${below}`;
  }

  #raising(floors: readonly Keep[]): Pruning {
    const { names, shard } = this.#o;
    return {
      table: "chains",
      step: async (_, telemetry) => {
        const { alreadyDurable } = await this.#write(telemetry, async (run) => {
          await run(
            { ...start("UPDATE", "chains"), rows: floors.length },
            `update ${qualified(names.internal, "chains")} c set history_floor = greatest(c.history_floor, f.floor)
             from unnest($2::int8[], $3::int8[]) as f (chain_id, floor) where c.shard = $1 and c.chain_id = f.chain_id`,
            [shard, floors.map(({ chainId }) => chainId), floors.map(({ floor }) => floor)],
          );
        });
        return { alreadyDurable, rows: 0, isDone: true };
      },
    };
  }

  #deleting(range: Range): Pruning {
    const { table, historyOf, column } = range;
    const target = qualified(this.#o.names.internal, table);
    return {
      table,
      step: (maxRows, telemetry) =>
        this.#delete(maxRows, telemetry, async (run) => {
          // Rows that someone has locked are left to the next pass over the table, after a restart at the latest.
          const { rows } = await run(
            start("DELETE", table),
            `with gone as (
               delete from ${target} where ctid = any (array(
                 select ctid from ${this.#rowsOf(range)} order by ${orderOf(range)} limit ${maxRows} for update skip locked))
               returning ${quoteName(column)} as at)
             select count(*), max(at) from gone`,
            [],
          );
          const [count, last] = rows[0] ?? [];
          return {
            rows: Number(count),
            durable: () => {
              if (historyOf !== undefined) this.#o.onHistoryDeleted(historyOf, Number(count));
              if (last !== null && last !== undefined) this.#prunedUpTo.set(keyOf(range), Number(last));
            },
          };
        }),
    };
  }

  async #oldAudits(connection: Connection): Promise<readonly string[]> {
    const tables = Object.keys(AUDIT);
    const checks = tables.map((table) => `exists (${this.#oldestAudits(table, 1)})`);
    const { rows } = await connection.query(`select ${checks.join(", ")}`);
    return tables.filter((_, at) => rows[0]?.[at] === "t");
  }

  /** Ids of the old ones among the first rows. */
  #oldestAudits(table: string, maxRows: number): string {
    const { names, startId } = this.#o;
    const own = table === "starts" ? `where id <> ${startId}` : "";
    return `select id from (
      select id, ${AUDIT[table]} as at from ${qualified(names.internal, table)} ${own} order by id limit ${maxRows}
    ) oldest where at < now() - interval '${AUDIT_DAYS} days'`;
  }

  #deletingOld(table: string): Pruning {
    const target = qualified(this.#o.names.internal, table);
    return {
      table,
      step: (maxRows, telemetry) =>
        this.#delete(maxRows, telemetry, async (run) => {
          const { rowCount } = await run(
            start("DELETE", table),
            `delete from ${target} where id = any (array(${this.#oldestAudits(table, maxRows)}))`,
            [],
          );
          return { rows: rowCount, durable: () => {} };
        }),
    };
  }

  async #delete(
    maxRows: number,
    telemetry: WriteTransactionTelemetry,
    body: (run: Parameters<GuardedWrite["body"]>[0]) => Promise<{ rows: number; durable: () => void }>,
  ): Promise<PruneOutcome> {
    let deleted = { rows: 0, durable: (): void => {} };
    const { alreadyDurable } = await this.#write(telemetry, async (run) => {
      deleted = await body(run);
    });
    deleted.durable();
    return { alreadyDurable, rows: deleted.rows, isDone: deleted.rows < maxRows };
  }

  #write(telemetry: WriteTransactionTelemetry, body: GuardedWrite["body"]): Promise<WriteOutcome> {
    return this.#o.write({ name: "prune", lockMs: LOCK_MS, statementMs: STATEMENT_MS, body }, telemetry);
  }
}

/** The columns of the index that leads to its rows. */
function orderOf({ chain, column }: Range): string {
  return quoteNames(chain === undefined ? [column] : [CHAIN_COLUMN, column]);
}

function keyOf({ table, chain }: Range): string {
  return `${table} ${chain ?? ""}`;
}

function start(operation: string, table: string): StatementStart {
  return { summary: `${operation} ${table}`, operation, purpose: "prune", table, rows: 0, bytes: 0 };
}
