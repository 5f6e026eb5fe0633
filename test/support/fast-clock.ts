import { type Clock, systemClock } from "../../src/lib/clock.ts";

/** A clock that runs `factor` times as fast as the real one, for what waits for seconds beside a real server. */
export function fastClock(factor: number): Clock {
  const start = systemClock.now();
  return {
    ...systemClock,
    now: () => start + (systemClock.now() - start) * factor,
    sleep: (ms, signal) => systemClock.sleep(ms / factor, signal),
  };
}
