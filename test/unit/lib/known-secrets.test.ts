import { beforeAll, describe, expect, test } from "vitest";
import { redact } from "../../../src/instrument/redact.ts";
import { hideSecrets, keepSecret } from "../../../src/lib/known-secrets.ts";

/** What is kept in this process, and what of it is secret. */
const KEPT: readonly [kept: string, ...secrets: string[]][] = [
  ["https://rpcuser1:p%40ss-word1@node.example/v3/0a1b2c3d4e?key=QueryKey99", "rpcuser1", "p%40ss-word1", "p@ss-word1"],
  ["https://node.example/v3/0a1b2c3d4e?key=QueryKey99#fragment9", "0a1b2c3d4e", "QueryKey99", "fragment9"],
  ["postgresql://indexer:db-pass9/x#y@db.example:5432/app?sslmode=require", "db-pass9/x#y"],
  ["Bearer header-token-1", "Bearer header-token-1", "header-token-1"],
  ["x-key=otlp%20key7,x-team=green-team-1", "otlp%20key7", "otlp key7", "green-team-1"],
  ['quote"and\\slash9', 'quote"and\\slash9', 'quote\\"and\\\\slash9'],
];
/** Parts that are no secrets: hiding them would hide what people look for. */
const SHOWN = ["indexer", "db.example", "app", "require", "node.example", "v3", "Bearer", "x-key", "sslmode"];

beforeAll(() => {
  for (const [kept] of KEPT) keepSecret(kept);
});

describe("a secret that is known", () => {
  test.each(KEPT.flatMap(([, ...secrets]) => secrets))("%s is hidden wherever it stands", (secret) => {
    for (const text of [secret, `no answer to ${secret}, tried 3 times`, `{"to":"${secret}"}`, `/${secret}/x`]) {
      expect(redact(text)).not.toContain(secret);
      expect(redact(text)).toContain("[redacted]");
    }
  });

  test("is hidden in the header that requests make of it", () => {
    const basic = Buffer.from("rpcuser1:p@ss-word1").toString("base64");
    expect(redact(`headers: { authorization: Basic ${basic} }`)).not.toContain(basic);
  });

  test("is hidden as it stands in an address", () => {
    expect(hideSecrets(`?password=${encodeURIComponent("db-pass9/x#y")}&`)).toBe("?password=[redacted]&");
  });

  test("is a whole word: a longer one is another", () => {
    expect(hideSecrets("QueryKey99 QueryKey990 aQueryKey99")).toBe("[redacted] QueryKey990 aQueryKey99");
  });
});

test.each(SHOWN)("%s is no secret", (shown) => {
  expect(hideSecrets(`a ${shown} b`)).toBe(`a ${shown} b`);
});

test.each([
  ["postgresql://postgres:postgres@localhost/app", "connecting as postgres"],
  ["postgresql://me:spindex@localhost/spindex", "the schema spindex"],
  ["https://rpc.example/ethereum-mainnet", "chain ethereum-mainnet"],
  ["https://rpc.example/12345678", "block 12345678"],
  ["postgresql://me:12345678@localhost/app", '{"block":12345678}'],
  ["postgresql://me:abc@localhost/app", "abc"],
  ["short", "short"],
])("what is public, a word, a number or short is left in texts: %s", (kept, text) => {
  keepSecret(kept);
  expect(hideSecrets(text)).toBe(text);
});
