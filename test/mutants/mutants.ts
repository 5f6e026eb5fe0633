import { effectMutants } from "./effects.ts";
import { exportingMutants } from "./exporting.ts";
import { factoryMutants } from "./factories.ts";
import { fetchMutants } from "./fetch.ts";
import { guiltyRowMutants } from "./guilty-row.ts";
import { indexMutants } from "./indexes.ts";
import { migrationMutants } from "./migrations.ts";
import type { Mutant } from "./mutant.ts";
import { postgresMutants } from "./postgres.ts";
import { processingMutants } from "./processing.ts";
import { queueMutants } from "./queue.ts";
import { rollbackMutants } from "./rollback.ts";
import { tableMutants } from "./tables.ts";
import { tellingMutants } from "./telling.ts";
import { traceMutants } from "./traces.ts";
import { upkeepMutants } from "./upkeep.ts";
import { waitingMutants } from "./waiting.ts";
import { writingMutants } from "./writing.ts";

/** Breakages of the persistence cycle, in the order of the flow; `npm run test:mutants` tries them. */
export const mutants: readonly Mutant[] = [
  ...fetchMutants,
  ...factoryMutants,
  ...processingMutants,
  ...effectMutants,
  ...tableMutants,
  ...queueMutants,
  ...writingMutants,
  ...postgresMutants,
  ...guiltyRowMutants,
  ...migrationMutants,
  ...indexMutants,
  ...upkeepMutants,
  ...waitingMutants,
  ...rollbackMutants,
  ...traceMutants,
  ...tellingMutants,
  ...exportingMutants,
];
