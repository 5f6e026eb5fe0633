import { SpindexError } from "../errors.ts";

/** A name of PostgreSQL has at most 63 bytes, and the schema of internal tables is called `<name>_spindex`. */
const MAX_LENGTH = 63 - "_spindex".length;

export const SCHEMA_NAME_FIX: string = `Write lower-case letters, digits and underscores, at most ${MAX_LENGTH}, not beginning with a digit or pg_.`;

/** Whether a PostgreSQL schema of ours may be called so: the one rule for `--schema`, DATABASE_SCHEMA and indexers' names. */
export function isSchemaName(text: string): boolean {
  return text.length <= MAX_LENGTH && /^(?!pg_)[a-z_][a-z0-9_]*$/.test(text);
}

/** @throws SpindexError SCHEMA_INVALID */
export function schemaNameOf(text: string, place: string): string {
  if (isSchemaName(text)) return text;
  throw new SpindexError("SCHEMA_INVALID", `${place}: ${JSON.stringify(text)} is no usable name of a schema`, {
    fix: SCHEMA_NAME_FIX,
  });
}
