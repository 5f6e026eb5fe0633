import { effectDefinitionOf } from "../../src/config/effect.ts";
import type { Clock } from "../../src/lib/clock.ts";
import { EffectCalls } from "../../src/process/effect-calls.ts";
import { HandlerWaits } from "../../src/process/handler-waits.ts";
import type { EffectReader } from "../../src/store/effect-table.ts";
import type { Store } from "../../src/store/store.ts";
import { silentTelemetry } from "./silent-telemetry.ts";

/** Effects over a store; unless a reader is given, nothing is stored from earlier. */
export function effectCallsOf(
  store: Store,
  clock: Clock,
  reader: EffectReader = { effectsByKey: async () => [] },
): EffectCalls {
  const waits = new HandlerWaits(silentTelemetry(clock));
  return new EffectCalls({ store, reader, definitionOf: effectDefinitionOf, waits, clock });
}
