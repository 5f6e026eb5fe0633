import type { Abi, AbiParameter, AbiParameterToPrimitiveType, AbiType, ParseAbi } from "abitype";
import type { Address, Hash } from "../chain/hex.ts";
import type { ErrorText } from "./type-text.ts";

/** What a contract's `abi` may be: human-readable signatures, or a JSON ABI declared `as const`. */
export type AbiInput = readonly string[] | readonly object[];

/** The shape of an event in a JSON ABI. */
interface EventItem {
  readonly type: "event";
  readonly name: string;
  readonly inputs: readonly AbiParameter[];
  readonly anonymous?: boolean;
}

/** The events of an ABI as a union; anonymous ones left out, since no topic tells them apart. */
type EventsOf<A> = Exclude<ItemOf<A>, { readonly anonymous: true }>;
type ItemOf<A> = A extends readonly string[]
  ? Extract<ParseAbi<EventLines<A>>[number], EventItem>
  : A extends readonly unknown[]
    ? Extract<A[number], EventItem>
    : never;

/** Events and structs: the only lines of a human-readable ABI that matter here. */
type EventLines<A extends readonly string[], Kept extends readonly string[] = readonly []> = A extends readonly [
  infer First extends string,
  ...infer Rest extends readonly string[],
]
  ? EventLines<Rest, First extends `event ${string}` | `struct ${string}` ? readonly [...Kept, First] : Kept>
  : Kept;

/** `Transfer(address,address,uint256)`, as it is hashed for the topic. */
type Signature<E extends EventItem> = `${E["name"]}(${TypeList<E["inputs"]>})`;
type TypeList<P extends readonly unknown[], Text extends string = ""> = P extends readonly [infer First, ...infer Rest]
  ? TypeList<Rest, Text extends "" ? CanonicalType<First> : `${Text},${CanonicalType<First>}`>
  : Text;
type CanonicalType<P> = P extends {
  readonly type: `tuple${infer Suffix}`;
  readonly components: infer Components extends readonly unknown[];
}
  ? `(${TypeList<Components>})${Suffix}`
  : P extends { readonly type: infer Type extends string }
    ? Type
    : never;

type IsUnion<T, Each = T> = Each extends Each ? ([T] extends [Each] ? false : true) : never;

/** Event by the name that handlers use: the bare one, or the signature when the contract overloads it. */
export type EventsByName<A> =
  EventsOf<A> extends infer Events extends EventItem
    ? {
        readonly [E in Events as IsUnion<Extract<Events, { readonly name: E["name"] }>> extends true
          ? Signature<E>
          : E["name"]]: E;
      }
    : never;

/** `Contract.Event` → event, over all contracts. */
export type EventMap<Abis> = Flat<
  {
    [Contract in keyof Abis & string]: Prefixed<Contract, EventsByName<Abis[Contract]>>;
  }[keyof Abis & string]
>;
type Prefixed<Contract extends string, Events> = {
  readonly [Name in keyof Events & string as `${Contract}.${Name}`]: Events[Name];
};
/** A union of objects as one object. */
type Flat<U> = { readonly [Key in KeysOfEach<U>]: U extends Readonly<Record<Key, infer Value>> ? Value : never };
type KeysOfEach<U> = U extends U ? keyof U & string : never;

/** The name of an argument: `arg0`, `arg1`, … by position when the ABI has none. */
type ArgName<P, Index> = P extends { readonly name: infer Name extends string }
  ? Name extends ""
    ? `arg${Index & string}`
    : Name
  : `arg${Index & string}`;

/** Indexed values that do not fit a topic are known by their hash only. */
type ArgValue<P> = P extends { readonly indexed: true; readonly type: infer Type extends string }
  ? Type extends "string" | "bytes" | `${string}]` | "tuple"
    ? Hash
    : P extends AbiParameter
      ? AbiParameterToPrimitiveType<P>
      : never
  : P extends AbiParameter
    ? AbiParameterToPrimitiveType<P>
    : never;

type Indices<P extends readonly unknown[]> = Exclude<keyof P, keyof (readonly unknown[])>;

/** `event.args` */
export type ArgsOf<E> = E extends { readonly inputs: infer P extends readonly unknown[] }
  ? { readonly [I in Indices<P> as ArgName<P[I], I>]: ArgValue<P[I]> }
  : never;

/** One filter over indexed arguments: every named argument must equal its value, or one of a list of values. */
export type WhereOf<E> = E extends { readonly inputs: infer P extends readonly unknown[] }
  ? {
      readonly [I in Indices<P> as P[I] extends { readonly indexed: true } ? ArgName<P[I], I> : never]?:
        | ArgValue<P[I]>
        | readonly ArgValue<P[I]>[];
    }
  : never;

/** An ABI as it was given when nothing is wrong with it; otherwise the error stands at the signature that has it. */
export type CheckedAbi<A> = A extends readonly string[]
  ? string[] extends A
    ? ErrorText<"the signatures must be written in place, or declared `as const`">
    : { readonly [I in keyof A]: A[I] extends string ? CheckedLine<A[I], A> : never }
  : A extends Abi
    ? A
    : ErrorText<"this ABI has no types: declare it `as const`, or make it with `spindex abi add <file>`">;

type CheckedLine<Line extends string, All extends readonly string[]> = Line extends `event ${string}`
  ? CheckedEvent<Line, WithStructs<All, readonly [Line]>>
  : Line extends
        | `function ${string}(${string})${string}`
        | `error ${string}(${string})`
        | `struct ${string}{${string}}`
        | `constructor(${string})${string}`
        | `fallback()${string}`
        | `receive()${string}`
    ? Line
    : ErrorText<`not a signature: "${Line}"`>;

/** One line with the structs that it may name. */
type WithStructs<A extends readonly string[], Kept extends readonly string[]> = A extends readonly [
  infer First extends string,
  ...infer Rest extends readonly string[],
]
  ? WithStructs<Rest, First extends `struct ${string}` ? readonly [...Kept, First] : Kept>
  : Kept;

type CheckedEvent<Line extends string, Lines extends readonly string[]> =
  ParseAbi<Lines> extends infer Parsed
    ? [Parsed] extends [never]
      ? ErrorText<`not an event signature: "${Line}"`>
      : Parsed extends readonly [{ readonly type: "event"; readonly inputs: infer Inputs }, ...unknown[]]
        ? [WrongType<Inputs>] extends [never]
          ? Line
          : ErrorText<`unknown type "${WrongType<Inputs>}" in "${Line}"`>
        : ErrorText<`not an event signature: "${Line}"`>
    : never;

/** The first part of a parameter list that is not an ABI type. */
type WrongType<P> = P extends readonly unknown[] ? { [I in keyof P]: WrongParameter<P[I]> }[number] : "?";
type WrongParameter<P> = P extends { readonly components: infer Components }
  ? WrongType<Components>
  : P extends { readonly type: infer Type }
    ? Type extends AbiType
      ? never
      : Type & string
    : "?";

/** An event as a handler gets it. Addresses and hashes are lower-case. */
export interface HandlerEvent<Args, Contract extends string, Name extends string> {
  /** Its identity within the chain: sorts in chain order, stable over reorgs. For `t.eventId()` columns. */
  readonly id: bigint;
  /** The identity of the n-th row that this event makes, 0 to 1023; `idOf(0)` is `id`. */
  idOf(n: number): bigint;
  readonly contract: Contract;
  /** The name by which handlers know it: with its parameter types when the contract overloads the name. */
  readonly name: Name;
  readonly args: Args;
  readonly block: {
    readonly number: bigint;
    /** Unix seconds. */
    readonly timestamp: number;
    readonly hash: Hash;
  };
  readonly transaction: {
    readonly hash: Hash;
    /** Position in the block. */
    readonly index: number;
  };
  readonly log: {
    /** The contract that emitted it. */
    readonly address: Address;
    /** Position in the block. */
    readonly index: number;
  };
}

/** `event` in the handler of `Contract.Event`. */
export type EventOf<Abis, Key extends keyof EventMap<Abis>> = Key extends `${infer Contract}.${infer Name}`
  ? HandlerEvent<ArgsOf<EventMap<Abis>[Key]>, Contract, Name>
  : never;
