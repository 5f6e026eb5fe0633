import { topicOf } from "./factory-project.ts";

/**
 * Bytecode of contracts that make contracts, with the events of `factoryProject`. A call of the root makes a factory,
 * whose constructor makes a pair, and calls it: then it makes another pair and calls that. Pairs ping in their
 * constructors and when they are called: so every event but the last ones comes before the one that brings its address.
 */
const push1 = (byte: number): string => `60${byte.toString(16).padStart(2, "0")}`;
const push2 = (number: number): string => `61${number.toString(16).padStart(4, "0")}`;
const push32 = (word: string): string => `7f${word.slice(2)}`;
const store = (at: number): string => `${push1(at)}52`;
const STOP = "00";
const DUP1 = "80";

const sizeOf = (code: string): number => code.length / 2;
/** Code that reads its own tail: the body is given where that begins. */
const withTail = (body: (tailAt: number) => string, tail: string): string => body(sizeOf(body(0))) + tail;
const copyCode = (size: number, at: number): string => `${push2(size)}${push2(at)}${push1(0)}39`;
/** Leaves the new contract's address on the stack. */
const create = (init: string, at: number): string =>
  `${copyCode(sizeOf(init), at)}${push2(sizeOf(init))}${push1(0)}${push1(0)}f0`;
const giveBack = (runtime: string, at: number): string =>
  `${copyCode(sizeOf(runtime), at)}${push2(sizeOf(runtime))}${push1(0)}f3`;
/** Calls the address on the stack with one word. */
const call = (word: number): string =>
  `${push1(word)}${store(0)}${push1(0)}${push1(0)}${push1(32)}${push1(0)}${push1(0)}855af150`;

/** Of the word on the stack. */
const ping = `${store(0)}${push32(topicOf("ping"))}${push1(32)}${push1(0)}a1`;
/** Of the address on the stack, which stays there. */
const created = `${DUP1}${store(32)}${push1(1)}${store(0)}${push32(topicOf("created"))}${push1(64)}${push1(0)}a1`;
const deployed = `${DUP1}${push32(topicOf("deployed"))}${push1(0)}${push1(0)}a2`;

const PAIR_RUNTIME = `${push1(0)}35${ping}${STOP}`;
const PAIR = withTail((at) => `${push1(1)}${ping}${giveBack(PAIR_RUNTIME, at)}`, PAIR_RUNTIME);
const FACTORY_RUNTIME = withTail((at) => `${create(PAIR, at)}${created}${call(2)}${STOP}`, PAIR);
const FACTORY = withTail(
  (at) => `${create(PAIR, at + sizeOf(FACTORY_RUNTIME))}${created}${giveBack(FACTORY_RUNTIME, at)}`,
  FACTORY_RUNTIME + PAIR,
);
const ROOT_RUNTIME = withTail((at) => `${create(FACTORY, at)}${deployed}${call(0)}${STOP}`, FACTORY);

/** Init code of the root. */
export const ROOT_MAKER: `0x${string}` = `0x${withTail((at) => giveBack(ROOT_RUNTIME, at), ROOT_RUNTIME)}`;
