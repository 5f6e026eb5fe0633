import type { StatementPurpose, StatementStart, WriteTransactionTelemetry } from "../drain-telemetry.ts";
import { type Instruments, idsOf, modeOf, type Origin } from "../instruments.ts";
import { logEvent } from "../log.ts";
import type { LabelsOf } from "../names.ts";
import type { OpenSpan, SpanRef, TracedSpan } from "../tracing/tracing.ts";
import type { Doing, Unfinished } from "../waiting/unfinished.ts";

export interface WriteStart {
  readonly attempt: number;
  /** The run that is written; undefined when it is something else. */
  readonly drain?: Origin;
  /** Undefined: a trace of its own. */
  readonly parent?: TracedSpan;
  /** The attempt that failed before it. */
  readonly before?: WriteTrace | undefined;
  /** What is written, when it is no run and all of one kind. */
  readonly purpose?: StatementPurpose;
}

type FailureClass = LabelsOf<"write_failures_total">["class"];

const FAILURE_CLASSES: ReadonlySet<string> = new Set<FailureClass>([
  "transient",
  "outcome_unknown",
  "fenced",
  "went_back",
  "fatal",
]);

/** Statements of a transaction that get a span each; of the others, those below a millisecond share one. */
const STATEMENT_SPANS = 64;
const SHORT_STATEMENT_MS = 1;

interface Written {
  readonly table: string;
  readonly op: string;
  readonly purpose: StatementPurpose;
  readonly rows: number;
  readonly bytes: number;
}

/** One attempt to write a drain run, chain metadata, or a step of pruning. */
export class WriteTrace implements WriteTransactionTelemetry, Unfinished {
  readonly #instruments: Instruments;
  readonly #start: WriteStart;
  readonly #span: OpenSpan<"spindex.write_transaction">;
  readonly #startedAt: number;
  #database: string | undefined;
  #backendPid: number | undefined;
  /** Counted when it is durable. */
  #written: Written[] = [];
  readonly #sent = { statements: 0, rows: 0, bytes: 0 };
  readonly #merged = { statements: 0, rows: 0, bytes: 0, startedAt: 0, totalMs: 0 };
  #isEnded = false;

  constructor(instruments: Instruments, start: WriteStart) {
    this.#instruments = instruments;
    this.#start = start;
    this.#startedAt = instruments.clock.now();
    this.#span = instruments.tracing.start("spindex.write_transaction", {
      parent: start.parent,
      startedAt: this.#startedAt,
      links: [start.before?.ref],
      attributes: {
        // Of a trace of its own; else its root has it.
        "spindex.mode": start.parent === undefined ? modeOf(instruments) : undefined,
        "db.system.name": "postgresql",
        "spindex.drain.id": start.drain?.id,
        "spindex.statement.purpose": start.purpose,
        "spindex.write.attempt": start.attempt,
      },
    });
    instruments.open.add(this);
  }

  get since(): number {
    return this.#startedAt;
  }

  doing(): Doing {
    return this.#doing("transaction", "spindex.write_transaction", this.#span);
  }

  /** 1 for the first attempt. */
  get number(): number {
    return this.#start.attempt;
  }

  get isEnded(): boolean {
    return this.#isEnded;
  }

  /** The session that writes, from the moment when the transaction has begun. */
  get backendPids(): readonly number[] | undefined {
    return this.#isEnded || this.#backendPid === undefined ? undefined : [this.#backendPid];
  }

  get ref(): SpanRef | undefined {
    return this.#span.ref;
  }

  get traceId(): string | undefined {
    return this.ref?.traceId;
  }

  began(connection: { readonly backendPid: number; readonly database: string }): void {
    this.#database = connection.database;
    this.#backendPid = connection.backendPid;
    const pid = { "db.postgresql.backend_pid": connection.backendPid };
    this.#span.set({ ...pid, "db.namespace": connection.database });
    this.#span.event("begin", this.#instruments.clock.now(), pid);
  }

  async statement<T>(start: StatementStart, run: () => Promise<T>, rowsOf?: (result: T) => number): Promise<T> {
    const { clock, open } = this.#instruments;
    const startedAt = clock.now();
    // Its span is made afterwards, if at all: while it lasts, that of the transaction tells of it.
    const statement: Unfinished = {
      since: startedAt,
      doing: () => this.#doing("statement", start.summary, this.#span, start.table),
    };
    open.add(statement);
    try {
      const result = await run();
      const rows = rowsOf?.(result) ?? start.rows;
      this.#statementEnded({ ...start, rows }, startedAt, clock.now(), undefined);
      return result;
    } catch (error) {
      this.#statementEnded(start, startedAt, clock.now(), error);
      throw error;
    } finally {
      open.delete(statement);
    }
  }

  async commit<T>(run: () => Promise<T>): Promise<T> {
    const { clock, tracing, metrics, writeLoop, open } = this.#instruments;
    const startedAt = clock.now();
    this.#span.event("commit_sent", startedAt);
    const left = writeLoop.enter("sql_commit");
    const span = tracing.start("COMMIT", {
      parent: this.#span,
      startedAt,
      attributes: {
        "db.system.name": "postgresql",
        "db.namespace": this.#database,
        "db.operation.name": "COMMIT",
        "db.query.summary": "COMMIT",
      },
    });
    const commit: Unfinished = {
      since: startedAt,
      doing: () => this.#doing("sql_commit", "COMMIT", span),
      abort: () => void (open.delete(commit) && span.end(clock.now())),
    };
    open.add(commit);
    try {
      return await run();
    } catch (error) {
      if (open.has(commit)) span.mark(error);
      throw error;
    } finally {
      const endedAt = clock.now();
      if (open.delete(commit)) span.end(endedAt);
      writeLoop.enter(left);
      metrics.observe("sql_commit_duration_seconds", {}, (endedAt - startedAt) / 1000, span.ref);
    }
  }

  succeeded(alreadyDurable: boolean): void {
    const { metrics } = this.#instruments;
    const written = alreadyDurable ? (this.#start.before?.takeWritten() ?? []) : this.takeWritten();
    for (const { table, op, purpose, rows, bytes } of written) {
      metrics.add("rows_written_total", { table, op }, rows);
      metrics.add("bytes_written_total", { purpose }, bytes);
    }
    this.#end(alreadyDurable ? "already_durable" : "durable");
  }

  failed(error: unknown, failure: { readonly kind: string; readonly willRetry: boolean }): void {
    if (this.#isEnded) return;
    const { metrics, log, clock } = this.#instruments;
    const at = clock.now();
    const { attempt, drain } = this.#start;
    const { kind, willRetry } = failure;
    this.#span.set({ "spindex.write.failure_class": kind, "spindex.write.will_retry": willRetry });
    this.#span.fail(error, at);
    const labels = { class: isFailureClass(kind) ? kind : "fatal", retriable: willRetry ? "true" : "false" } as const;
    metrics.add("write_failures_total", labels, 1, this.ref);
    if (willRetry) metrics.add("write_retries_total", {});
    logEvent(log, willRetry ? "write.retry" : "write.failed", {
      ...idsOf(this.#span),
      ...(drain === undefined ? {} : { drain_id: drain.id }),
      attempt,
      class: kind,
      duration_ms: at - this.#startedAt,
      err: error,
    });
    this.#end("failed");
    // A run that fails says so itself, when all of its spans have ended.
    if (drain === undefined && !willRetry) this.#instruments.dump("write_failure");
  }

  abort(): void {
    this.#end("aborted");
  }

  /** What the attempt sent: given out once, by whoever learns that it is durable. */
  takeWritten(): readonly Written[] {
    const own = this.#written;
    this.#written = [];
    // An attempt that sent nothing found the run durable, or failed before: an earlier one may have sent it.
    return own.length > 0 ? own : (this.#start.before?.takeWritten() ?? []);
  }

  #doing(state: Doing["state"], what: string, span: TracedSpan, table?: string): Doing {
    return {
      state,
      what,
      span,
      backendPids: this.backendPids,
      attributes: {
        "spindex.drain.id": this.#start.drain?.id,
        "spindex.write.attempt": this.#start.attempt,
        "db.collection.name": table,
      },
    };
  }

  #statementEnded(start: StatementStart, startedAt: number, endedAt: number, error: unknown): void {
    const { metrics } = this.#instruments;
    const ms = endedAt - startedAt;
    const { operation: op, purpose, table, rows, bytes } = start;
    metrics.observe("write_statement_duration_seconds", { op, purpose }, ms / 1000);
    this.#written.push({ table, op, purpose, rows, bytes });
    this.#sent.statements++;
    this.#sent.rows += rows;
    this.#sent.bytes += bytes;
    if (error === undefined && this.#sent.statements > STATEMENT_SPANS && ms < SHORT_STATEMENT_MS) {
      const merged = this.#merged;
      if (merged.statements++ === 0) merged.startedAt = startedAt;
      merged.rows += rows;
      merged.bytes += bytes;
      merged.totalMs += ms;
      return;
    }
    const span = this.#statementSpan(start.summary, startedAt, {
      "db.query.summary": start.summary,
      "db.operation.name": op,
      "db.collection.name": table,
      "spindex.statement.purpose": purpose,
      "spindex.write.rows": rows,
      "spindex.write.bytes": bytes,
    });
    if (error !== undefined) span.mark(error);
    span.end(endedAt);
  }

  #statementSpan(
    title: string,
    startedAt: number,
    attributes: Parameters<OpenSpan<"{db.query.summary}">["set"]>[0],
  ): OpenSpan<"{db.query.summary}"> {
    return this.#instruments.tracing.start("{db.query.summary}", {
      parent: this.#span,
      startedAt,
      title,
      attributes: { "db.system.name": "postgresql", "db.namespace": this.#database, ...attributes },
    });
  }

  #end(outcome: "durable" | "already_durable" | "failed" | "aborted"): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    const { clock, metrics, open } = this.#instruments;
    open.delete(this);
    const at = clock.now();
    const { statements, rows, bytes, startedAt, totalMs } = this.#merged;
    if (statements > 0) {
      this.#statementSpan("merged statements", startedAt, {
        "db.query.summary": "merged statements",
        "spindex.write.merged_statements": statements,
        "spindex.write.rows": rows,
        "spindex.write.bytes": bytes,
      }).end(startedAt + totalMs);
    }
    this.#span.set({
      "spindex.write.statements": this.#sent.statements,
      "spindex.write.rows": this.#sent.rows,
      "spindex.write.bytes": this.#sent.bytes,
      "spindex.outcome": outcome,
    });
    this.#span.end(at);
    // Many tiny writes would hide the slow ones of runs.
    if (outcome === "aborted" || this.#start.drain === undefined) return;
    metrics.observe("write_transaction_duration_seconds", { outcome }, (at - this.#startedAt) / 1000, this.ref);
  }
}

function isFailureClass(kind: string): kind is FailureClass {
  return FAILURE_CLASSES.has(kind);
}
