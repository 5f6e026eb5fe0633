import { describe } from "vitest";
import { openMemoryStorage, openSimulatedStorage } from "../../support/memory-under-test.ts";
import { testStorageContract } from "../../support/storage-contract.ts";

describe("the test kit's storage", () => testStorageContract(openMemoryStorage));
describe("the simulation's storage", () => testStorageContract(openSimulatedStorage));
