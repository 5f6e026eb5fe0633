import { expect, test } from "vitest";
import { topicOf } from "../../../src/abi/topic.ts";

test("the topic is the hash of the signature, as known from explorers", () => {
  expect(topicOf("Transfer(address,address,uint256)")).toBe(
    "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef",
  );
  expect(topicOf("Approval(address,address,uint256)")).toBe(
    "0x8c5be1e5ebec7d5bd14f71427d1e84f3dd0314c0f7b2291e5b200ac8c7c3b925",
  );
});
