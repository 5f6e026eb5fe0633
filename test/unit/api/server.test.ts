import { afterEach, expect, test } from "vitest";
import { type RunningServer, type ServerOptions, startServer } from "../../../src/api/server.ts";
import { createLog } from "../../../src/instrument/log.ts";
import type { Status } from "../../../src/instrument/status.ts";
import { chainStatus, statusOf } from "../../support/statuses.ts";

const running: RunningServer[] = [];
const events: string[] = [];

async function serve(options: Partial<ServerOptions> = {}): Promise<RunningServer> {
  events.length = 0;
  const destination = { write: (line: string) => void events.push(JSON.parse(line).event) };
  const server = await startServer({
    host: "127.0.0.1",
    port: 0,
    status: () => statusOf(),
    metrics: async (accept) => ({ contentType: "text/plain", body: `accept: ${accept}\n` }),
    log: createLog({ level: "debug", format: "json", destination }),
    nextFreePort: false,
    ...options,
  });
  running.push(server);
  return server;
}

afterEach(async () => {
  await Promise.all(running.splice(0).map((server) => server.close()));
});

async function get(server: RunningServer, path: string, init: RequestInit = {}): Promise<[number, unknown]> {
  const response = await fetch(server.url + path, init);
  const isJson = response.headers.get("content-type")?.startsWith("application/json") === true;
  return [response.status, isJson ? await response.json() : await response.text()];
}

test("metrics are given in the format asked for", async () => {
  const server = await serve();
  expect(await get(server, "/metrics?x=1", { headers: { accept: "application/openmetrics-text" } })).toEqual([
    200,
    "accept: application/openmetrics-text\n",
  ]);
});

test("the status is given as it is", async () => {
  const [code, body] = await get(await serve(), "/status");
  expect([code, body]).toEqual([200, JSON.parse(JSON.stringify(statusOf()))]);
});

test.each(["/livez", "/healthz", "/readyz", "/freshz"])("%s answers 200 when all is well", async (path) => {
  expect(await get(await serve(), path)).toEqual([200, { ok: true, reasons: [] }]);
});

test.each([
  [{ holder: "host-a process 7", since: 1_000_000 }, "host-a process 7 since 1970-01-01T00:16:40.000Z"],
  [{ holder: undefined, since: undefined }, "a process that is just starting"],
])("a standby is alive and ready, and says that it waits: %o", async (standby, by) => {
  const server = await serve({ status: () => statusOf({ ready: false, leaseHeld: false, standby, chains: [] }) });
  expect(await get(server, "/livez")).toEqual([200, { ok: true, reasons: [] }]);
  const message = `waiting to take over: the shard is held by ${by}`;
  expect(await get(server, "/readyz")).toEqual([200, { ok: true, reasons: [{ code: "standby", message }] }]);
});

const failure = { code: "WRITE_FAILED", message: "duplicate key" } as const;

test.each<[string, string, Partial<Status>, unknown[]]>([
  ["/livez", "after a fatal error", { failure }, [failure]],
  ["/readyz", "after a fatal error", { failure }, [failure]],
  ["/freshz", "after a fatal error", { failure }, [failure]],
  ["/readyz", "while starting", { ready: false }, [{ code: "starting", message: "start-up is not over" }]],
  [
    "/freshz",
    "when a chain's data is old, is being backfilled, or is not there",
    {
      chains: [
        chainStatus({ name: "fresh" }),
        chainStatus({ name: "old", committedTimestamp: 900 }),
        chainStatus({ name: "new", live: false }),
        chainStatus({ name: "empty", live: false, committedTimestamp: undefined }),
        chainStatus({ name: "done", live: false, committedTimestamp: 1, endBlock: 990 }),
      ],
    },
    [
      {
        code: "stale",
        message: "the newest durable block is older than the objective",
        chain: "old",
        dataAgeSeconds: 100,
        objectiveSeconds: 60,
      },
      {
        code: "backfilling",
        message: "the chain's head is not reached yet",
        chain: "new",
        dataAgeSeconds: 20,
        objectiveSeconds: 60,
      },
      { code: "no_data", message: "no block is durable yet", chain: "empty", objectiveSeconds: 60 },
    ],
  ],
])("%s answers 503 %s", async (path, _when, status, reasons) => {
  const server = await serve({ status: () => statusOf(status) });
  expect(await get(server, path)).toEqual([503, { ok: false, reasons }]);
});

test("a process that is starting or backfilling is alive", async () => {
  const server = await serve({ status: () => statusOf({ ready: false, chains: [chainStatus({ live: false })] }) });
  expect((await get(server, "/livez"))[0]).toBe(200);
});

test("metrics and status go on after a fatal error", async () => {
  const server = await serve({ status: () => statusOf({ failure }) });
  expect((await get(server, "/metrics"))[0]).toBe(200);
  expect((await get(server, "/status"))[0]).toBe(200);
});

test("the index names what there is", async () => {
  const [code, text] = await get(await serve(), "/");
  expect(code).toBe(200);
  for (const path of ["/status", "/metrics", "/livez", "/readyz", "/freshz"]) expect(text).toContain(path);
});

test("HEAD has the headers of GET and no body", async () => {
  const server = await serve();
  const [head, whole] = await Promise.all(["HEAD", "GET"].map((method) => fetch(`${server.url}/status`, { method })));
  expect(head?.status).toBe(200);
  expect(head?.headers.get("content-length")).toBe(whole?.headers.get("content-length"));
  expect(await head?.text()).toBe("");
});

test("what is not there is 404, what is not allowed is 405, what fails is 500", async () => {
  const server = await serve({ metrics: () => Promise.reject(new Error("boom")) });
  expect(await get(server, "/nothing")).toEqual([
    404,
    { error: { code: "not_found", message: "there is no /nothing here; / lists what there is" } },
  ]);
  expect(await get(server, "/status", { method: "POST", body: "x" })).toEqual([
    405,
    { error: { code: "method_not_allowed", message: "/status answers GET and HEAD, not POST" } },
  ]);
  expect(await get(server, "/metrics")).toEqual([
    500,
    { error: { code: "internal", message: "the answer to /metrics could not be made; the log says why" } },
  ]);
  expect(events).toEqual(["server.listening", "server.request_failed"]);
});

test("a taken port is an error that names the fix, or the next free one is used", async () => {
  const first = await serve();
  await expect(serve({ port: first.port })).rejects.toMatchObject({
    code: "PORT_IN_USE",
    message: `port ${first.port} on 127.0.0.1 is taken by another process`,
    fix: `Stop that process, or choose another port: --port ${first.port + 1}, or --port 0 for any free one.`,
  });
  const next = await serve({ port: first.port, nextFreePort: true });
  expect(next.port).toBeGreaterThan(first.port);
  expect(next.url).toBe(`http://127.0.0.1:${next.port}`);
  expect(events).toEqual(["server.port_taken", "server.listening"]);
  expect((await get(next, "/livez"))[0]).toBe(200);
});

test("an address that is not ours is an error too", async () => {
  await expect(serve({ host: "192.0.2.1" })).rejects.toMatchObject({ code: "LISTEN_FAILED" });
});

test("closing does not wait for open connections", async () => {
  const server = await serve();
  await get(server, "/livez", { headers: { connection: "keep-alive" } });
  await server.close();
  await expect(get(server, "/livez")).rejects.toThrow();
});
