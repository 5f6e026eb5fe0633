import { fetchMutants } from "./fetch.ts";
import { loopMutants } from "./loops.ts";
import type { Mutant } from "./mutant.ts";
import { postgresMutants } from "./postgres.ts";
import { storeMutants } from "./store.ts";

export type { Mutant } from "./mutant.ts";

/** Breakages of the persistence cycle, in the order of the flow; `npm run test:mutants` tries them. */
export const mutants: readonly Mutant[] = [...fetchMutants, ...storeMutants, ...loopMutants, ...postgresMutants];
