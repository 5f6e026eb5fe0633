import { systemClock } from "../lib/clock.ts";
import { type PruneEffectsOptions, pruneEffects } from "../postgres/prune-effects.ts";

/** `pruneEffects` for a command: commands reach the database through here. */
export function pruneStoredEffects(options: Omit<PruneEffectsOptions, "clock">): Promise<number> {
  return pruneEffects({ ...options, clock: systemClock });
}
