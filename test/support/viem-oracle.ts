import { type AbiEvent, decodeEventLog, type Hex } from "viem";
import type { EventAbi, ParameterAbi } from "../../src/abi/event-abi.ts";

/** A log's topics and data. */
export interface RawLog {
  readonly topics: readonly string[];
  readonly data: string;
}

/** The event as viem takes it: unnamed parameters carry our names. */
function viemEvent(event: EventAbi): AbiEvent {
  return { type: "event", name: event.name, anonymous: event.anonymous, inputs: event.inputs.map(viemParameter) };
}

function viemParameter(parameter: ParameterAbi): AbiEvent["inputs"][number] {
  const { name, type, indexed, components } = parameter;
  return { name, type, indexed, ...(components.length > 0 && { components: components.map(viemParameter) }) };
}

/**
 * What viem makes of a log, with addresses in lower case; undefined where it refuses it.
 */
export function viemArgs(event: EventAbi, log: RawLog): Readonly<Record<string, unknown>> | undefined {
  let args: Readonly<Record<string, unknown>>;
  try {
    const decoded = decodeEventLog({
      abi: [viemEvent(event)],
      topics: log.topics as [Hex, ...Hex[]],
      data: log.data as Hex,
    });
    args = (decoded.args ?? {}) as typeof args;
  } catch {
    return undefined;
  }
  return Object.fromEntries(event.inputs.map((input) => [input.name, lowerCaseAddresses(input, args[input.name])]));
}

function lowerCaseAddresses(parameter: ParameterAbi, value: unknown): unknown {
  const array = /^(.*)\[\d*\]$/.exec(parameter.type);
  if (typeof value === "string") return parameter.type === "address" ? value.toLowerCase() : value;
  if (array?.[1] !== undefined) {
    const element = { ...parameter, type: array[1] };
    return (value as unknown[]).map((item) => lowerCaseAddresses(element, item));
  }
  if (parameter.type !== "tuple") return value;
  const members = parameter.components.map((component, index) => {
    const member = (value as Readonly<Record<string, unknown>>)[Array.isArray(value) ? index : component.name];
    return [component.name, lowerCaseAddresses(component, member)] as const;
  });
  return Array.isArray(value) ? members.map(([, member]) => member) : Object.fromEntries(members);
}
