import type { ChainLabel } from "../../chain/chain-label.ts";
import type { FetchStart, FetchTelemetry, RequestResult, RequestStart, SourceTelemetry } from "../fetch-telemetry.ts";
import { type Instruments, idsOf, Origin } from "../instruments.ts";
import { logEvent } from "../log.ts";
import type { LabelsOf } from "../names.ts";
import { errorTypeOf, isCancellation, type OpenSpan, type TracedSpan } from "../tracing/tracing.ts";
import type { Doing, Unfinished } from "../waiting/unfinished.ts";

type Outcome = LabelsOf<"source_requests_total">["outcome"];

/** One fetch query. */
export class FetchTrace implements FetchTelemetry, Unfinished {
  readonly origin: Origin;
  readonly since: number;
  readonly #instruments: Instruments;
  readonly #chain: ChainLabel;
  readonly #root: OpenSpan<"spindex.fetch">;
  #retries = 0;
  #isEnded = false;

  constructor(instruments: Instruments, start: FetchStart) {
    this.#instruments = instruments;
    this.#chain = start.chain;
    this.since = instruments.clock.now();
    this.#root = instruments.tracing.start("spindex.fetch", {
      parent: undefined,
      startedAt: this.since,
      attributes: {
        "spindex.mode": start.live ? "live" : "backfill",
        "spindex.chain.name": start.chain.name,
        "spindex.chain.id": start.chain.id,
        "spindex.block.from": start.fromBlock,
        "spindex.block.to": start.toBlock,
        "spindex.fetch.addresses": start.addresses,
      },
    });
    this.origin = new Origin(start.fromBlock, this.#root.ref);
    instruments.open.add(this);
  }

  doing(): Doing {
    return { state: "fetch", what: "spindex.fetch", span: this.#root, attributes: chainAttributes(this.#chain) };
  }

  source(sourceName: string): SourceTelemetry {
    const requests = new RequestTelemetry(this.#instruments, this.#chain, sourceName, this.#root);
    return {
      request: (start, run) => requests.request(start, run),
      retrying: (attempt, waitMs, error) => this.retrying(attempt, waitMs, error),
    };
  }

  rangeShrunk(toBlock: number): void {
    const { clock, log } = this.#instruments;
    this.#root.event("range_shrunk", clock.now(), { "spindex.block.to": toBlock });
    logEvent(log, "fetch.range_shrunk", { ...idsOf(this.#root), chain: this.#chain.name, to_block: toBlock });
  }

  retrying(attempt: number, waitMs: number, error: unknown): void {
    const { clock } = this.#instruments;
    this.#retries++;
    const attributes = { "spindex.retry.wait_ms": waitMs, "error.type": errorTypeOf(error) };
    this.#root.event("retry", clock.now(), attributes);
    logRetry(this.#instruments, this.#chain, this.#root, { attempt, waitMs, error });
  }

  done(result: { readonly toBlock: number; readonly logs: number; readonly bytes: number }): void {
    this.#instruments.metrics.add("logs_fetched_total", { chain: this.#chain.name }, result.logs);
    this.#root.set({
      "spindex.block.to": result.toBlock,
      "spindex.fetch.logs": result.logs,
      "spindex.fetch.bytes": result.bytes,
    });
    this.#end("done");
  }

  failed(error: unknown): void {
    const isCancelled = isCancellation(error);
    if (!isCancelled) this.#root.fail(error, this.#instruments.clock.now());
    this.#end(isCancelled ? "cancelled" : "failed");
  }

  abort(): void {
    this.#end("aborted");
  }

  #end(outcome: "done" | "failed" | "cancelled" | "aborted"): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#instruments.open.delete(this);
    this.#root.set({ "spindex.outcome": outcome, "spindex.fetch.retries": this.#retries });
    this.#root.end(this.#instruments.clock.now());
  }
}

/** Requests to one source, as children of `parent` or, without one, each a trace of its own. */
export class RequestTelemetry implements SourceTelemetry {
  readonly #instruments: Instruments;
  readonly #chain: ChainLabel;
  readonly #source: string;
  readonly #parent: TracedSpan | undefined;

  constructor(instruments: Instruments, chain: ChainLabel, source: string, parent: TracedSpan | undefined) {
    this.#instruments = instruments;
    this.#chain = chain;
    this.#source = source;
    this.#parent = parent;
  }

  async request<T>(start: RequestStart, run: () => Promise<{ value: T } & RequestResult>): Promise<T> {
    const { tracing, clock, open } = this.#instruments;
    const startedAt = clock.now();
    const span = tracing.start("{rpc.method}", {
      parent: this.#parent,
      title: start.method,
      startedAt,
      attributes: {
        "rpc.system.name": "jsonrpc",
        "rpc.method": start.method,
        "server.address": start.host,
        "server.port": start.port,
        "spindex.source": this.#source,
        "spindex.request.calls": start.calls,
        ...chainAttributes(this.#chain),
      },
    });
    const request: Unfinished = {
      since: startedAt,
      doing: () => ({ state: "request", what: start.method, span, attributes: chainAttributes(this.#chain) }),
      abort: () => void (open.delete(request) && span.end(clock.now())),
    };
    open.add(request);
    let outcome: Outcome = "error";
    try {
      const { value, responseBytes, errorCode } = await run();
      outcome = errorCode === undefined ? "ok" : "rpc_error";
      const status = errorCode === undefined ? undefined : String(errorCode);
      if (open.has(request)) {
        span.set({ "http.response.body.size": responseBytes, "rpc.response.status_code": status });
      }
      return value;
    } catch (error) {
      if (isCancellation(error)) outcome = "cancelled";
      else if (open.has(request)) span.mark(error);
      throw error;
    } finally {
      const endedAt = clock.now();
      if (open.delete(request)) span.end(endedAt);
      this.#count(start.method, outcome, (endedAt - startedAt) / 1000, span);
    }
  }

  retrying(attempt: number, waitMs: number, error: unknown): void {
    logRetry(this.#instruments, this.#chain, this.#parent, { attempt, waitMs, error });
  }

  #count(method: string, outcome: Outcome, seconds: number, span: OpenSpan<"{rpc.method}">): void {
    const { metrics } = this.#instruments;
    const labels = { chain: this.#chain.name, source: this.#source };
    metrics.add("source_requests_total", { ...labels, method, outcome });
    if (outcome !== "cancelled") metrics.observe("source_request_duration_seconds", labels, seconds, span.ref);
  }
}

function chainAttributes({ name, id }: ChainLabel): { "spindex.chain.name": string; "spindex.chain.id": number } {
  return { "spindex.chain.name": name, "spindex.chain.id": id };
}

function logRetry(
  instruments: Instruments,
  chain: ChainLabel,
  span: TracedSpan | undefined,
  retry: { readonly attempt: number; readonly waitMs: number; readonly error: unknown },
): void {
  logEvent(instruments.log, "fetch.retry", {
    ...(span === undefined ? {} : idsOf(span)),
    chain: chain.name,
    attempt: retry.attempt,
    wait_ms: Math.round(retry.waitMs),
    err: retry.error,
  });
}
