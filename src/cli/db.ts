import { dirname } from "node:path";
import { Command, InvalidArgumentError } from "commander";
import { environmentOf } from "../config/env.ts";
import { readEnvironment } from "../config/environment.ts";
import { parseVariable } from "../config/environment-values.ts";
import { schemaNameOf } from "../config/schema-name.ts";
import { SpindexError } from "../errors.ts";
import { pruneStoredEffects } from "../indexer/prune-effects.ts";
import { findConfig, loadProject } from "./load-project.ts";

interface PruneFlags {
  readonly config: string;
  readonly schema?: string;
  readonly effect?: string;
  readonly olderThan?: number;
}

/** `spindex db …`: what is done to an indexer's database by hand. */
export function dbCommand(): Command {
  const effects = new Command("effects")
    .description("delete stored outputs of effects; they are called for again when a handler asks")
    .option("--effect <name>", "of this effect only")
    .option("--older-than <duration>", "only those that have been durable for so long: 12h, 30d", durationOf)
    .option(
      "--schema <name>",
      "PostgreSQL schema of the tables (DATABASE_SCHEMA; default: the indexer's name)",
      (text) => schemaNameOf(text, "--schema"),
    )
    .option("--config <path>", "config file, or the folder that holds it: for its .env, and the name", ".")
    .action(async (flags: PruneFlags) => {
      const deleted = await pruneEffects(flags);
      process.stdout.write(`deleted ${deleted} stored outputs\n`);
    });
  return new Command("db")
    .description("work with an indexer's database")
    .addCommand(new Command("prune").description("delete what can be made again").addCommand(effects));
}

async function pruneEffects({ config, schema, effect, olderThan }: PruneFlags): Promise<number> {
  const { databaseUrl, databaseSchema } = readEnvironment(environmentOf(dirname(findConfig(config))));
  if (databaseUrl === undefined) {
    throw new SpindexError("ENV_INVALID", "DATABASE_URL is not set", {
      fix: "Set it to postgresql://user:password@host:5432/database. Of an embedded database `spindex dev` prints it.",
    });
  }
  const named = schema ?? databaseSchema ?? (await loadProject(config)).definition.name;
  return pruneStoredEffects({ url: databaseUrl, schema: named, effect, olderThanMs: olderThan });
}

function durationOf(text: string): number {
  const parsed = parseVariable("duration", text, []);
  if ("value" in parsed && typeof parsed.value === "number") return parsed.value;
  throw new InvalidArgumentError("fix" in parsed ? parsed.fix : "");
}
