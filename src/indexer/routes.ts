import type { AddressTable } from "../abi/address-table.ts";
import { compileDecoder } from "../abi/decoder.ts";
import { UndecodableLog } from "../abi/undecodable-log.ts";
import { hexAt } from "../chain/log-page.ts";
import type { ChainDefinition, DeploymentDefinition } from "../config/definition.ts";
import type { Registration } from "../config/registration.ts";
import { SpindexError } from "../errors.ts";
import type { ChildRegistry } from "../fetch/child-registry.ts";
import type { SelectedDetails } from "../fetch/detail-selection.ts";
import type { SelectedEvent } from "../fetch/log-selection.ts";
import { type AnyHandler, argumentFilter, type EventRoute } from "../process/event-route.ts";
import type { RawEventsOptions } from "../write/raw-events.ts";

/** Registrations as the processing loop works with them; a route's number is its place in the list. */
export function routesOf(registrations: readonly Registration[], addresses: AddressTable): EventRoute[] {
  return registrations.map((registration) => {
    if (registration.event.anonymous) {
      throw new SpindexError("CONFIG_INVALID", `${registration.place}: ${registration.key} is an anonymous event`, {
        fix: "Anonymous events cannot be indexed: they carry no topic to ask for.",
      });
    }
    return {
      label: registration.key,
      contract: registration.contract.name,
      event: registration.event,
      decoder: compileDecoder(registration.event, addresses),
      // The handler's types were checked where it was registered.
      handler: registration.handler as unknown as AnyHandler,
      accepts: argumentFilter(registration.where),
      onError: registration.onError,
      fields: registration.fields,
    };
  });
}

/** Reads again what handlers were given of a log; undefined when it was given to none. For raw events. */
export function handledLogReader(routes: readonly EventRoute[], addresses: AddressTable): RawEventsOptions["read"] {
  return (index, page, row) => {
    const { decoder, accepts, contract, event } = routes[index] as EventRoute;
    try {
      const args = decoder.decode(page, row);
      if (accepts?.(args) === false) return undefined;
      return {
        contract,
        event: event.key,
        address: addresses.at(page.text, page.address[row] as number),
        transactionHash: hexAt(page, page.transactionHash[row] as number, 64),
        args,
      };
    } catch (error) {
      if (error instanceof UndecodableLog) return undefined;
      throw error;
    }
  };
}

/** What a chain has to be asked for. */
export function selectedEvents(
  registrations: readonly Registration[],
  chain: ChainDefinition,
  addresses: AddressTable,
  registry: ChildRegistry,
): SelectedEvent[] {
  return registrations.flatMap((registration, route) =>
    registration.contract.deployments
      .filter((deployment) => deployment.chain === chain.name)
      .map((deployment) => selectedEvent(registration, deployment, route, addresses, registry)),
  );
}

function selectedEvent(
  registration: Registration,
  deployment: DeploymentDefinition,
  route: number,
  addresses: AddressTable,
  registry: ChildRegistry,
): SelectedEvent {
  const { event, key, contract } = registration;
  const { factory } = deployment;
  return {
    route,
    label: key,
    contract: contract.name,
    topic: event.topic,
    topicCount: 1 + event.inputs.filter((input) => input.indexed).length,
    addresses: deployment.addresses === "any" ? undefined : deployment.addresses,
    children: registry.of(contract.name),
    factory: factory && `${factory.contract}.${factory.event.key} (${factory.parameter})`,
    startBlock: Math.max(deployment.startBlock, registration.startBlock ?? 0),
    endBlock: Math.min(
      deployment.endBlock ?? Number.POSITIVE_INFINITY,
      registration.endBlock ?? Number.POSITIVE_INFINITY,
    ),
    details: detailsOf(registration, addresses),
  };
}

/** A filter is looked at before blocks are asked for: most logs of a busy contract may be of no interest. */
function detailsOf({ event, where, fields }: Registration, addresses: AddressTable): SelectedDetails | undefined {
  if (fields === undefined) return undefined;
  const filter = argumentFilter(where);
  if (filter === undefined) return { fields, accepts: () => true };
  const decoder = compileDecoder(event, addresses);
  const accepts: SelectedDetails["accepts"] = (page, row) => {
    try {
      return filter(decoder.decode(page, row));
    } catch (error) {
      // It never reaches the handler; processing counts it.
      if (error instanceof UndecodableLog) return false;
      throw error;
    }
  };
  return { fields, accepts };
}
