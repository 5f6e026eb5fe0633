import type { EventAbi } from "../abi/event-abi.ts";
import type { ContractShape } from "./config-shape.ts";
import type { FactoryDefinition } from "./definition.ts";
import { FACTORY, isFactory } from "./factory.ts";
import { type Problems, show } from "./problems.ts";
import { didYouMean } from "./suggestion.ts";

type Contracts = Readonly<Record<string, ContractShape>>;

const USAGE = 'Write factory({ contract: "Factory", event: "PairCreated", parameter: "pair" }).';

/** Joins `factory({ … })` in a contract's deployments to the events that it names; what does not fit is a problem. */
export class FactoryResolver {
  readonly #contracts: Contracts;
  readonly #events: ReadonlyMap<string, readonly EventAbi[]>;
  readonly #problems: Problems;

  constructor(contracts: Contracts, events: ReadonlyMap<string, readonly EventAbi[]>, problems: Problems) {
    this.#contracts = contracts;
    this.#events = events;
    this.#problems = problems;
  }

  /** The factory of a contract on a chain; undefined: it has none, or a wrong one. */
  resolve(name: string, chain: string): FactoryDefinition | undefined {
    const address = this.#contracts[name]?.chains[chain]?.address;
    if (!isFactory(address)) return undefined;
    const place = `contracts.${name}.chains.${chain}.address`;
    const given: Readonly<Record<string, unknown>> = { ...address[FACTORY] };
    const { contract, event, parameter, ...others } = given;
    for (const key of Object.keys(others)) {
      this.#refuse(`${place}.${key}`, "there is no such setting", didYouMean(key, ["contract", "event", "parameter"]));
    }
    const [from, eventKey, argument] = [contract, event, parameter].map((value) =>
      typeof value === "string" ? value : undefined,
    );
    if (from === undefined || eventKey === undefined || argument === undefined) {
      return this.#refuse(place, `the factory is ${show(given)}`, USAGE);
    }
    if (!this.#isDeployed(from, chain, place) || !this.#isAcyclic(name, chain, place)) return undefined;
    const found = this.#eventOf(from, eventKey, place);
    return found && this.#withParameter(from, found, argument, place);
  }

  #isDeployed(contract: string, chain: string, place: string): boolean {
    const names = Object.keys(this.#contracts);
    const found = this.#contracts[contract];
    if (found === undefined) {
      this.#refuse(`${place}.contract`, `there is no contract ${show(contract)}`, didYouMean(contract, names));
    } else if (found.chains[chain] === undefined) {
      const fix = `Add ${chain} to contracts.${contract}.chains, or give the addresses.`;
      this.#refuse(`${place}.contract`, `${contract} is not on ${chain}`, fix);
    } else return true;
    return false;
  }

  /** Somewhere up the line there must be an address to begin with. */
  #isAcyclic(name: string, chain: string, place: string): boolean {
    const line = [name];
    for (let at: string | undefined = name; at !== undefined; ) {
      const address: unknown = this.#contracts[at]?.chains[chain]?.address;
      at = isFactory(address) ? address[FACTORY].contract : undefined;
      if (at === undefined) return true;
      line.push(at);
      if (at === name) {
        const fix = "Give one of them its addresses.";
        this.#refuse(place, `each waits for the other's events: ${line.join(" from ")}`, fix);
        return false;
      }
      // A circle that does not lead through this contract is a problem of those in it.
      if (line.indexOf(at) < line.length - 1) return false;
    }
    return true;
  }

  #eventOf(contract: string, key: string, place: string): EventAbi | undefined {
    const events = this.#events.get(contract) ?? [];
    // An ABI that could not be read is a problem already.
    if (events.length === 0) return undefined;
    const usable = events.filter(({ anonymous }) => !anonymous);
    const found = usable.find((event) => event.key === key);
    if (found !== undefined) return found;
    const overloads = usable.filter(({ name }) => name === key).map((event) => event.key);
    if (overloads.length > 0) {
      const fix = `Name one by its signature: ${overloads.map(show).join(" or ")}.`;
      return this.#refuse(`${place}.event`, `${contract} has ${overloads.length} events named ${key}`, fix);
    }
    const keys = usable.map((event) => event.key);
    return this.#refuse(`${place}.event`, `${contract} has no event ${show(key)}`, didYouMean(key, keys));
  }

  #withParameter(contract: string, event: EventAbi, parameter: string, place: string): FactoryDefinition | undefined {
    const found = event.inputs.find(({ name }) => name === parameter);
    if (found?.type === "address") return { contract, event, parameter };
    const usable = event.inputs.filter(({ type }) => type === "address").map(({ name }) => name);
    const message =
      found === undefined
        ? `${contract}.${event.key} has no argument ${show(parameter)}`
        : `${contract}.${event.key}: ${parameter} is a ${found.type}, not an address`;
    return this.#refuse(`${place}.parameter`, message, didYouMean(parameter, usable));
  }

  #refuse(place: string, message: string, fix: string): undefined {
    this.#problems.add("CONFIG_INVALID", place, message, fix);
  }
}
