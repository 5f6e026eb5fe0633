import type { EventAbi, ParameterAbi } from "../abi/event-abi.ts";
import { checkAddress } from "./checksum.ts";
import { type Problems, show } from "./problems.ts";
import type { RawRegistration, WhereClause, WhereValue } from "./registration.ts";
import { didYouMean } from "./suggestion.ts";

/** A value in the form of `event.args`, or what is wrong with it. */
type Checked = { readonly value: WhereValue } | { readonly fix: string };

/** Checks the `where` of a registration. Problems are added to `problems`. */
export function whereOf(
  event: EventAbi,
  given: unknown,
  { key, place }: RawRegistration,
  problems: Problems,
): readonly WhereClause[] {
  const refuse = (message: string, fix: string): void =>
    problems.add("CONFIG_INVALID", place, `${key}: ${message}`, fix);
  const records: readonly unknown[] = Array.isArray(given) ? given : [given];
  if (records.length === 0) refuse("where is an empty list, which matches nothing", "Leave it out to get every event.");
  return records.map((record) => {
    if (typeof record !== "object" || record === null || Array.isArray(record)) {
      refuse(
        `where holds ${show(record)}`,
        'Give a record of indexed arguments, or a list of records: { from: "0x…" }.',
      );
      return {};
    }
    const entries = Object.entries(record);
    if (entries.length === 0)
      refuse("where holds an empty record, which matches everything", "Leave where out to get every event.");
    return Object.fromEntries(entries.map(([name, value]) => [name, valuesOf(event, name, value, refuse)]));
  });
}

function valuesOf(
  event: EventAbi,
  name: string,
  given: unknown,
  refuse: (message: string, fix: string) => void,
): readonly WhereValue[] {
  const indexed = event.inputs.filter((input) => input.indexed);
  const parameter = indexed.find((input) => input.name === name);
  if (parameter === undefined) {
    const exists = event.inputs.some((input) => input.name === name);
    const message = exists ? `where.${name} is not an indexed argument` : `the event has no argument ${show(name)}`;
    const names = indexed.map((input) => input.name);
    refuse(
      message,
      exists ? `Indexed are: ${names.join(", ") || "none"}; filter by others in the handler.` : didYouMean(name, names),
    );
    return [];
  }
  const values: readonly unknown[] = Array.isArray(given) ? given : [given];
  if (values.length === 0)
    refuse(`where.${name} is an empty list, which matches nothing`, "Leave it out to match every value.");
  return values.flatMap((value) => {
    const checked = checkValue(parameter, value);
    if ("value" in checked) return [checked.value];
    refuse(`where.${name}: ${show(value)} is no ${parameter.type}`, checked.fix);
    return [];
  });
}

/** Numbers of more bits than these are bigints in `event.args`. */
const NUMBER_BITS = 48;

function checkValue({ type }: ParameterAbi, value: unknown): Checked {
  const [, word = "", bitsText = ""] = /^([a-z]+)(\d*)$/.exec(type) ?? [];
  const size = Number(bitsText);
  if (type === "address") {
    const check = checkAddress(value);
    return check.ok ? { value: check.address } : { fix: check.fix };
  }
  if (type === "bool") return typeof value === "boolean" ? { value } : { fix: "Give true or false." };
  if (word === "uint" || word === "int") return checkInteger(word === "int", size, value);
  if (word === "bytes" && size > 0) return checkHex(size, value);
  if (type === "function") return checkHex(24, value);
  // What does not fit a topic is there as its hash.
  const checked = checkHex(32, value);
  return "value" in checked
    ? checked
    : { fix: "Give its keccak256 hash: of an indexed value of this type the chain keeps no more." };
}

function checkInteger(signed: boolean, bits: number, value: unknown): Checked {
  const fix = bits <= NUMBER_BITS ? "Give an integer in its range." : "Give a bigint in its range, like 1n.";
  if (typeof value !== "bigint" && !Number.isSafeInteger(value)) return { fix };
  const number = BigInt(value as bigint | number);
  const top = 1n << BigInt(signed ? bits - 1 : bits);
  if (number >= top || number < (signed ? -top : 0n)) return { fix };
  return { value: bits <= NUMBER_BITS ? Number(number) : number };
}

function checkHex(bytes: number, value: unknown): Checked {
  const lower = typeof value === "string" ? value.toLowerCase() : "";
  const isHex = lower.length === 2 + 2 * bytes && /^0x[0-9a-f]*$/.test(lower);
  return isHex ? { value: lower } : { fix: `Give 0x and ${2 * bytes} hex digits.` };
}
