import { SpindexError } from "../errors.ts";
import type { EffectModel, ValueModel } from "../store/effect-shape.ts";
import { callSiteOf } from "./call-site.ts";
import { type AnyColumn, COLUMN, type Column, isColumn } from "./column.ts";
import { columnModelOf } from "./column-model.ts";
import { Problems, show } from "./problems.ts";
import type { MaybePromise } from "./rows.ts";

/** What an effect takes or gives: a column type for one value, or an object of them. */
export type EffectShape = AnyColumn | Readonly<Record<string, AnyColumn>>;

/** The values of an effect's `input` or `output`. */
export type EffectValue<Shape> =
  Shape extends Column<infer Value, boolean, boolean>
    ? Value
    : { readonly [Name in keyof Shape]: Shape[Name] extends Column<infer Value, boolean, boolean> ? Value : never };

export interface EffectOptions<Input extends EffectShape, Output extends EffectShape> {
  /** Names it in metrics, spans and the table `effects`: a letter, then letters, digits and underscores; at most 63. */
  readonly name: string;
  /** Types of what it is called with: `{ token: t.address() }`, or one type. */
  readonly input: Input;
  /** Types of what it gives. When they change, stored outputs are no longer used. */
  readonly output: Output;
  /** Keeps outputs in the database, so that a call is made once for ever, also over restarts. Default false. */
  readonly cache?: boolean;
  /** Most calls begun within any `perMs` milliseconds; `false`: no limit. */
  readonly rateLimit: { readonly calls: number; readonly perMs: number } | false;
  /** Most calls under way at once. Default 16. */
  readonly concurrency?: number;
  /** Patience with one call, in milliseconds. Default 30,000. */
  readonly timeoutMs?: number;
}

/** What an effect's function is given besides its input. */
export interface EffectContext {
  /** Aborts when nobody waits for the answer any more: give it to `fetch` and the like. */
  readonly signal: AbortSignal;
  /**
   * Headers for the requests of this call, by which a service that is traced too continues the batch's trace (W3C trace
   * context): `fetch(url, { signal, headers: traceHeaders })`. Empty when nothing is traced.
   */
  readonly traceHeaders: Readonly<Record<string, string>>;
}

export type EffectFunction<Input, Output> = (input: Input, context: EffectContext) => Output | Promise<Output>;

// A registered symbol: a project may load a second copy of this package.
const EFFECT: unique symbol = Symbol.for("spindex.effect");
/** Carries types only; no object has it. */
declare const TYPES: unique symbol;

/** A call to the outside world, to be made by handlers: `await effect(getPrice, { token, block })`. */
export interface Effect<Input, Output> {
  readonly name: string;
  readonly [EFFECT]: unknown;
  readonly [TYPES]?: (input: Input) => Output;
}

/** `effect` in handlers: the output at once when it is in memory, else a promise for it. */
export type CallEffect = <Input, Output>(effect: Effect<Input, Output>, input: NoInfer<Input>) => MaybePromise<Output>;

/** An effect as it was declared. */
export interface EffectDefinition extends EffectModel {
  readonly rateLimit: { readonly calls: number; readonly perMs: number } | false;
  readonly concurrency: number;
  readonly timeoutMs: number;
  readonly run: EffectFunction<never, unknown>;
}

/** Outside `name`, `input` and `output`. */
const DEFAULTS = { cache: false, concurrency: 16, timeoutMs: 30_000 };
const OPTIONS = ["name", "input", "output", "cache", "rateLimit", "concurrency", "timeoutMs"];

/**
 * Declares an effect: a call that leaves the process, such as reading a contract or asking an API. Handlers make it by
 * `effect`, so that equal calls are made once, limits hold, and outputs can be kept.
 * @param run gets checked, frozen values, addresses in lower case; what it gives is checked too
 * @throws SpindexError CONFIG_INVALID, SCHEMA_INVALID
 */
export function createEffect<Input extends EffectShape, Output extends EffectShape>(
  options: EffectOptions<Input, Output>,
  run: EffectFunction<EffectValue<Input>, EffectValue<Output>>,
): Effect<EffectValue<Input>, EffectValue<Output>> {
  const place = callSiteOf(createEffect);
  const problems = new Problems();
  const definition = definitionOf(options, run, problems);
  problems.throwIfAny(`${place}: createEffect`, "CONFIG_INVALID");
  return Object.freeze({ name: definition.name, [EFFECT]: Object.freeze(definition) });
}

/** @throws SpindexError CONFIG_INVALID when it was not made by `createEffect` */
export function effectDefinitionOf(effect: unknown): EffectDefinition {
  if (typeof effect === "object" && effect !== null && EFFECT in effect) return effect[EFFECT] as EffectDefinition;
  throw new SpindexError("CONFIG_INVALID", `${show(effect)} is no effect`, {
    fix: "Give what createEffect has returned: await effect(getPrice, { token }).",
  });
}

function definitionOf(
  options: EffectOptions<EffectShape, EffectShape>,
  run: unknown,
  problems: Problems,
): EffectDefinition {
  const refuse = (place: string, message: string, fix: string): void =>
    problems.add("CONFIG_INVALID", place, message, fix);
  const { name, input, output, rateLimit } = options;
  const settings = { ...DEFAULTS, ...definedOf(options) };
  if (typeof name !== "string" || !/^[A-Za-z]\w{0,62}$/.test(name)) {
    refuse(
      "name",
      `${show(name)} is no usable name`,
      "Use a letter, then letters, digits and underscores; at most 63.",
    );
  }
  for (const option of Object.keys(options).filter((one) => !OPTIONS.includes(one))) {
    refuse(option, "there is no such option", `The options are ${OPTIONS.join(", ")}.`);
  }
  if (!isLimit(rateLimit)) {
    refuse("rateLimit", `${show(rateLimit)} is no limit`, "Write { calls: 10, perMs: 1_000 }, or false for none.");
  }
  for (const option of ["concurrency", "timeoutMs"] as const) {
    if (isCount(settings[option])) continue;
    refuse(option, `${show(settings[option])} is no usable value`, "Give a positive integer, or leave it out.");
  }
  if (typeof settings.cache !== "boolean") refuse("cache", `${show(settings.cache)} is no boolean`, "Write true.");
  if (typeof run !== "function") {
    refuse("the function", "is missing", "Write createEffect({ … }, async (input, { signal }) => { … }).");
  }
  return {
    ...settings,
    name,
    rateLimit,
    input: valueModelOf("input", input, problems),
    output: valueModelOf("output", output, problems),
    run: run as EffectDefinition["run"],
  };
}

function definedOf({
  cache,
  concurrency,
  timeoutMs,
}: EffectOptions<EffectShape, EffectShape>): Partial<typeof DEFAULTS> {
  return {
    ...(cache === undefined ? {} : { cache }),
    ...(concurrency === undefined ? {} : { concurrency }),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  };
}

function isLimit(limit: unknown): boolean {
  if (limit === false) return true;
  if (typeof limit !== "object" || limit === null) return false;
  return "calls" in limit && "perMs" in limit && isCount(limit.calls) && isCount(limit.perMs);
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) > 0;
}

function valueModelOf(place: string, shape: unknown, problems: Problems): ValueModel {
  if (isColumn(shape)) return { isRecord: false, columns: columnsOf(place, { value: shape }, problems) };
  if (typeof shape === "object" && shape !== null && Object.values(shape).every(isColumn)) {
    return { isRecord: true, columns: columnsOf(place, shape as Readonly<Record<string, AnyColumn>>, problems) };
  }
  const fix = "Give a column type, t.uint256(), or an object of them: { token: t.address() }.";
  problems.add("SCHEMA_INVALID", place, `${show(shape)} is no type`, fix);
  return { isRecord: true, columns: [] };
}

function columnsOf(
  place: string,
  shape: Readonly<Record<string, AnyColumn>>,
  problems: Problems,
): ValueModel["columns"] {
  return Object.entries(shape).map(([name, column]) => {
    const spec = column[COLUMN];
    const at = `${place}.${name}`;
    if (spec.kind === "ref") {
      problems.add("SCHEMA_INVALID", at, "is a ref", "Name the type of the key itself: t.address() and the like.");
    }
    if (spec.defaultValue !== undefined || spec.indexed) {
      const fix = "Leave .default() and .index() out: they are for columns of entities.";
      problems.add("SCHEMA_INVALID", at, "has a default or an index", fix);
    }
    const kind = spec.kind === "ref" ? "text" : spec.kind;
    return columnModelOf(at, name, { ...spec, kind, defaultValue: undefined }, new Map(), problems);
  });
}
