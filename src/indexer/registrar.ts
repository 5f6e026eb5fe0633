import { checkAddress } from "../config/checksum.ts";
import type { ChainDefinition, ContractDefinition } from "../config/definition.ts";
import { didYouMean } from "../config/suggestion.ts";
import { SpindexError } from "../errors.ts";
import type { ChildRegistry } from "../fetch/child-registry.ts";
import type { Registrar } from "../process/registrar.ts";
import { show } from "../store/column-check.ts";

/** Takes what handlers of a chain register. */
export function createRegistrar(
  contracts: readonly ContractDefinition[],
  chain: ChainDefinition,
  registry: ChildRegistry,
): Registrar {
  const deployments = new Map(
    contracts.flatMap(({ name, deployments: all }) => {
      const deployment = all.find((one) => one.chain === chain.name);
      return deployment === undefined ? [] : [[name, deployment] as const];
    }),
  );
  return {
    resolve: (contract, address, block) => {
      const deployment = deployments.get(contract as string);
      if (deployment === undefined || typeof contract !== "string") {
        const fix = `Name a contract of the configuration that is on ${chain.name}. ${didYouMean(String(contract), [...deployments.keys()])}`;
        throw new SpindexError(
          "REGISTER_INVALID",
          `register: there is no contract ${show(contract)} on ${chain.name}`,
          {
            fix,
          },
        );
      }
      const check = checkAddress(address);
      if (!check.ok) {
        throw new SpindexError("REGISTER_INVALID", `register(${show(contract)}): ${check.message}`, { fix: check.fix });
      }
      const child = { contract, address: check.address, block };
      const isFixed = deployment.addresses === "any" || deployment.addresses.includes(check.address);
      return isFixed || registry.has(child) ? undefined : child;
    },
  };
}
