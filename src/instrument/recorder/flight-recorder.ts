import { messageOf } from "../../errors.ts";
import type { Clock } from "../../lib/clock.ts";
import { type Logger, logEvent } from "../log.ts";
import { redact } from "../redact.ts";
import type { RecentSpans, TakenSpans } from "../tracing/tracing.ts";
import { DUMP_VERSION, type Dump, type DumpReason, type DumpState } from "./dump.ts";
import { dumpName, removeOldDumps, writeDump } from "./dump-file.ts";
import type { RecentLines } from "./recent-lines.ts";

/** At most one dump for each reason in this time. */
const QUIET_MS = 60_000;
/** How long one dump may take: an exit waits for it. */
const WRITE_MS = 2_000;

export interface FlightRecorderOptions {
  /** Folder of the dumps; made when it is missing. */
  readonly directory: string;
  readonly identity: Pick<Dump, "name" | "version" | "instance">;
  readonly spans: RecentSpans;
  readonly lines: RecentLines;
  readonly state: () => DumpState;
  readonly log: Logger;
  readonly clock: Clock;
}

/**
 * Keeps what has just happened, and writes it down when something goes wrong: spans whether they were sampled or not,
 * log lines, and what the loops are doing. Dumps follow each other; none ever holds up a loop or fails a caller.
 */
export class FlightRecorder {
  readonly #o: FlightRecorderOptions;
  readonly #lastAt = new Map<DumpReason, number>();
  #written: Promise<void> = Promise.resolve();

  constructor(options: FlightRecorderOptions) {
    this.#o = options;
  }

  /**
   * Writes a dump, unless there was one for this reason within a minute. The dump shows the moment after the caller's
   * synchronous work, so that a failure that is just being reported is in it whole.
   * @returns when it is written, or given up; never rejects
   */
  dump(reason: DumpReason): Promise<void> {
    const { clock, log } = this.#o;
    const now = clock.now();
    const lastAt = this.#lastAt.get(reason);
    if (lastAt !== undefined && now - lastAt < QUIET_MS) {
      logEvent(log, "recorder.skipped", { reason });
      return this.#written;
    }
    this.#lastAt.set(reason, now);
    this.#written = this.#written.then(() => this.#dump(reason));
    return this.#written;
  }

  /** When every dump that was asked for is written, or given up. */
  settled(): Promise<void> {
    return this.#written;
  }

  async #dump(reason: DumpReason): Promise<void> {
    const { clock, log, directory } = this.#o;
    const startedAt = clock.now();
    try {
      await clock.turn();
      const spans = await this.#o.spans.take();
      const pieces = this.#pieces(reason, startedAt, spans);
      this.#o.spans.send();
      const { path, bytes } = await this.#inTime((signal) =>
        writeDump(directory, dumpName(startedAt, reason), pieces, signal),
      );
      const counts = { spans: spans.ended.count, open_spans: spans.open.count, bytes };
      logEvent(log, "recorder.dumped", { reason, file: path, ...counts, duration_ms: clock.now() - startedAt });
      await removeOldDumps(directory);
    } catch (error) {
      logEvent(log, "recorder.failed", { reason, directory, problem: redact(messageOf(error)) });
    }
  }

  /** The file's text, in pieces that are made as they are written. What changes is read now. */
  #pieces(reason: DumpReason, at: number, spans: TakenSpans): Iterable<string> {
    const { identity, lines, state } = this.#o;
    const head = {
      spindexDump: DUMP_VERSION,
      reason,
      at: new Date(at).toISOString(),
      ...identity,
      ...state(),
    } satisfies Omit<Dump, "logs" | "openSpans" | "resourceSpans">;
    const logs = lines.all();
    return (function* (): Iterable<string> {
      yield redact(JSON.stringify(head)).slice(0, -1);
      yield* list(
        "logs",
        logs.map((line) => JSON.stringify(line)),
      );
      yield* list("openSpans", spans.open.texts());
      yield* list("resourceSpans", spans.ended.texts());
      yield "}\n";
    })();
  }

  /** A disk that does not answer must not hold up an exit. */
  async #inTime<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const { clock } = this.#o;
    const over = new AbortController();
    const done = new AbortController();
    const late = clock.sleep(WRITE_MS, done.signal).then(() => {
      const error = new Error(`not written within ${WRITE_MS} ms`);
      over.abort(error);
      throw error;
    });
    try {
      return await Promise.race([work(over.signal), late]);
    } finally {
      done.abort();
      late.catch(() => {});
    }
  }
}

/** A member of a JSON object, an item a line: it can be read and searched as lines, too. */
function* list(name: string, items: Iterable<string>): Iterable<string> {
  yield `,\n${JSON.stringify(name)}:[`;
  let separator = "\n";
  for (const item of items) {
    yield separator + item;
    separator = ",\n";
  }
  yield "\n]";
}
