import {
  type DestinationStream,
  destination as fileDestination,
  type Logger,
  pino,
  stdSerializers,
  stdTimeFunctions,
} from "pino";
import { prettyFactory } from "pino-pretty";
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
      hooks: { streamWrite: redact },
    },
    options.recent === undefined ? stream : keeping(options.recent, stream),
  );
}

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
