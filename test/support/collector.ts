import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { spansOf } from "../../src/instrument/recorded/otlp-json.ts";
import { requestOfProtobuf } from "../../src/instrument/recorded/otlp-protobuf.ts";

/** How a collector answers a request. It may never end the response. */
export type Behaviour = (response: ServerResponse, request: IncomingMessage) => unknown;

/** A real HTTP server in the place of a collector, that does what a test says. */
export interface Collector extends AsyncDisposable {
  /** Its base address. */
  readonly url: string;
  readonly port: number;
  /** Names of the spans of each request that came, in order. */
  readonly requests: readonly (readonly string[])[];
  /** Headers of the last request. */
  readonly headers: IncomingMessage["headers"];
  behave(behaviour: Behaviour): void;
}

/** Takes everything, as a real one: with an empty answer. */
export const healthy: Behaviour = (response) => void response.writeHead(200).end();

/** Takes the request and says nothing. */
export const silent: Behaviour = () => {};

/** @param port undefined: any that is free */
export async function startCollector(behaviour: Behaviour = healthy, port = 0): Promise<Collector> {
  const requests: string[][] = [];
  let behave = behaviour;
  let headers: IncomingMessage["headers"] = {};
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => void chunks.push(chunk));
    request.on("end", () => {
      if (request.method !== "POST" || request.url !== "/v1/traces") return void response.writeHead(404).end();
      requests.push(spansOf(requestOfProtobuf(Buffer.concat(chunks))).map(({ name }) => name));
      headers = request.headers;
      Promise.resolve(behave(response, request)).catch(() => response.destroy());
    });
  });
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  const address = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${address.port}`,
    port: address.port,
    requests,
    get headers() {
      return headers;
    },
    behave: (next) => {
      behave = next;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** A port on which nothing listens. */
export async function deadPort(): Promise<number> {
  const collector = await startCollector();
  await collector[Symbol.asyncDispose]();
  return collector.port;
}
