import { logEvent } from "../instrument/log.ts";
import type { Telemetry } from "../instrument/telemetry.ts";
import type { Clock } from "../lib/clock.ts";
import type { RowReader } from "../store/row-reader.ts";
import type { Store } from "../store/store.ts";
import { loadTables } from "../store/warm-start.ts";

export interface WarmUpOptions {
  readonly store: Store;
  readonly reader: RowReader;
  readonly chainIds: readonly number[];
  readonly telemetry: Telemetry;
  readonly clock: Clock;
}

/**
 * Loads what fits into the cache budget before the first batch, while the first blocks are fetched; says what it has
 * loaded. Without anything to load nothing is said.
 * @throws SpindexError DATABASE_UNREACHABLE
 */
export async function warmUp(options: WarmUpOptions, signal: AbortSignal): Promise<void> {
  const { store, reader, chainIds, telemetry, clock } = options;
  if (store.entities.every(({ isComplete }) => isComplete)) return;
  const startedAt = clock.now();
  const phase = telemetry.phase("spindex.warm_start", {});
  telemetry.processLoop.enter("reads");
  try {
    const tables = await loadTables({ store, reader, chainIds, signal });
    const loaded = tables.filter(({ isComplete }) => isComplete).map(({ table }) => table);
    const leftOut = tables.filter(({ isComplete }) => !isComplete).map(({ table }) => table);
    const rows = tables.reduce((sum, table) => sum + table.rows, 0);
    phase.set({
      "spindex.warm_start.loaded": loaded,
      "spindex.warm_start.left_out": leftOut,
      "spindex.warm_start.rows": rows,
    });
    phase.done();
    logEvent(telemetry.log, "cache.loaded", {
      tables: loaded,
      left_out: leftOut,
      rows,
      bytes: store.cache.bytes,
      duration_ms: Math.round(clock.now() - startedAt),
    });
  } catch (error) {
    phase.done(error);
    throw error;
  } finally {
    telemetry.processLoop.enter("other");
  }
}
