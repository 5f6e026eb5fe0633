import type { AbiParameter, AbiParameterToPrimitiveType, ParseAbi } from "abitype";
import type { BlockField, BlockFields, TransactionField, TransactionFields } from "../chain/fields.ts";
import type { Address, Hash } from "../chain/hex.ts";

/** What a contract's `abi` may be: human-readable signatures, or a JSON ABI declared `as const`. */
export type AbiInput = readonly string[] | readonly object[];

/** The shape of an event in a JSON ABI. */
interface EventItem {
  readonly type: "event";
  readonly name: string;
  readonly inputs: readonly AbiParameter[];
}

/**
 * An event as it stands in its ABI, with that ABI. A signature is taken apart only for the events that a handler names:
 * it is the dear part, and a project may have hundreds.
 */
interface Unparsed<Raw, Abi> {
  readonly raw: Raw;
  readonly abi: Abi;
}

/** The events of an ABI as a union; anonymous ones left out, since no topic tells them apart. */
type RawEvents<A extends AbiInput> = Exclude<
  Extract<A[number], `event ${string}(${string}` | EventItem>,
  { readonly anonymous: true }
>;
type RawName<Raw> = Raw extends `event ${infer Name}(${string}`
  ? Name
  : Raw extends { readonly type: "event"; readonly name: infer Name extends string; readonly anonymous?: false }
    ? Name
    : never;

/** Names that more than one event of the ABI has. */
type Overloaded<A extends readonly unknown[], Seen = never, Twice = never> = A extends readonly [
  infer First,
  ...infer Rest,
]
  ? Overloaded<Rest, Seen | RawName<First>, RawName<First> extends Seen ? Twice | RawName<First> : Twice>
  : Twice;

/** Event by the name that handlers use: the bare one, or the signature when the contract overloads the name. */
type EventsByName<A extends AbiInput> = {
  readonly [Raw in RawEvents<A> as RawName<Raw> extends Overloaded<A>
    ? Signature<Parsed<Unparsed<Raw, A>>>
    : RawName<Raw>]: Unparsed<Raw, A>;
};

/** The names of a contract's events, as handlers use them. */
export type EventName<A extends AbiInput> = keyof EventsByName<A> & string;

/** `Contract.Event` of every event. */
export type EventKey<Abis> = {
  [Contract in keyof Abis & string]: Abis[Contract] extends AbiInput
    ? `${Contract}.${EventName<Abis[Contract]>}`
    : never;
}[keyof Abis & string];

type EventAt<Abis, Key> = Key extends `${infer Contract extends keyof Abis & string}.${infer Name}`
  ? Abis[Contract] extends infer A extends AbiInput
    ? EventsByName<A> extends infer Events
      ? Name extends keyof Events
        ? Parsed<Events[Name]>
        : never
      : never
    : never
  : never;

type Parsed<U> =
  U extends Unparsed<infer Raw, infer A>
    ? Raw extends string
      ? A extends readonly string[]
        ? EventIn<ParseAbi<WithStructs<A, readonly [Raw]>>>
        : never
      : Raw
    : never;
type EventIn<Items> = Items extends readonly unknown[] ? Extract<Items[number], EventItem> : never;

/** One line with the structs that it may name. */
export type WithStructs<A extends readonly string[], Kept extends readonly string[]> = A extends readonly [
  infer First extends string,
  ...infer Rest extends readonly string[],
]
  ? WithStructs<Rest, First extends `struct ${string}` ? readonly [...Kept, First] : Kept>
  : Kept;

/** `Transfer(address,address,uint256)`, as it is hashed for the topic. */
type Signature<E> = E extends EventItem ? `${E["name"]}(${TypeList<E["inputs"]>})` : never;
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

/** The name of an argument: `arg0`, `arg1`, … by position when the ABI has none. */
type ArgName<P, Index> = P extends { readonly name: infer Name extends string }
  ? Name extends ""
    ? `arg${Index & string}`
    : Name
  : `arg${Index & string}`;

/** Indexed values that do not fit a topic are known by their hash only. */
type ArgValue<P> = P extends { readonly indexed: true; readonly type: "string" | "bytes" | `${string}]` | "tuple" }
  ? Hash
  : P extends AbiParameter
    ? AbiParameterToPrimitiveType<P>
    : never;

type Indices<P extends readonly unknown[]> = Exclude<keyof P, keyof (readonly unknown[])>;
type InputsOf<E> = E extends { readonly inputs: infer P extends readonly unknown[] } ? P : never;

/** `event.args` in the handler of `Contract.Event`. */
export type ArgsOf<Abis, Key> = ArgsOfInputs<InputsOf<EventAt<Abis, Key>>>;
type ArgsOfInputs<P extends readonly unknown[]> = {
  readonly [I in Indices<P> as ArgName<P[I], I>]: ArgValue<P[I]>;
};

/** The names of an event's arguments that are addresses. */
export type AddressArg<Abis, Key> = AddressArgOf<InputsOf<EventAt<Abis, Key>>>;
type AddressArgOf<P extends readonly unknown[]> = {
  [I in Indices<P>]: P[I] extends { readonly type: "address" } ? ArgName<P[I], I> : never;
}[Indices<P>];

/** One filter over indexed arguments: every named argument must equal its value, or one of a list of values. */
export type WhereOf<Abis, Key> = WhereOfInputs<InputsOf<EventAt<Abis, Key>>>;
type WhereOfInputs<P extends readonly unknown[]> = {
  readonly [I in Indices<P> as P[I] extends { readonly indexed: true } ? ArgName<P[I], I> : never]?:
    | ArgValue<P[I]>
    | readonly ArgValue<P[I]>[];
};

interface DefaultBlockFields {
  readonly number: bigint;
  /** Unix seconds. */
  readonly timestamp: number;
  readonly hash: Hash;
}

interface DefaultTransactionFields {
  readonly hash: Hash;
  /** Position in the block. */
  readonly index: number;
}

/**
 * `event.block`: its default fields and those that the handler's registration selects. The second parameter says in the
 * error about a field that is not selected how to select it.
 */
export type BlockWith<Selected extends BlockField, _More = 'more by { fields: { block: ["…"] } }'> = {
  readonly [Name in keyof DefaultBlockFields | Selected]: (DefaultBlockFields & BlockFields)[Name];
};

/** `event.transaction`, as `BlockWith` is `event.block`. */
export type TransactionWith<Selected extends TransactionField, _More = 'more by { fields: { transaction: ["…"] } }'> = {
  readonly [Name in keyof DefaultTransactionFields | Selected]: (DefaultTransactionFields & TransactionFields)[Name];
};

/** An event as a handler gets it. Addresses and hashes are lower-case. */
export interface HandlerEvent<
  Args,
  Contract extends string,
  Name extends string,
  InBlock extends BlockField = never,
  InTransaction extends TransactionField = never,
> {
  /** Its identity within the chain: sorts in chain order, stable over reorgs. For `t.eventId()` columns. */
  readonly id: bigint;
  /** The identity of the n-th row that this event makes, 0 to 1023; `idOf(0)` is `id`. */
  idOf(n: number): bigint;
  readonly contract: Contract;
  /** The name by which handlers know it: with its parameter types when the contract overloads the name. */
  readonly name: Name;
  readonly args: Args;
  readonly block: BlockWith<InBlock>;
  readonly transaction: TransactionWith<InTransaction>;
  readonly log: {
    /** The contract that emitted it. */
    readonly address: Address;
    /** Position in the block. */
    readonly index: number;
  };
}

/** `event` in the handler of `Contract.Event`, of an indexer with these ABIs and of a registration with these fields. */
export type EventOfAbis<
  Abis,
  Key,
  InBlock extends BlockField = never,
  InTransaction extends TransactionField = never,
> = Key extends `${infer Contract}.${infer Name}`
  ? HandlerEvent<ArgsOf<Abis, Key>, Contract, Name, InBlock, InTransaction>
  : never;
