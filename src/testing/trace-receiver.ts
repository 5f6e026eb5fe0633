import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { gunzipSync } from "node:zlib";
import { type OtlpRequest, spansOf } from "../instrument/recorded/otlp-json.ts";
import { requestOfProtobuf } from "../instrument/recorded/otlp-protobuf.ts";
import { TraceModel, type TraceSpan } from "../instrument/recorded/trace-model.ts";

/** A collector on this machine that keeps what it is sent. */
export interface TraceReceiver {
  /** For `OTEL_EXPORTER_OTLP_ENDPOINT`. */
  readonly url: string;
  /** Requests that it could not read, in words. */
  readonly problems: readonly string[];
  /** Everything that has arrived so far; an indexer that has ended has sent everything. */
  traces(): TraceModel;
  close(): Promise<void>;
}

/** Listens on a free port for traces over OTLP/HTTP, in protobuf or JSON. */
export async function startTraceReceiver(): Promise<TraceReceiver> {
  const spans: TraceSpan[] = [];
  const problems: string[] = [];
  const server = createServer((request, response) => {
    receive(request, response).then(
      (received) => spans.push(...received),
      (error: unknown) => {
        problems.push(error instanceof Error ? error.message : String(error));
        response.writeHead(400).end();
      },
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    problems,
    traces: () => new TraceModel([...spans]),
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function receive(request: IncomingMessage, response: ServerResponse): Promise<readonly TraceSpan[]> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const sent = Buffer.concat(chunks);
  if (request.method !== "POST" || request.url !== "/v1/traces") {
    throw new Error(`${request.method} ${request.url} is no export of traces`);
  }
  const body = request.headers["content-encoding"] === "gzip" ? gunzipSync(sent) : sent;
  const type = request.headers["content-type"] ?? "";
  const isJson = type.startsWith("application/json");
  const spans = spansOf(isJson ? (JSON.parse(body.toString()) as OtlpRequest) : requestOfProtobuf(body));
  // An empty message, in either form.
  response.writeHead(200, { "content-type": isJson ? "application/json" : "application/x-protobuf" });
  response.end(isJson ? "{}" : "");
  return spans;
}
