import { SpindexError } from "../errors.ts";
import { canonicalType } from "./abi-type.ts";
import { parseEvents } from "./parse-abi.ts";

type JsonObject = Readonly<Record<string, unknown>>;

const IDENTIFIER = /^[A-Za-z_$][\w$]*$/;
/** Words that no constant of a module can be named. */
const RESERVED = new Set(
  (
    "arguments await break case catch class const continue debugger default delete do else enum eval export extends " +
    "false finally for function if implements import in instanceof interface let new null package private protected " +
    "public return static super switch this throw true try typeof undefined var void while with yield"
  ).split(" "),
);

/**
 * The text of a TypeScript module that exports an ABI as a constant, so that its types can be inferred: a JSON import
 * would widen its texts to `string`. The same ABI gives the same text.
 *
 * @param json a JSON ABI, or a build artifact with an `abi`
 * @param name of the constant, e.g. `Token`
 * @throws SpindexError ABI_INVALID
 */
export function abiModuleText(json: unknown, name: string): string {
  if (!IDENTIFIER.test(name) || RESERVED.has(name)) {
    throw new SpindexError("ABI_INVALID", `${JSON.stringify(name)} cannot name a constant`, {
      fix: "Choose a name of letters and digits, e.g. Token.",
    });
  }
  const abi = isObject(json) && Array.isArray(json.abi) ? json.abi : json;
  const place = `the ABI of ${name}`;
  if (!Array.isArray(abi)) {
    throw new SpindexError("ABI_INVALID", `${place} is neither an array nor an object with an array \`abi\``, {
      fix: "Give the file that the compiler wrote: the ABI itself or the contract's build artifact.",
    });
  }
  const events = parseEvents(abi, place);
  const items = abi.map((item: unknown) => `  ${itemText(item)},\n`);
  const overloads = events.filter((event) => event.key !== event.name).map((event) => event.key);
  const note = overloads.length === 0 ? "" : `// Overloaded events are named by signature: ${overloads.join(", ")}.\n`;
  return `// Made by \`spindex abi add\`: add the contract's new ABI again instead of editing this file.\n${note}export const ${name} = [\n${items.join("")}] as const;\n`;
}

function itemText(item: unknown): string {
  if (typeof item === "string") return JSON.stringify(item);
  if (!isObject(item)) return "null";
  const { type = "function", name, anonymous, inputs, outputs } = item;
  const properties = [`type: ${JSON.stringify(type)}`];
  if (typeof name === "string") properties.push(`name: ${JSON.stringify(name)}`);
  if (anonymous === true) properties.push("anonymous: true");
  if (type !== "event" && type !== "error") properties.push(`stateMutability: ${JSON.stringify(mutabilityOf(item))}`);
  if (type !== "fallback" && type !== "receive") properties.push(`inputs: ${parametersText(inputs, "    ")}`);
  if (type === "function") properties.push(`outputs: ${parametersText(outputs, "    ")}`);
  return `{\n    ${properties.join(",\n    ")},\n  }`;
}

/** Compilers before 0.5 wrote `constant` and `payable`; types want the one word that took their place. */
function mutabilityOf(item: JsonObject): unknown {
  if (item.stateMutability !== undefined) return item.stateMutability;
  if (item.type === "receive" || item.payable === true) return "payable";
  return item.constant === true ? "view" : "nonpayable";
}

function parametersText(parameters: unknown, indent: string): string {
  if (!Array.isArray(parameters) || parameters.length === 0) return "[]";
  const lines = parameters.map((parameter: unknown) => `${indent}  ${parameterText(parameter, indent)},\n`);
  return `[\n${lines.join("")}${indent}]`;
}

function parameterText(parameter: unknown, indent: string): string {
  if (!isObject(parameter)) return "{}";
  const { name, type, indexed, components } = parameter;
  const properties: string[] = [];
  if (typeof name === "string" && name !== "") properties.push(`name: ${JSON.stringify(name)}`);
  if (typeof type === "string") properties.push(`type: ${JSON.stringify(canonicalType(type))}`);
  if (typeof indexed === "boolean") properties.push(`indexed: ${indexed}`);
  if (Array.isArray(components)) properties.push(`components: ${parametersText(components, `${indent}  `)}`);
  return `{ ${properties.join(", ")} }`;
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
