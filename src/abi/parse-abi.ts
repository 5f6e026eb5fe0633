import { BaseError, parseAbi } from "abitype";
import { messageOf, SpindexError } from "../errors.ts";
import { abiTypeOf, canonicalType, InvalidAbiType, signatureType } from "./abi-type.ts";
import type { EventAbi, ParameterAbi } from "./event-abi.ts";
import { topicOf } from "./topic.ts";

const IDENTIFIER = /^[A-Za-z_$][\w$]*$/;
const STRUCT = /^struct (?<name>[A-Za-z_$][\w$]*) \{.*\}$/;
/** Far more than any compiler allows; it ends a structure that contains itself. */
const MAX_DEPTH = 64;

/**
 * The events of an ABI, in its order. Items are human-readable signatures, structs among them, or the objects of a JSON
 * ABI; what is not an event is left out.
 *
 * @param place where the ABI stands, for messages, e.g. `contracts.Token.abi`
 * @throws SpindexError ABI_INVALID
 */
export function parseEvents(abi: readonly string[] | readonly unknown[], place: string): EventAbi[] {
  if (!Array.isArray(abi)) {
    throw invalid(`${place} is not an array`, "Give the ABI's array; of a build artifact that is its `abi` property.");
  }
  const items: readonly unknown[] = abi;
  const structs = items.filter((item): item is string => typeof item === "string" && STRUCT.test(item));
  requireStructs(structs, place);
  const events = items.flatMap((item, index) => {
    const where = `${place}[${index}]`;
    const raw = typeof item === "string" ? parseSignature(item, structs, where) : item;
    return raw === undefined ? [] : eventsOf(raw, where);
  });
  return withKeys(events, place);
}

/** Events before it is known whether their names are unique. */
type UnkeyedEvent = Omit<EventAbi, "key"> & { readonly where: string };

function withKeys(events: readonly UnkeyedEvent[], place: string): EventAbi[] {
  const bySignature = new Map<string, UnkeyedEvent>();
  const uses = new Map<string, number>();
  for (const event of events) {
    const same = bySignature.get(event.signature);
    if (same !== undefined) {
      throw invalid(
        `${place}: ${event.where} is ${event.signature}, which ${same.where} is already`,
        "Remove one of them; events of one signature with other indexed parameters belong to separate contracts.",
      );
    }
    bySignature.set(event.signature, event);
    uses.set(event.name, (uses.get(event.name) ?? 0) + 1);
  }
  return events.map(({ where: _, ...event }) => ({
    ...event,
    key: uses.get(event.name) === 1 ? event.name : event.signature,
  }));
}

function parseSignature(text: string, structs: readonly string[], where: string): unknown {
  if (STRUCT.test(text)) return undefined;
  try {
    return parseAbi([...structs, text])[0];
  } catch (error) {
    throw invalid(
      `${where}: ${quoted(text)} is not a valid signature: ${reasonOf(error, text)}`,
      signatureFix(text),
      error,
    );
  }
}

function signatureFix(text: string): string {
  if (/;\s*$/.test(text)) return "Remove the semicolon at its end.";
  if (/\)\s*anonymous$/.test(text)) return "Give an anonymous event as a JSON item with `anonymous: true`.";
  if (/^\s|\s{2}|\s$/.test(text)) return "Put single spaces between words, and none around the signature.";
  if (!/^(event|struct|function|error|constructor|fallback|receive)\b/.test(text)) {
    return 'Begin it with "event ", as in "event Transfer(address indexed from, address indexed to, uint256 value)".';
  }
  return 'Write it as in Solidity: "event Transfer(address indexed from, address indexed to, uint256 value)".';
}

function requireStructs(structs: readonly string[], place: string): void {
  if (structs.length === 0) return;
  try {
    parseAbi(structs);
  } catch (error) {
    const wrong = structs.find((struct) => !isStructAmong(struct, structs)) ?? structs[0] ?? "";
    throw invalid(
      `${place}: ${quoted(wrong)} is not a valid struct: ${reasonOf(error, wrong)}`,
      'Write it as "struct Name { address owner; uint256 amount; }", and give every struct that it names.',
      error,
    );
  }
}

/** Whether a struct is valid by itself: the others are replaced by ones that surely are. */
function isStructAmong(struct: string, structs: readonly string[]): boolean {
  const others = structs.filter((other) => other !== struct).map((other) => STRUCT.exec(other)?.groups?.name);
  try {
    parseAbi([struct, ...others.map((name) => `struct ${name} { bool value; }`)]);
    return true;
  } catch {
    return false;
  }
}

function eventsOf(item: unknown, where: string): UnkeyedEvent[] {
  if (!isObject(item)) throw invalid(`${where} is ${quoted(item)}, which is no item of an ABI`, ITEM_FIX);
  if (item.type !== "event") return [];
  const name = item.name;
  if (!isName(name)) throw invalid(`${where}: the event's name is ${quoted(name)}`, ITEM_FIX);
  const at = `${where} (event ${name})`;
  const { inputs: rawInputs, anonymous = false } = item;
  if (!Array.isArray(rawInputs))
    throw invalid(`${at}: \`inputs\` is ${quoted(rawInputs)} instead of an array`, ITEM_FIX);
  if (typeof anonymous !== "boolean") throw invalid(`${at}: \`anonymous\` is ${quoted(anonymous)}`, ITEM_FIX);
  const inputs = parametersOf(rawInputs, at, 0);
  const mostIndexed = anonymous ? 4 : 3;
  if (inputs.filter((input) => input.indexed).length > mostIndexed) {
    throw invalid(`${at} has more than ${mostIndexed} indexed parameters`, "Check it against the contract's source.");
  }
  const signature = `${name}(${inputs.map(signatureType).join(",")})`;
  return [{ name, signature, topic: topicOf(signature), anonymous, inputs, where }];
}

const ITEM_FIX = "Give the ABI as the compiler wrote it, or human-readable signatures.";

function parametersOf(raw: readonly unknown[], where: string, depth: number): ParameterAbi[] {
  const names = new Set<string>();
  return raw.map((item, position) => {
    const parameter = parameterOf(
      item,
      position,
      `${where}, ${depth === 0 ? "parameter" : "component"} ${position}`,
      depth,
    );
    if (parameter.name !== "" && names.has(parameter.name)) {
      throw invalid(`${where}: two parameters are named ${quoted(parameter.name)}`, "Rename one of them.");
    }
    names.add(parameter.name);
    return parameter;
  });
}

function parameterOf(raw: unknown, position: number, at: string, depth: number): ParameterAbi {
  if (!isObject(raw)) throw invalid(`${at} is ${quoted(raw)}`, ITEM_FIX);
  const { name = "", type, indexed = false, components = [] } = raw;
  if (name !== "" && !isName(name)) throw invalid(`${at}: its name is ${quoted(name)}`, ITEM_FIX);
  if (typeof type !== "string") throw invalid(`${at}: its type is ${quoted(type)}`, ITEM_FIX);
  if (typeof indexed !== "boolean") throw invalid(`${at}: \`indexed\` is ${quoted(indexed)}`, ITEM_FIX);
  if (!Array.isArray(components)) throw invalid(`${at}: its \`components\` are ${quoted(components)}`, ITEM_FIX);
  if (depth === MAX_DEPTH) throw invalid(`${at}: its tuples are nested more than ${MAX_DEPTH} deep`, ITEM_FIX);
  const parameter: ParameterAbi = {
    name: name === "" && depth === 0 ? `arg${position}` : name,
    type: canonicalType(type),
    indexed: depth === 0 && indexed,
    components: type.startsWith("tuple") ? parametersOf(components, at, depth + 1) : [],
  };
  try {
    abiTypeOf(parameter.type, parameter.components);
  } catch (error) {
    if (!(error instanceof InvalidAbiType)) throw error;
    const named = name === "" ? "" : ` (${name})`;
    throw invalid(
      `${at}${named}: ${error.message}`,
      "Use a type of the ABI, e.g. uint256, address[] or bytes32.",
      error,
    );
  }
  return parameter;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isName(value: unknown): value is string {
  return typeof value === "string" && IDENTIFIER.test(value);
}

/** What abitype says, without its version and links, and without the text that is quoted already. */
function reasonOf(error: unknown, text: string): string {
  if (!(error instanceof BaseError)) return messageOf(error);
  const parts = [error.shortMessage.replace(/\.$/, ""), ...(error.metaMessages ?? []), error.details];
  return parts.filter((part) => part !== undefined && part !== "" && part !== text).join(": ");
}

/** A value as a message shows it, cut to a line. */
function quoted(value: unknown): string {
  const text = typeof value === "string" ? JSON.stringify(value) : describe(value);
  return text.length > 120 ? `${text.slice(0, 117)}…` : text;
}

function describe(value: unknown): string {
  if (value === undefined) return "missing";
  if (Array.isArray(value)) return "an array";
  if (typeof value === "function") return "a function";
  return typeof value === "object" && value !== null ? "an object" : String(value);
}

function invalid(message: string, fix: string, cause?: unknown): SpindexError {
  return new SpindexError("ABI_INVALID", message, cause === undefined ? { fix } : { fix, cause });
}
