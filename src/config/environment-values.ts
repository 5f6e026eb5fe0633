import { isSchemaName, SCHEMA_NAME_FIX } from "./schema-name.ts";

/** The values of variables, by type. Durations in milliseconds, sizes in bytes. */
export interface VariableValue {
  readonly text: string;
  readonly schema: string;
  readonly url: string;
  readonly choice: string;
  readonly port: number;
  readonly count: number;
  readonly ratio: number;
  readonly duration: number;
  readonly bytes: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly attributes: Readonly<Record<string, string>>;
}

export type VariableType = keyof VariableValue;

export type ParsedVariable =
  | { readonly value: VariableValue[VariableType] }
  | { readonly wrong: string; readonly fix: string };

const DURATION_UNITS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};
const BYTE_UNITS: Readonly<Record<string, number>> = {
  B: 1,
  kB: 1e3,
  MB: 1e6,
  GB: 1e9,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
};

/** @param choices for `choice`: the texts that it may be */
export function parseVariable(type: VariableType, text: string, choices: readonly string[]): ParsedVariable {
  switch (type) {
    case "text":
      return { value: text };
    case "choice":
      return choices.includes(text) ? { value: text } : { wrong: "no choice", fix: `Write ${choices.join(", ")}.` };
    case "schema":
      return isSchemaName(text) ? { value: text } : { wrong: "no usable name of a schema", fix: SCHEMA_NAME_FIX };
    case "url":
      return urlOf(text);
    case "port":
      return integerOf(text, 0, 65_535);
    case "count":
      return integerOf(text, 1, Number.MAX_SAFE_INTEGER);
    case "ratio": {
      const fix = "Write a number from 0 to 1: 0.1.";
      return /^(?:0|1|0?\.\d+|1\.0+|0\.0*)$/.test(text) ? { value: Number(text) } : { wrong: "no share", fix };
    }
    case "duration":
      return text === "0" ? { value: 0 } : withUnit(text, DURATION_UNITS, "no duration", "45s, 10m or 500ms");
    case "bytes":
      return withUnit(text, BYTE_UNITS, "no size", "256MiB or 1GB");
    case "headers":
      return pairsOf(text, "no list of headers");
    case "attributes":
      return pairsOf(text, "no list of attributes");
  }
}

function integerOf(text: string, min: number, max: number): ParsedVariable {
  const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= min && value <= max) return { value };
  const range = max === Number.MAX_SAFE_INTEGER ? `of at least ${min}` : `from ${min} to ${max}`;
  return { wrong: "no usable number", fix: `Write an integer ${range}, digits only.` };
}

function withUnit(
  text: string,
  units: Readonly<Record<string, number>>,
  wrong: string,
  example: string,
): ParsedVariable {
  const [, number = "", unit = ""] = /^(\d+(?:\.\d+)?)\s*([A-Za-z]+)$/.exec(text) ?? [];
  const factor = Object.hasOwn(units, unit) ? units[unit] : undefined;
  const fix = `Write a number and its unit (${Object.keys(units).join(", ")}): ${example}.`;
  return factor === undefined ? { wrong, fix } : { value: Math.round(Number(number) * factor) };
}

function urlOf(text: string): ParsedVariable {
  const isHttp = URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);
  return isHttp
    ? { value: text }
    : { wrong: "no http:// or https:// URL", fix: "Write one, e.g. http://localhost:4318." };
}

function pairsOf(text: string, wrong: string): ParsedVariable {
  const pairs: Record<string, string> = {};
  for (const part of text.split(",")) {
    const [, name, value = ""] = /^\s*([\w!#$%&'*+.^`|~-]+)\s*=\s*(.*?)\s*$/.exec(part) ?? [];
    const decoded = name === undefined ? undefined : percentDecoded(value);
    if (name === undefined || decoded === undefined) {
      return { wrong, fix: "Write name=value,name=value, with values percent-encoded." };
    }
    pairs[name] = decoded;
  }
  return { value: pairs };
}

function percentDecoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
