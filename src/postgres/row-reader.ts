import { SpindexError } from "../errors.ts";
import { backoffMs } from "../lib/backoff.ts";
import type { Clock } from "../lib/clock.ts";
import { storedText } from "../lib/stored-text.ts";
import type { RowQuery } from "../store/row-query.ts";
import type { RowReader } from "../store/row-reader.ts";
import type { Row, StoredRow, TableModel } from "../store/table.ts";
import { columnTypeOf } from "./column-types.ts";
import type { Connection } from "./connection.ts";
import { keyColumnsOf } from "./copy-codec.ts";
import { qualified, type SchemaNames } from "./ddl.ts";
import { describeError, isTransient, needsNewSession } from "./failure.ts";
import { estimateStatement, type FindStatement, findStatement, pageStatement } from "./find-statements.ts";
import { parameterOf, type RowParser, rowParserOf } from "./row-parsers.ts";
import { quoteName } from "./sql.ts";
import { chainCondition } from "./table-statements.ts";

export interface RowReaderOptions {
  readonly names: SchemaNames;
  readonly connect: () => Promise<Connection>;
  readonly clock: Clock;
  /** How long a read is tried again before its handler sees an error. */
  readonly budgetMs: number;
  /** Called for each read, with the seconds that it waited for a connection. */
  readonly onTurn?: (seconds: number) => void;
  /** Called before each wait. */
  readonly onRetry?: (attempt: number, waitMs: number, error: unknown) => void;
}

const MAX_CONNECTIONS = 3;

/** Reads rows on a few connections of its own; an outage is waited out, not shown to handlers, within the budget. */
export class PostgresRowReader implements RowReader {
  readonly #options: RowReaderOptions;
  readonly #parsers = new Map<string, RowParser>();
  readonly #idle: Connection[] = [];
  readonly #waiting: PromiseWithResolvers<void>[] = [];
  readonly #closing = new AbortController();
  #busy = 0;
  readonly #busyPids = new Set<number>();

  constructor(options: RowReaderOptions) {
    this.#options = options;
  }

  /** The server's processes of the sessions that read now. */
  get busyPids(): readonly number[] {
    return [...this.#busyPids];
  }

  get connections(): { readonly busy: number; readonly idle: number } {
    return { busy: this.#busy, idle: this.#idle.filter(({ isBroken }) => !isBroken).length };
  }

  async rowsByKey(table: TableModel, chainId: number, keys: readonly Row[]): Promise<readonly StoredRow[]> {
    if (keys.length === 0) return [];
    const parser = this.#parserOf(table);
    const columns = keyColumnsOf(table);
    const lists = columns.map((column) => keys.map((key) => storedText(parameterOf(column, key[column.name]))));
    const text = queryText(this.#options.names, table, parser);
    const values = table.crossChain ? lists : [...lists, chainId];
    return (await this.query(table.sqlName, text, values)).map(parser.parse);
  }

  rowsWhere(table: TableModel, chainId: number, query: RowQuery): Promise<readonly StoredRow[]> {
    const { names } = this.#options;
    return this.#rows(table, findStatement(names, table, this.#parserOf(table), chainId, query));
  }

  rowsAfter(table: TableModel, chainId: number, after: Row | undefined, limit: number): Promise<readonly StoredRow[]> {
    const { names } = this.#options;
    return this.#rows(table, pageStatement(names, table, this.#parserOf(table), chainId, { after, limit }));
  }

  async estimateRows(tables: readonly TableModel[]): Promise<ReadonlyMap<string, number>> {
    const { text, values } = estimateStatement(this.#options.names, tables);
    const estimated = new Map((await this.query("pg_class", text, values)).map(([name, rows]) => [name, Number(rows)]));
    return new Map(tables.map(({ name, sqlName }) => [name, estimated.get(sqlName) ?? 0]));
  }

  async #rows(table: TableModel, { text, values }: FindStatement): Promise<readonly StoredRow[]> {
    return (await this.query(table.sqlName, text, values)).map(this.#parserOf(table).parse);
  }

  /**
   * Any read of one table, with the same patience.
   * @returns values as texts
   */
  async query(
    table: string,
    text: string,
    values: readonly unknown[],
  ): Promise<readonly (readonly (string | null)[])[]> {
    return this.#retried(table, () =>
      this.#withConnection(async (connection) => (await connection.query(text, values)).rows),
    );
  }

  /** Ends its connections; reads under way fail. */
  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.all(this.#idle.splice(0).map((connection) => connection.end()));
  }

  async #retried<T>(table: string, run: () => Promise<T>): Promise<T> {
    const { clock, budgetMs, onRetry } = this.#options;
    const giveUpAt = clock.now() + budgetMs;
    for (let attempt = 1; ; attempt++) {
      try {
        return await run();
      } catch (error) {
        if (!isTransient(error)) throw error;
        const waitMs = backoffMs(attempt, { firstMs: 100, maxMs: 5_000 }, clock);
        if (this.#closing.signal.aborted || clock.now() + waitMs > giveUpAt) {
          throw new SpindexError(
            "DATABASE_UNREACHABLE",
            `rows of ${table} cannot be read (${attempt} attempts): ${describeError(error)}`,
            { fix: "Look at the database: start again when it answers.", cause: error },
          );
        }
        onRetry?.(attempt, waitMs, error);
        await clock.sleep(waitMs, this.#closing.signal);
      }
    }
  }

  async #withConnection<T>(run: (connection: Connection) => Promise<T>): Promise<T> {
    const askedAt = this.#options.clock.now();
    while (this.#busy >= MAX_CONNECTIONS) {
      const turn = Promise.withResolvers<void>();
      this.#waiting.push(turn);
      await turn.promise;
    }
    this.#busy++;
    this.#options.onTurn?.((this.#options.clock.now() - askedAt) / 1000);
    let connection: Connection | undefined;
    try {
      connection = this.#takeIdle() ?? (await this.#options.connect());
      this.#busyPids.add(connection.server.backendPid);
      return await run(connection);
    } catch (error) {
      if (needsNewSession(error)) connection?.destroy();
      throw error;
    } finally {
      this.#busy--;
      if (connection !== undefined) this.#busyPids.delete(connection.server.backendPid);
      await this.#giveBack(connection);
      this.#waiting.shift()?.resolve();
    }
  }

  #takeIdle(): Connection | undefined {
    let connection = this.#idle.pop();
    while (connection?.isBroken) connection = this.#idle.pop();
    return connection;
  }

  async #giveBack(connection: Connection | undefined): Promise<void> {
    if (connection === undefined || connection.isBroken) return;
    if (this.#closing.signal.aborted) await connection.end();
    else this.#idle.push(connection);
  }

  #parserOf(table: TableModel): RowParser {
    let parser = this.#parsers.get(table.name);
    if (parser === undefined) {
      parser = rowParserOf(table);
      this.#parsers.set(table.name, parser);
    }
    return parser;
  }
}

/** One parameter for each key column, an array; then the chain. */
function queryText(names: SchemaNames, table: TableModel, parser: RowParser): string {
  const columns = keyColumnsOf(table);
  const lists = columns.map((column, at) => `$${at + 1}::${columnTypeOf({ ...column, array: true }).split(" ")[0]}`);
  const target = qualified(names.user, table.sqlName);
  const chain = chainCondition(table, "t", `$${columns.length + 1}`);
  const [first] = columns;
  if (columns.length === 1 && first !== undefined) {
    return `select ${parser.selectList} from ${target} t where t.${quoteName(first.sqlName)} = any(${lists[0]}) and ${chain}`;
  }
  const fields = columns.map((_, at) => `k${at}`);
  const match = columns.map((column, at) => `t.${quoteName(column.sqlName)} = k.k${at}`).join(" and ");
  return `select ${parser.selectList} from unnest(${lists.join(", ")}) as k (${fields.join(", ")})
    join ${target} t on ${match} and ${chain}`;
}
