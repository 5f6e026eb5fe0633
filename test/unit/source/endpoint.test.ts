import { describe, expect, test } from "vitest";
import { endpointOf } from "../../../src/source/endpoint.ts";

describe("an endpoint", () => {
  test.each([
    ["https://rpc.example.com/v3/0123456789abcdef", "rpc.example.com", "rpc.example.com", undefined],
    ["http://127.0.0.1:8545", "127.0.0.1:8545", "127.0.0.1", 8545],
    ["https://user:password@node.example.com:8443/?apikey=1", "node.example.com:8443", "node.example.com", 8443],
    ["http://[::1]:8545/", "[::1]:8545", "[::1]", 8545],
  ])("is labelled by host and port alone: %s", (address, label, host, port) => {
    const endpoint = endpointOf(address, {});
    expect({ label: endpoint.label, host: endpoint.host, port: endpoint.port }).toEqual({ label, host, port });
  });

  test.each(["", "rpc.example.com/secret-key", "ws://rpc.example.com/secret-key", "http://"])(
    "must be an http(s) address, and a wrong one is not repeated: %s",
    (address) => {
      expect(() => endpointOf(address, {})).toThrowError(
        expect.objectContaining({
          code: "CONFIG_INVALID",
          message: "source: the RPC address is not a URL with http:// or https://",
        }),
      );
    },
  );

  test("sends the user and the password, also when a percent sign in them begins no escape", () => {
    const { headers } = endpointOf("http://na%20me:pa%zz@127.0.0.1/", {});
    expect(headers.authorization).toBe(`Basic ${Buffer.from("na me:pa%zz").toString("base64")}`);
  });

  test("quotes what came from outside without its secrets, on one line and cut", () => {
    const address = "https://name:pa%24%24word@rpc.example.com/v2/0123456789abcdef?token=fedcba9876543210";
    const endpoint = endpointOf(address, { authorization: "Bearer 0a1b2c3d4e5f" });
    const said = `cannot reach ${address}
      (pa$$word, /v2/0123456789abcdef, token=fedcba9876543210, Bearer 0a1b2c3d4e5f)`;
    expect(endpoint.quote(said)).toBe("cannot reach rpc.example.com (…, /v2/…, token=…, …)");
    expect(endpoint.quote(`${"x".repeat(79)}0123456789abcdef`, 80)).toBe(`${"x".repeat(79)}…`);
    expect(endpoint.quote("x".repeat(90), 80)).toBe(`${"x".repeat(80)}…`);
  });
});
