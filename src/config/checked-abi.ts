import type { Abi, AbiType, ParseAbi } from "abitype";
import type { WithStructs } from "./events.ts";
import type { ErrorText } from "./type-text.ts";

/** An ABI as it was given when nothing is wrong with it; otherwise the error stands at the signature that has it. */
export type CheckedAbi<A> = A extends readonly string[]
  ? string[] extends A
    ? ErrorText<"the signatures must be written in place, or declared `as const`">
    : { readonly [I in keyof A]: A[I] extends string ? CheckedLine<A[I], A> : never }
  : A extends Abi
    ? A
    : ErrorText<"this ABI has no types: declare it `as const`, or make it with `spindex abi add <file>`">;

/** Lines that are no events have their form checked here, and the rest when they are read. */
type OtherLine =
  | `function ${string}(${string})${string}`
  | `error ${string}(${string})`
  | `struct ${string}{${string}}`
  | `constructor(${string})${string}`
  | `fallback()${string}`
  | `receive()${string}`;

type CheckedLine<
  Line extends string,
  All extends readonly string[],
> = Line extends `event ${infer Name}(${infer Inner})`
  ? Name extends "" | `${string} ${string}`
    ? ErrorText<`not an event signature: "${Line}"`>
    : Inner extends `${string}${"(" | ")"}${string}`
      ? CheckedNested<Line, WithStructs<All, readonly [Line]>>
      : Report<Line, WrongInList<Inner, StructName<All[number]>>>
  : Line extends `event ${string}`
    ? ErrorText<`not an event signature: "${Line}"`>
    : Line extends OtherLine
      ? Line
      : ErrorText<`not a signature: "${Line}"`>;

type Report<Line extends string, Wrong> = [Wrong] extends [never]
  ? Line
  : ErrorText<`unknown type "${Wrong & string}" in "${Line}"`>;

type StructName<Line> = Line extends `struct ${infer Name} {${string}` ? Name : never;

/** The parameters, without tuples among them, whose type is none. Split at commas: far cheaper than parsing. */
type WrongInList<List extends string, Structs extends string, Wrong = never> = List extends ""
  ? Wrong
  : List extends `${infer First},${infer Rest}`
    ? WrongInList<Rest, Structs, Wrong | WrongInParameter<First, Structs>>
    : Wrong | WrongInParameter<List, Structs>;
type WrongInParameter<P extends string, Structs extends string> = P extends ` ${infer Rest}`
  ? WrongInParameter<Rest, Structs>
  : P extends `${infer Type} ${string}`
    ? WrongType<Type, Structs>
    : WrongType<P, Structs>;
type WrongType<Type extends string, Structs extends string> = Type extends AbiType | Structs | `${Structs}[${string}]`
  ? Type extends "tuple" | `tuple[${string}`
    ? Type
    : never
  : Type;

/** A signature with tuples is parsed. */
type CheckedNested<Line extends string, Lines extends readonly string[]> =
  ParseAbi<Lines> extends infer Parsed
    ? [Parsed] extends [never]
      ? ErrorText<`not an event signature: "${Line}"`>
      : Parsed extends readonly [{ readonly type: "event"; readonly inputs: infer Inputs }, ...unknown[]]
        ? Report<Line, WrongInInputs<Inputs>>
        : ErrorText<`not an event signature: "${Line}"`>
    : never;
type WrongInInputs<P> = P extends readonly unknown[] ? { [I in keyof P]: WrongInInput<P[I]> }[number] : "?";
type WrongInInput<P> = P extends { readonly components: infer Components }
  ? WrongInInputs<Components>
  : P extends { readonly type: infer Type }
    ? Type extends AbiType
      ? never
      : Type
    : "?";
