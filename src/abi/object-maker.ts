import type { ValueReader } from "./reading.ts";

/** A property of the objects to be made. */
export interface Member {
  /** Empty for a component without a name. */
  readonly name: string;
  readonly read: ValueReader;
  /** JavaScript for the place of the value. Made by us, never of the user's text. */
  readonly at: string;
}

/**
 * Compiles a function that reads values into one frozen object, or an array when a name is missing.
 *
 * It is made from source text since only so it is a literal: one allocation of a shape that is known beforehand, whatever
 * the names, and a call site of its own for each reader, which the engine inlines. A loop that assigns one property after
 * the other cost 40 to 60 ns more an event (of about 200). Names enter as JSON strings, so they cannot become code.
 *
 * @param parameters names of the function's parameters, `reading` among them
 * @param frame JavaScript for the first place of the frame
 */
export function compileObject<F extends (...values: never[]) => unknown>(
  parameters: string,
  members: readonly Member[],
  frame: string,
): F {
  const readers = members.map((_, index) => `read${index}`);
  const values = members.map(({ at }, index) => `read${index}(reading, ${at}, ${frame})`);
  const literal = members.every(({ name }) => name !== "")
    ? `{ ${members.map(({ name }, index) => `${propertyName(name)}: ${values[index]}`).join(", ")} }`
    : `[${values.join(", ")}]`;
  const source = `"use strict"; return (${parameters}) => freeze(${literal});`;
  return new Function("freeze", ...readers, source)(Object.freeze, ...members.map(({ read }) => read)) as F;
}

/** In a literal, a plain `__proto__` would set the prototype. */
function propertyName(name: string): string {
  return name === "__proto__" ? '["__proto__"]' : JSON.stringify(name);
}
