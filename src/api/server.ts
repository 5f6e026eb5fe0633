import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { messageOf, SpindexError } from "../errors.ts";
import { type Logger, logEvent } from "../instrument/log.ts";
import type { Status } from "../instrument/status.ts";
import { freshnessOf, livenessOf, type Probe, readinessOf } from "./probes.ts";

export interface ServerOptions {
  readonly host: string;
  readonly port: number;
  readonly status: () => Status;
  /** The metrics page for an `Accept` header. */
  readonly metrics: (accept: string) => Promise<{ readonly contentType: string; readonly body: string }>;
  readonly log: Logger;
  /** Take the next free port when this one is taken. */
  readonly nextFreePort: boolean;
}

export interface RunningServer {
  readonly url: string;
  readonly port: number;
  close(): Promise<void>;
}

interface Reply {
  readonly code: number;
  readonly contentType: string;
  readonly body: string;
}

type Route = (request: IncomingMessage) => Reply | Promise<Reply>;

const JSON_TYPE = "application/json; charset=utf-8";
/** How many ports after the wanted one are tried. */
const PORT_TRIES = 100;

/**
 * Serves metrics, probes and status. Every answer is made from memory: none asks the database, so that they answer
 * while it does not.
 * @throws SpindexError PORT_IN_USE, LISTEN_FAILED
 */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const routes = routesOf(options);
  const server = createServer((request, response) => {
    // What is left to fail is the sending: the client has gone.
    answer(routes, request, response, options.log).catch(() => response.destroy());
  });
  const port = await listen(server, options);
  const host = options.host.includes(":") ? `[${options.host}]` : options.host;
  const url = `http://${host}:${port}`;
  logEvent(options.log, "server.listening", { url });
  return { url, port, close: () => close(server) };
}

function routesOf({ status, metrics }: ServerOptions): ReadonlyMap<string, Route> {
  const livez: Route = () => probeReply(livenessOf(status()));
  return new Map<string, Route>([
    ["/", () => ({ code: 200, contentType: "text/plain; charset=utf-8", body: indexOf(status()) })],
    [
      "/metrics",
      async (request) => {
        const page = await metrics(request.headers.accept ?? "");
        return { code: 200, ...page };
      },
    ],
    ["/livez", livez],
    ["/healthz", livez],
    ["/readyz", () => probeReply(readinessOf(status()))],
    ["/freshz", () => probeReply(freshnessOf(status()))],
    ["/status", () => json(200, status())],
  ]);
}

async function answer(
  routes: ReadonlyMap<string, Route>,
  request: IncomingMessage,
  response: ServerResponse,
  log: Logger,
): Promise<void> {
  const path = (request.url ?? "/").split("?", 1)[0] as string;
  let reply: Reply;
  try {
    reply = await replyTo(routes.get(path), path, request);
  } catch (error) {
    logEvent(log, "server.request_failed", { path, err: error });
    reply = problem(500, "internal", `the answer to ${path} could not be made; the log says why`);
  }
  response.writeHead(reply.code, {
    "content-type": reply.contentType,
    "content-length": Buffer.byteLength(reply.body),
    "cache-control": "no-store",
    ...(reply.code === 405 ? { allow: "GET, HEAD" } : {}),
  });
  response.end(request.method === "HEAD" ? undefined : reply.body);
}

function replyTo(route: Route | undefined, path: string, request: IncomingMessage): Reply | Promise<Reply> {
  if (route === undefined) return problem(404, "not_found", `there is no ${path} here; / lists what there is`);
  if (request.method === "GET" || request.method === "HEAD") return route(request);
  return problem(405, "method_not_allowed", `${path} answers GET and HEAD, not ${request.method}`);
}

function probeReply(probe: Probe): Reply {
  return json(probe.ok ? 200 : 503, probe);
}

function json(code: number, value: unknown): Reply {
  return { code, contentType: JSON_TYPE, body: `${JSON.stringify(value, undefined, 2)}\n` };
}

function problem(status: number, code: string, message: string): Reply {
  return json(status, { error: { code, message } });
}

function indexOf(status: Status): string {
  const lines = [
    `Spindex ${status.version}: ${status.name}`,
    "",
    "/status   what it is doing: frontiers, lag, queue, loops (JSON)",
    "/metrics  Prometheus and OpenMetrics",
    "/livez    503 after a fatal error (also /healthz)",
    "/readyz   503 until the loops run; 200 for a standby, which says so",
    "/freshz   503 while a chain's data is older than its objective, with reasons",
  ];
  return `${lines.join("\n")}\n`;
}

async function listen(server: Server, options: ServerOptions): Promise<number> {
  const { host, port, nextFreePort, log } = options;
  const last = nextFreePort && port !== 0 ? Math.min(65_535, port + PORT_TRIES) : port;
  for (let candidate = port; ; candidate++) {
    try {
      const taken = await listenOn(server, host, candidate);
      if (candidate !== port) logEvent(log, "server.port_taken", { wanted: port, port: taken });
      return taken;
    } catch (error) {
      if (!isPortInUse(error)) throw listenError(host, candidate, error);
      if (candidate >= last) throw portInUse(host, port, error);
    }
  }
}

function listenOn(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      server.off("error", reject);
      resolve((server.address() as AddressInfo).port);
    });
  });
}

function isPortInUse(error: unknown): boolean {
  return error instanceof Error && (error as NodeJS.ErrnoException).code === "EADDRINUSE";
}

function portInUse(host: string, port: number, cause: unknown): SpindexError {
  return new SpindexError("PORT_IN_USE", `port ${port} on ${host} is taken by another process`, {
    fix: `Stop that process, or choose another port: --port ${port + 1}, or --port 0 for any free one.`,
    cause,
    details: { host, port },
  });
}

function listenError(host: string, port: number, cause: unknown): SpindexError {
  return new SpindexError("LISTEN_FAILED", `cannot listen on port ${port} of ${host}: ${messageOf(cause)}`, {
    fix: "Choose another address with --host or another port with --port.",
    cause,
    details: { host, port },
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    // Scrapers keep their connections open; an exit must not wait for them.
    server.closeAllConnections();
  });
}
