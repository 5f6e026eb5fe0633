import { readTraceFile } from "../../src/testing/index.ts";

/** What a trace file holds of the two loops. */
export interface Traces {
  readonly file: string;
  readonly batches: number;
  readonly drainRuns: number;
  readonly writes: number;
  /** Batches without a way to their write transaction, and links that lead nowhere, in words. */
  readonly loose: readonly string[];
}

export async function readTraces(file: string): Promise<Traces> {
  const model = await readTraceFile(file);
  const batches = model.batches();
  const lost = batches.filter((batch) => {
    const write = model.writeTransactionOf(batch);
    return model.drainRunOf(batch) === undefined || write === undefined || !model.batchesOf(write).includes(batch);
  });
  return {
    file,
    batches: batches.length,
    drainRuns: model.named("spindex.drain_run").length,
    writes: model.named("spindex.write_transaction").length,
    loose: [...lost.map(({ spanId }) => `no way from batch ${spanId} to its write and back`), ...model.dangling()],
  };
}

/** From every batch one can go to its drain run and its write transaction, and back. */
export function isWhole(traces: Traces): boolean {
  return traces.batches > 0 && traces.loose.length === 0;
}
