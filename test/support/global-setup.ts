import type { TestProject } from "vitest/node";
import { chooseDatabase } from "./database-choice.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** A PostgreSQL in which tests make databases of their own. */
    databaseUrl: string;
  }
}

/** Finds a PostgreSQL for the tests of a run, says which, and stops what was started for it. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const database = await chooseDatabase();
  console.log(`PostgreSQL for the tests: ${database.choice}`);
  project.provide("databaseUrl", database.url);
  return database.stop;
}
