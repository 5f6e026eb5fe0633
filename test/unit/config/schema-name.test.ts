import { describe, expect, it } from "vitest";
import { readEnvironment } from "../../../src/config/environment.ts";
import { resolveDefinition } from "../../../src/config/resolve-definition.ts";
import { SCHEMA_NAME_FIX, schemaNameOf } from "../../../src/config/schema-name.ts";
import { SpindexError } from "../../../src/errors.ts";
import { defineIndexer, entity, t } from "../../../src/index.ts";

/** Whether each of the three places where a schema's name is given takes it. */
function takenBy(name: string): Record<"--schema" | "DATABASE_SCHEMA" | "name", boolean> {
  const takes = (give: () => unknown): boolean => {
    try {
      give();
      return true;
    } catch (error) {
      if (error instanceof SpindexError && `${error.message} ${error.fix}`.includes(SCHEMA_NAME_FIX)) return false;
      throw error;
    }
  };
  const indexer = defineIndexer({
    name,
    schema: { account: entity({ id: t.address() }) },
    chains: { main: { id: 1, sources: [{ rpc: "http://localhost:8545" }] } },
    contracts: { Token: { abi: ["event E()"], chains: { main: { address: "any" } } } },
  });
  return {
    "--schema": takes(() => schemaNameOf(name, "--schema")),
    DATABASE_SCHEMA: takes(() => readEnvironment({ DATABASE_SCHEMA: name })),
    name: takes(() => resolveDefinition(indexer, { env: {}, place: "spindex.config.ts" })),
  };
}

describe("the name of a schema is judged alike wherever it is given", () => {
  it.each(["a", "_", "erc20_v2", "p", "pg", "a".repeat(55)])("%s is taken", (name) => {
    expect(takenBy(name)).toEqual({ "--schema": true, DATABASE_SCHEMA: true, name: true });
  });

  it.each(["a".repeat(56), "pg_own", "2nd", "Erc20", "erc-20", "é", "a\0", "a\n"])("%j is refused", (name) => {
    expect(takenBy(name)).toEqual({ "--schema": false, DATABASE_SCHEMA: false, name: false });
  });
});
