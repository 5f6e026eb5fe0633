import { z } from "zod";
import type { ErrorCode } from "../errors.ts";
import { type AddressCheck, checkAddress } from "./checksum.ts";
import { type EnvReference, isEnvReference } from "./env.ts";
import { type FactoryReference, isFactory } from "./factory.ts";
import { type Problems, pathText, show } from "./problems.ts";
import { isSchemaName, SCHEMA_NAME_FIX } from "./schema-name.ts";
import { didYouMean } from "./suggestion.ts";

/** The shape of what `defineIndexer` is given; what needs a look at two places is checked later. */
export interface ConfigShape {
  readonly name: string;
  readonly schema: object;
  readonly handlers?: string | readonly string[] | undefined;
  readonly chains: Readonly<Record<string, ChainShape>>;
  readonly contracts: Readonly<Record<string, ContractShape>>;
  readonly rawEvents?: boolean | undefined;
}

export interface ChainShape {
  readonly id: number;
  readonly sources: readonly SourceShape[];
  readonly maxReorgDepth?: number | undefined;
  readonly blockLag?: number | undefined;
  readonly pollIntervalMs?: number | undefined;
  readonly freshnessObjectiveSeconds?: number | undefined;
}

export interface SourceShape {
  readonly rpc: string | EnvReference;
  readonly maxConcurrency?: number | undefined;
  readonly maxRangeBlocks?: number | undefined;
  readonly timeoutMs?: number | undefined;
  readonly headers?: Readonly<Record<string, string | EnvReference>> | undefined;
}

export interface ContractShape {
  readonly abi: readonly unknown[];
  readonly chains: Readonly<Record<string, DeploymentShape>>;
}

export interface DeploymentShape {
  readonly address: string | readonly string[] | FactoryReference;
  readonly startBlock?: number | undefined;
  readonly endBlock?: number | undefined;
}

const blockNumber = z
  .int()
  .min(0)
  .max(2 ** 35 - 1);
const textOrEnv = z.custom<string | EnvReference>(
  (value) => (typeof value === "string" && value !== "") || isEnvReference(value),
);
const plainObject = z.custom<object>((value) => typeof value === "object" && value !== null && !Array.isArray(value));

const source = z.strictObject({
  rpc: textOrEnv,
  maxConcurrency: z.int().min(1).max(1_000).optional(),
  maxRangeBlocks: z.int().min(1).optional(),
  timeoutMs: z.int().min(1).optional(),
  headers: z.record(z.string(), textOrEnv).optional(),
});

const chain = z.strictObject({
  id: z.int().min(1),
  sources: z.array(source).min(1),
  maxReorgDepth: z.int().min(0).max(100_000).optional(),
  blockLag: z.int().min(0).optional(),
  pollIntervalMs: z.int().min(1).optional(),
  freshnessObjectiveSeconds: z.number().positive().optional(),
});

const address = z.custom<string | readonly string[] | FactoryReference>().superRefine((value: unknown, context) => {
  if (value === "any" || value === "registered" || isFactory(value)) return;
  const given = Array.isArray(value) ? value : [value];
  if (given.length === 0) {
    const fix = 'Give an address, a list of them, factory({ … }), "registered" or "any".';
    context.addIssue({ code: "custom", message: "is an empty list", params: { code: "ADDRESS_INVALID", fix } });
  }
  given.forEach((one: unknown, index) => {
    const check: AddressCheck = checkAddress(one);
    if (check.ok) return;
    const params = { code: "ADDRESS_INVALID", fix: check.fix };
    context.addIssue({ code: "custom", message: check.message, path: Array.isArray(value) ? [index] : [], params });
  });
});

const deployment = z
  .strictObject({ address, startBlock: blockNumber.optional(), endBlock: blockNumber.optional() })
  .superRefine(({ startBlock = 0, endBlock }, context) => {
    if (endBlock === undefined || endBlock >= startBlock) return;
    const params = { fix: "Give an endBlock that is not below startBlock, or leave it out to follow the head." };
    context.addIssue({
      code: "custom",
      message: `${endBlock} is below startBlock ${startBlock}`,
      path: ["endBlock"],
      params,
    });
  });

const contract = z.strictObject({ abi: z.array(z.unknown()).min(1), chains: z.record(z.string(), deployment) });

const config = z.strictObject({
  name: z.string().refine(isSchemaName),
  schema: plainObject,
  handlers: z.union([z.string().min(1), z.array(z.string().min(1)).min(1)]).optional(),
  chains: z.record(z.string(), chain),
  contracts: z.record(z.string(), contract),
  rawEvents: z.boolean().optional(),
});

/** The names that may stand at a place, by the place with its user-chosen names as `*`. */
const KEYS: Readonly<Record<string, readonly string[]>> = {
  "": Object.keys(config.shape),
  "chains.*": Object.keys(chain.shape),
  "chains.*.sources.*": Object.keys(source.shape),
  "contracts.*": Object.keys(contract.shape),
  "contracts.*.chains.*": Object.keys(deployment.shape),
};

/** How to mend what is wrong at a place. */
const FIXES: Readonly<Record<string, string>> = {
  "": "Give defineIndexer an object: { name, schema, chains, contracts }.",
  name: `It becomes the name of a PostgreSQL schema. ${SCHEMA_NAME_FIX}`,
  schema: 'Write import * as schema from "./schema.ts" and give it here.',
  handlers: 'Give a glob, or a list of globs: "./src/handlers/**/*.ts".',
  chains: 'Give chains by name: { mainnet: { id: 1, sources: [{ rpc: env("MAINNET_RPC_URL") }] } }.',
  "chains.*": 'Write { id: 1, sources: [{ rpc: env("MAINNET_RPC_URL") }] }.',
  "chains.*.id": "Give the EIP-155 chain id, a positive integer: 1 for Ethereum.",
  "chains.*.freshnessObjectiveSeconds": "Give seconds above 0, or leave it out for the default of the chain.",
  "chains.*.sources": 'A chain needs at least one source: [{ rpc: env("MAINNET_RPC_URL") }].',
  "chains.*.sources.*": 'Write { rpc: env("MAINNET_RPC_URL") }.',
  "chains.*.sources.*.rpc": 'Give a URL, or env("MAINNET_RPC_URL") instead of process.env.MAINNET_RPC_URL.',
  "chains.*.sources.*.headers": 'Give texts or env("NAME") by header name.',
  "chains.*.sources.*.headers.*": 'Give a text, or env("NAME").',
  rawEvents: "Write true to keep every handled event in the table raw_events, or leave it out.",
  contracts: "Give contracts by name: { Token: { abi, chains: { mainnet: { address, startBlock } } } }.",
  "contracts.*": "Write { abi, chains: { mainnet: { address, startBlock } } }.",
  "contracts.*.abi": "Give a list of signatures, or a JSON ABI declared `as const`.",
  "contracts.*.chains": 'Give its place on each chain: { mainnet: { address: "0x…", startBlock: 12_000_000 } }.',
  "contracts.*.chains.*": 'Write { address: "0x…", startBlock: 12_000_000 }.',
  "contracts.*.chains.*.startBlock": "Give a block number, a non-negative integer: 12_000_000.",
  "contracts.*.chains.*.endBlock": "Give a block number, a non-negative integer, or leave it out to follow the head.",
};

/** The configuration when its shape is right, or wrong in no way that hinders looking further; else undefined. */
export function checkShape(given: unknown, problems: Problems): ConfigShape | undefined {
  const result = config.safeParse(given, { reportInput: true });
  if (result.success) return result.data;
  let usable = true;
  for (const issue of result.error.issues) {
    const pattern = patternOf(issue.path);
    if (issue.code === "unrecognized_keys") {
      for (const key of issue.keys) {
        problems.add(
          "CONFIG_INVALID",
          pathText([...issue.path, key]),
          "there is no such setting",
          didYouMean(key, KEYS[pattern] ?? []),
        );
      }
      continue;
    }
    const params: Readonly<Record<string, unknown>> = issue.code === "custom" ? (issue.params ?? {}) : {};
    usable &&= issue.code === "custom" && issue.params !== undefined;
    const code = (params.code as ErrorCode | undefined) ?? "CONFIG_INVALID";
    const fix = (params.fix as string | undefined) ?? FIXES[pattern] ?? rangeFix(issue);
    problems.add(code, pathText(issue.path) || "defineIndexer", messageOfIssue(issue, params), fix);
  }
  // Unknown settings, addresses and block bounds are reported already and hinder nobody.
  return usable ? (given as ConfigShape) : undefined;
}

function messageOfIssue(issue: z.core.$ZodIssue, params: Readonly<Record<string, unknown>>): string {
  if (params.fix !== undefined) return issue.message;
  if (issue.input === undefined) return "is missing";
  const isSecret = issue.path.includes("rpc") || issue.path.includes("headers");
  return isSecret ? "is no usable value" : `${show(issue.input)} is no usable value`;
}

function rangeFix(issue: z.core.$ZodIssue): string {
  if (issue.code === "too_small") return `Give an integer of at least ${issue.minimum}.`;
  if (issue.code === "too_big") return `Give an integer of at most ${issue.maximum}.`;
  return "Give an integer, or leave it out for the default.";
}

/** `chains.mainnet.sources[0].rpc` → `chains.*.sources.*.rpc`: every second part is a name of the user's. */
function patternOf(path: readonly PropertyKey[]): string {
  return path.map((part, index) => (index % 2 === 1 ? "*" : String(part))).join(".");
}
