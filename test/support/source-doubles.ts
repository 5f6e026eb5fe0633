import type { RequestStart, SourceTelemetry } from "../../src/instrument/fetch-telemetry.ts";
import type { Clock } from "../../src/lib/clock.ts";

export interface RecordingClock extends Clock {
  /** Every sleep asked for, in milliseconds. */
  readonly sleeps: readonly number[];
}

/** A clock that stands still but for sleeps, which end at once and move it on. Its randomness is always the largest. */
export function recordingClock(startMs = 1_700_000_000_000): RecordingClock {
  const sleeps: number[] = [];
  let now = startMs;
  return {
    sleeps,
    now: () => now,
    sleep: async (ms) => {
      sleeps.push(ms);
      now += ms;
    },
    turn: () => new Promise((resolve) => setImmediate(resolve)),
    random: () => 1,
  };
}

export interface RecordedRequest extends RequestStart {
  readonly outcome: "ok" | "failed";
  readonly errorCode?: number;
}

export interface RecordingTelemetry extends SourceTelemetry {
  readonly requests: readonly RecordedRequest[];
}

/** Runs requests as they are and keeps what was said about them. */
export function recordingTelemetry(): RecordingTelemetry {
  const requests: RecordedRequest[] = [];
  return {
    requests,
    async request(start, run) {
      try {
        const { value, errorCode } = await run();
        requests.push({ ...start, outcome: "ok", ...(errorCode === undefined ? {} : { errorCode }) });
        return value;
      } catch (error) {
        requests.push({ ...start, outcome: "failed" });
        throw error;
      }
    },
  };
}
