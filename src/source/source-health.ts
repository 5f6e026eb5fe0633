import { messageOf } from "../errors.ts";
import type { SourceTelemetry } from "../instrument/fetch-telemetry.ts";
import { RangeTooLarge, type Source } from "./source.ts";

/** How a source does: failing from its first failed attempt until it has answered again. */
export interface SourceHealth {
  readonly name: string;
  /** The last error, without secrets; undefined while all is well. */
  readonly error: string | undefined;
}

/** A source that knows how it does. */
export interface WatchedSource extends Source {
  readonly health: SourceHealth;
}

/** Notes the outcome of every question; also of attempts that the source repeats by itself. */
export function watchSource(source: Source): WatchedSource {
  let error: string | undefined;

  const watched = (telemetry: SourceTelemetry): SourceTelemetry => ({
    request: (start, run) => telemetry.request(start, run),
    retrying: (attempt, waitMs, cause) => {
      error = messageOf(cause);
      telemetry.retrying?.(attempt, waitMs, cause);
    },
  });

  async function note<T>(answer: Promise<T>): Promise<T> {
    try {
      const value = await answer;
      error = undefined;
      return value;
    } catch (cause) {
      // A refused range is an answer too.
      error = cause instanceof RangeTooLarge ? undefined : messageOf(cause);
      throw cause;
    }
  }

  return {
    name: source.name,
    get health() {
      return { name: source.name, error };
    },
    chainId: (signal, telemetry) => note(source.chainId(signal, watched(telemetry))),
    head: (signal, telemetry) => note(source.head(signal, watched(telemetry))),
    finalized: (signal, telemetry) => note(source.finalized(signal, watched(telemetry))),
    headers: (numbers, signal, telemetry) => note(source.headers(numbers, signal, watched(telemetry))),
    blocks: (queries, fields, signal, telemetry) => note(source.blocks(queries, fields, signal, watched(telemetry))),
    logs: (query, signal, telemetry) => note(source.logs(query, signal, watched(telemetry))),
    close: () => source.close(),
  };
}
