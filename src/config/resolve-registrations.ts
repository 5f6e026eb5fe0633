import { z } from "zod";
import type { EventAbi } from "../abi/event-abi.ts";
import { BLOCK_FIELDS, type FieldSelection, TRANSACTION_FIELDS } from "../chain/fields.ts";
import type { ContractDefinition, IndexerDefinition } from "./definition.ts";
import { Problems, show } from "./problems.ts";
import type { RawRegistration, Registration } from "./registration.ts";
import { didYouMean } from "./suggestion.ts";
import { whereOf } from "./where.ts";

const blockNumber = z
  .int()
  .min(0)
  .max(2 ** 35 - 1)
  .optional();
const fields = z.strictObject({
  block: z.array(z.enum(BLOCK_FIELDS)).optional(),
  transaction: z.array(z.enum(TRANSACTION_FIELDS)).optional(),
});
const options = z.strictObject({
  fields: fields.optional(),
  where: z.unknown().optional(),
  startBlock: blockNumber,
  endBlock: blockNumber,
  onError: z.enum(["stop", "skip"]).optional(),
});

const FIXES: Readonly<Record<string, string>> = {
  fields: 'Name lists of fields: { block: ["baseFeePerGas"], transaction: ["gasPrice"] }.',
  startBlock: "Give a block number, a non-negative integer.",
  endBlock: "Give a block number, a non-negative integer.",
  onError: 'Write "stop" (the default) or "skip".',
};

/**
 * Joins registrations to the events of the contracts, and checks their options.
 * @throws SpindexError HANDLER_UNKNOWN_EVENT, or CONFIG_INVALID; every problem is listed
 */
export function resolveRegistrations(
  definition: IndexerDefinition,
  registrations: readonly RawRegistration[],
): readonly Registration[] {
  const problems = new Problems();
  const resolved = registrations.flatMap((raw) => {
    const found = findEvent(definition, raw, problems);
    if (found === undefined) return [];
    const checked = optionsOf(raw, problems);
    const where = checked.where === undefined ? undefined : whereOf(found.event, checked.where, raw, problems);
    const { startBlock, endBlock, onError = "stop" } = checked;
    return [
      Object.freeze({
        key: raw.key,
        ...found,
        where,
        startBlock,
        endBlock,
        onError,
        fields: fieldsOf(checked.fields),
        handler: raw.handler,
        place: raw.place,
      }),
    ];
  });
  problems.throwIfAny("handlers", "CONFIG_INVALID");
  return resolved;
}

function findEvent(
  { contracts }: IndexerDefinition,
  { key, place }: RawRegistration,
  problems: Problems,
): { contract: ContractDefinition; event: EventAbi } | undefined {
  const dot = key.indexOf(".");
  const contractName = dot < 0 ? key : key.slice(0, dot);
  const eventKey = dot < 0 ? "" : key.slice(dot + 1);
  const contract = contracts.find((candidate) => candidate.name === contractName);
  const refuse = (message: string, fix: string): undefined => {
    problems.add("HANDLER_UNKNOWN_EVENT", place, message, fix);
    return undefined;
  };
  if (contract === undefined) {
    const names = contracts.map((candidate) => candidate.name);
    return refuse(
      `there is no contract ${show(contractName)} for the handler of ${show(key)}`,
      didYouMean(contractName, names),
    );
  }
  const event = contract.events.find((candidate) => candidate.key === eventKey);
  if (event?.anonymous) {
    return refuse(`the event ${key} is anonymous, and no topic tells it apart`, "Remove its handler.");
  }
  if (event !== undefined) return { contract, event };
  const overloads = contract.events.filter((candidate) => candidate.name === eventKey);
  if (overloads.length > 0) {
    const keys = overloads.map((overload) => show(`${contractName}.${overload.key}`));
    return refuse(
      `${contractName} has ${overloads.length} events named ${eventKey}`,
      `Name one by its signature: ${keys.join(" or ")}.`,
    );
  }
  const keys = contract.events.filter((candidate) => !candidate.anonymous).map((candidate) => candidate.key);
  return refuse(`the event ${key} is not in the ABI of ${contractName}`, didYouMean(eventKey, keys));
}

/** In one form, whatever the order in which they were named. */
function fieldsOf(given: z.infer<typeof fields> = {}): FieldSelection | undefined {
  const selection = {
    block: [...new Set(given.block)].sort(),
    transaction: [...new Set(given.transaction)].sort(),
  };
  return selection.block.length + selection.transaction.length === 0 ? undefined : selection;
}

/** For a name in `fields.block` or `fields.transaction` that is no field. */
function fieldFix([option, part, place]: readonly PropertyKey[], given: unknown): string | undefined {
  if (option !== "fields" || place === undefined || typeof given !== "string") return undefined;
  return didYouMean(given, part === "block" ? BLOCK_FIELDS : TRANSACTION_FIELDS);
}

function optionsOf(raw: RawRegistration, problems: Problems): z.infer<typeof options> {
  if (raw.options === undefined) return {};
  const result = options.safeParse(raw.options, { reportInput: true });
  if (!result.success) {
    for (const issue of result.error.issues) {
      if (issue.code === "unrecognized_keys") {
        const [where, { shape }] = issue.path[0] === "fields" ? [" in fields", fields] : ["", options];
        for (const key of issue.keys) {
          const fix = didYouMean(key, Object.keys(shape));
          problems.add("CONFIG_INVALID", raw.place, `${raw.key}: there is no option ${show(key)}${where}`, fix);
        }
        continue;
      }
      const name = String(issue.path[0] ?? "options");
      const message = `${raw.key}: ${name}: ${show(issue.input)} is no usable value`;
      const fix = fieldFix(issue.path, issue.input) ?? FIXES[name] ?? "Give an object of options.";
      problems.add("CONFIG_INVALID", raw.place, message, fix);
    }
    return {};
  }
  const { startBlock = 0, endBlock } = result.data;
  if (endBlock !== undefined && endBlock < startBlock) {
    const message = `${raw.key}: endBlock ${endBlock} is below startBlock ${startBlock}`;
    problems.add("CONFIG_INVALID", raw.place, message, "Give an endBlock that is not below startBlock.");
  }
  return result.data;
}
