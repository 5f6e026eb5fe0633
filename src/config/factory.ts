import type { AbiInput, AddressArg, EventName } from "./events.ts";

export const FACTORY: unique symbol = Symbol.for("spindex.factory");

/** Which events name the addresses of a contract. */
export interface FactoryOptions<
  Contract extends string = string,
  Event extends string = string,
  Parameter extends string = string,
> {
  /** The factory: a contract of the configuration, on the same chain. It may have a factory of its own. */
  readonly contract: Contract;
  /** Its event, as handlers name it: the bare name, or the signature when the contract overloads the name. */
  readonly event: Event;
  /** The event's argument that is the new address. */
  readonly parameter: Parameter;
}

/** Stands in the configuration for the addresses that a factory makes. */
export interface FactoryReference<Options extends FactoryOptions = FactoryOptions> {
  readonly [FACTORY]: Options;
}

/** Every factory that a configuration with these ABIs may name. */
export type FactoryIn<Abis> = {
  [Contract in keyof Abis & string]: Abis[Contract] extends AbiInput
    ? {
        [Event in EventName<Abis[Contract]>]: FactoryOptions<
          Contract,
          Event,
          AddressArg<Abis, `${Contract}.${Event}`> & string
        >;
      }[EventName<Abis[Contract]>]
    : never;
}[keyof Abis & string];

/**
 * As the `address` of a contract: those that the events of another contract name, each from the block of that event on.
 * `address: factory({ contract: "Factory", event: "PairCreated", parameter: "pair" })`. The event needs no handler.
 */
export function factory<const Contract extends string, const Event extends string, const Parameter extends string>(
  options: FactoryOptions<Contract, Event, Parameter>,
): FactoryReference<FactoryOptions<Contract, Event, Parameter>> {
  return Object.freeze({ [FACTORY]: Object.freeze({ ...options }) });
}

export function isFactory(value: unknown): value is FactoryReference {
  return typeof value === "object" && value !== null && FACTORY in value;
}
