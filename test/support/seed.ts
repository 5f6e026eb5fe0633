import { type Pick, pickFrom } from "./world/steps.ts";

/** Choices of a test that another run can repeat. */
export interface Seed {
  readonly seed: number;
  readonly pick: Pick;
}

/** A new seed, which is printed, or the one that SPINDEX_TEST_SEED names. */
export function printedSeed(what: string): Seed {
  const seed = Number(process.env.SPINDEX_TEST_SEED ?? Math.floor(Math.random() * 2 ** 31));
  console.log(`${what}: seed ${seed} (SPINDEX_TEST_SEED=${seed} repeats its choices)`);
  return { seed, pick: pickFrom(seed) };
}
