import {
  type DestinationStream,
  destination as fileDestination,
  type Logger,
  type LoggerOptions,
  pino,
  stdSerializers,
  stdTimeFunctions,
} from "pino";
import { prettyFactory } from "pino-pretty";
import { type Clock, systemClock } from "../lib/clock.ts";
import { LogStorm, STORM_LINES, STORM_WINDOW_MS } from "./log-storm.ts";
import { LOG_EVENTS, type LogEvent } from "./names.ts";
import type { RecentLines } from "./recorder/recent-lines.ts";
import { redact } from "./redact.ts";

export type { Logger } from "pino";
export type LogLevel = "trace" | "debug" | "info" | "warn" | "error" | "fatal" | "silent";

export interface LogOptions {
  readonly level: LogLevel;
  readonly format: "json" | "pretty";
  /** Standard output when left out. */
  readonly destination?: (DestinationStream & { readonly isTTY?: boolean }) | undefined;
  /** Keeps the last lines too, as JSON. */
  readonly recent?: RecentLines | undefined;
  readonly clock?: Clock | undefined;
}

/** A logger whose lines hold no secrets. It writes synchronously: the last line before an exit is not lost. */
export function createLog(options: LogOptions): Logger {
  const out = options.destination ?? fileDestination({ dest: 1, sync: true });
  const isTerminal = (options.destination ?? process.stdout).isTTY === true;
  const stream = options.format === "pretty" ? prettyOf(out, isTerminal) : out;
  return pino(
    {
      level: options.level,
      base: null,
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: stdSerializers.errWithCause },
      hooks: { streamWrite: redact, logMethod: limitStorms(new LogStorm(options.clock ?? systemClock)) },
    },
    options.recent === undefined ? stream : keeping(options.recent, stream),
  );
}

type LogMethodHook = NonNullable<NonNullable<LoggerOptions["hooks"]>["logMethod"]>;

const ERROR = pino.levels.values.error as number;
/** After these no line may come that would tell of what was left out. */
const LAST_EVENTS: ReadonlySet<unknown> = new Set<LogEvent>(["indexer.stopping", "indexer.stopped"]);

/**
 * Leaves lines of an event out that come too fast, and says so when it is over. Errors are always written, and what was
 * left out before them is told first.
 */
function limitStorms(storm: LogStorm): LogMethodHook {
  return function limited(args, method, level) {
    const [fields, message]: readonly unknown[] = args;
    const event = typeof fields === "object" && fields !== null && "event" in fields ? fields.event : undefined;
    if (event === LIMITED) return method.apply(this, args);
    const isError = level >= ERROR;
    for (const { of, lines } of storm.leftOut(isError || LAST_EVENTS.has(event))) {
      logEvent(this, LIMITED, { of, left_out: lines, written: STORM_LINES, window_ms: STORM_WINDOW_MS });
    }
    // A handler's lines are told apart by what they say.
    const what = event === "handler.log" ? `handler.log: ${String(message)}` : String(event);
    if (isError || storm.admits(what)) method.apply(this, args);
  };
}

const LIMITED = "log.limited" satisfies LogEvent;

function keeping(recent: RecentLines, stream: DestinationStream): DestinationStream {
  return {
    write: (line) => {
      recent.write(line);
      stream.write(line);
    },
  };
}

/** In this process and at once: a worker thread or a stream loses its last lines when the process ends. */
function prettyOf(out: DestinationStream, isTerminal: boolean): DestinationStream {
  const format = prettyFactory({
    colorize: isTerminal,
    translateTime: "SYS:HH:MM:ss.l",
    ignore: "event",
    singleLine: true,
  });
  return { write: (line) => out.write(format(line)) };
}

/** Writes a line: the code and its constant message; values go into fields. */
export function logEvent(log: Logger, event: LogEvent, fields: Readonly<Record<string, unknown>> = {}): void {
  const { level, message } = LOG_EVENTS[event];
  log[level]({ event, ...fields }, message);
}
