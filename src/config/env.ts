import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseEnv } from "node:util";
import { messageOf, SpindexError } from "../errors.ts";
import { keepSecret } from "../lib/known-secrets.ts";

/** Variables by name. */
export type EnvSource = Readonly<Record<string, string | undefined>>;

export const ENV: unique symbol = Symbol.for("spindex.env");

/** Stands in the configuration for the value of an environment variable, read when the definition is resolved. */
export interface EnvReference {
  readonly [ENV]: { readonly name: string; readonly defaultValue: string | undefined };
}

/**
 * The value of an environment variable, or of the same name in the project's `.env`; of the file that `NAME_FILE` names,
 * when that is set instead. All missing ones are reported together at start.
 */
export function env(name: string, options: { readonly default?: string } = {}): EnvReference {
  if (typeof name !== "string" || !/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
    throw new SpindexError("CONFIG_INVALID", `env(${JSON.stringify(name)}): not the name of an environment variable`, {
      fix: 'Give the name of the variable, not its value: env("MAINNET_RPC_URL").',
    });
  }
  return Object.freeze({ [ENV]: Object.freeze({ name, defaultValue: options.default }) });
}

export function isEnvReference(value: unknown): value is EnvReference {
  return typeof value === "object" && value !== null && ENV in value;
}

/**
 * The variables of this process, and below them those of the `.env` file in `directory`, if there is one.
 * @throws SpindexError ENV_INVALID when that file cannot be read
 */
export function environmentOf(directory: string): EnvSource {
  return { ...dotEnvOf(directory), ...process.env };
}

function dotEnvOf(directory: string): EnvSource {
  const path = join(directory, ".env");
  try {
    return parseEnv(readFileSync(path, "utf8"));
  } catch (error) {
    if (isCode(error, "ENOENT") || isCode(error, "ENOTDIR")) return {};
    throw new SpindexError("ENV_INVALID", `${path} cannot be read: ${messageOf(error)}`, {
      fix: "Make it a readable text file, or remove it.",
      cause: error,
    });
  }
}

/** A variable as it was found. An empty one counts as missing: compose files write `${NAME:-}`. */
export type Lookup =
  | { readonly state: "found"; readonly value: string }
  | { readonly state: "missing" }
  | { readonly state: "wrong"; readonly message: string; readonly fix: string };

/** A variable itself. */
export function lookUp(source: EnvSource, name: string): Lookup {
  const value = source[name];
  return value === undefined || value === "" ? { state: "missing" } : { state: "found", value };
}

/**
 * A variable that may be a secret: the text of the file that `NAME_FILE` names stands for it. Whatever is read here is
 * known as a secret from then on, also when it turns out to be wrong.
 */
export function lookUpSecret(source: EnvSource, name: string): Lookup {
  const found = secretOf(source, name);
  if (found.state === "found") keepSecret(found.value);
  return found;
}

function secretOf(source: EnvSource, name: string): Lookup {
  const direct = lookUp(source, name);
  const file = lookUp(source, `${name}_FILE`);
  if (file.state !== "found") return direct;
  if (direct.state === "found") {
    return { state: "wrong", message: `${name} and ${name}_FILE are both set`, fix: "Keep one of them." };
  }
  try {
    const value = readFileSync(resolve(file.value), "utf8").trimEnd();
    if (value !== "") return { state: "found", value };
    return { state: "wrong", message: `${name}_FILE: ${file.value} is empty`, fix: "Write the value into the file." };
  } catch (error) {
    const fix = "Name a readable file that holds the value alone.";
    return { state: "wrong", message: `${name}_FILE: ${messageOf(error)}`, fix };
  }
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
