import { AddressTable } from "../abi/address-table.ts";
import { compileDecoder } from "../abi/decoder.ts";
import type { EventAbi } from "../abi/event-abi.ts";
import type { ChainDefinition, ContractDefinition, DeploymentDefinition } from "../config/definition.ts";
import type { Registration } from "../config/registration.ts";
import type { ChildRegistry } from "../fetch/child-registry.ts";
import type { FactoryEvent } from "../fetch/factory-discovery.ts";
import { LogSelection, type SelectedEvent } from "../fetch/log-selection.ts";

/** Which events of a chain bring addresses, and what they bring. */
export interface SelectedFactories {
  /** By route. */
  readonly selected: readonly SelectedEvent[];
  readonly selection: LogSelection;
  readonly events: readonly FactoryEvent[];
}

interface Group {
  readonly contract: ContractDefinition;
  readonly deployment: DeploymentDefinition;
  readonly event: EventAbi;
  readonly children: { readonly contract: string; readonly parameter: string }[];
}

/** An address is needed for as long as its event is decoded. */
const DECODED_ADDRESSES = 1_000;

/** The factories of a chain on which handled contracts depend, factories of factories included; undefined: none. */
export function selectedFactories(
  contracts: readonly ContractDefinition[],
  registrations: readonly Registration[],
  chain: ChainDefinition,
  registry: ChildRegistry,
): SelectedFactories | undefined {
  const groups = groupsOf(contracts, registrations, chain.name);
  if (groups.length === 0) return undefined;
  const addresses = new AddressTable(DECODED_ADDRESSES);
  const selected = groups.map(
    ({ contract, deployment, event }, route): SelectedEvent => ({
      route,
      label: `${contract.name}.${event.key}`,
      contract: contract.name,
      topic: event.topic,
      topicCount: 1 + event.inputs.filter((input) => input.indexed).length,
      addresses: deployment.addresses === "any" ? undefined : deployment.addresses,
      children: registry.of(contract.name),
      startBlock: deployment.startBlock,
      endBlock: deployment.endBlock ?? Number.POSITIVE_INFINITY,
    }),
  );
  return {
    selected,
    selection: new LogSelection(selected),
    events: groups.map(({ contract, event, children }) => ({
      decoder: compileDecoder(event, addresses),
      children,
      isHandled: registrations.some(
        (registration) => registration.contract.name === contract.name && registration.event.key === event.key,
      ),
    })),
  };
}

/** Events that several contracts hang on are read once. */
function groupsOf(
  contracts: readonly ContractDefinition[],
  registrations: readonly Registration[],
  chain: string,
): readonly Group[] {
  const groups = new Map<string, Group>();
  const named = (name: string): ContractDefinition | undefined => contracts.find((contract) => contract.name === name);
  const add = (contract: ContractDefinition): void => {
    const factory = contract.deployments.find((deployment) => deployment.chain === chain)?.factory;
    const origin = factory && named(factory.contract);
    const deployment = origin?.deployments.find((other) => other.chain === chain);
    if (factory === undefined || origin === undefined || deployment === undefined) return;
    const key = `${origin.name}.${factory.event.key}`;
    const group = groups.get(key) ?? { contract: origin, deployment, event: factory.event, children: [] };
    groups.set(key, group);
    if (group.children.some((child) => child.contract === contract.name)) return;
    group.children.push({ contract: contract.name, parameter: factory.parameter });
    add(origin);
  };
  for (const { contract } of registrations) add(contract);
  return [...groups.values()];
}
