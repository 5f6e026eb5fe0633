import { type Dispatcher, Pool } from "undici";
import type { Clock } from "../lib/clock.ts";
import type { Endpoint } from "./endpoint.ts";
import { RequestFailure } from "./request-failure.ts";

export interface TransportOptions {
  readonly endpoint: Endpoint;
  /** Longest silence before and within an answer, and about the longest whole request. */
  readonly timeoutMs: number;
  readonly connections: number;
  /** An answer beyond this is not read to its end. Bytes. */
  readonly maxAnswerBytes: number;
  readonly clock: Pick<Clock, "now">;
}

export interface HttpAnswer {
  readonly status: number;
  readonly body: Buffer;
  /** The header as it came. */
  readonly retryAfter: string | undefined;
  /** The first 80 characters of the body, to be shown. */
  excerpt(): string;
}

/** HTTP POSTs to one endpoint over kept-alive connections. */
export interface Transport {
  /**
   * Any answer with a status resolves; its body is read whole.
   * @throws RequestFailure unavailable, timeout, too_large
   */
  post(body: string, signal: AbortSignal): Promise<HttpAnswer>;
  /** Ends requests under way; they fail with an error that is not tried again. */
  close(): Promise<void>;
}

export function createTransport(options: TransportOptions): Transport {
  const { endpoint, timeoutMs } = options;
  const pool = new Pool(endpoint.origin, {
    connections: options.connections,
    pipelining: 1,
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
    connect: { timeout: timeoutMs },
    keepAliveTimeout: 30_000,
  });
  return {
    async post(body, signal) {
      const startedAt = options.clock.now();
      try {
        const { path, headers } = endpoint;
        const response = await pool.request({ method: "POST", path, headers, body, signal });
        const deadline = startedAt + timeoutMs;
        const bytes = await readBody(response, options, deadline);
        return {
          status: response.statusCode,
          body: bytes,
          retryAfter: textOf(response.headers["retry-after"]),
          excerpt: () => endpoint.quote(bytes.subarray(0, 16 * 1024).toString("utf8"), 80),
        };
      } catch (error) {
        signal.throwIfAborted();
        if (error instanceof RequestFailure) throw error;
        if (pool.destroyed) throw new Error(`the source ${endpoint.label} was closed`, { cause: error });
        throw failureOf(error, endpoint, timeoutMs);
      }
    },
    close: () => pool.destroy(),
  };
}

async function readBody(
  response: Dispatcher.ResponseData,
  options: TransportOptions,
  deadline: number,
): Promise<Buffer> {
  // With a length declared, the pieces go where they belong as they come; the client holds the node to its word.
  const whole = declaredBuffer(response, options);
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response.body as AsyncIterable<Buffer>) {
    if (whole === undefined) chunks.push(chunk);
    else chunk.copy(whole, size);
    size += chunk.length;
    // Leaving the loop by an error destroys the body, and with it the connection.
    if (size > options.maxAnswerBytes) {
      throw new RequestFailure("too_large", `its answer is larger than ${options.maxAnswerBytes} bytes`);
    }
    // The client's own limits are on silence; a node that drips bytes is stopped here.
    if (options.clock.now() > deadline) {
      throw new RequestFailure("timeout", `its answer was not complete after ${options.timeoutMs} ms`);
    }
  }
  if (whole !== undefined) return whole.subarray(0, size);
  return chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks, size);
}

function declaredBuffer(response: Dispatcher.ResponseData, options: TransportOptions): Buffer | undefined {
  const declared = Number(textOf(response.headers["content-length"]) ?? Number.NaN);
  const isFit = Number.isSafeInteger(declared) && declared > 0 && declared <= options.maxAnswerBytes;
  return isFit ? Buffer.allocUnsafeSlow(declared) : undefined;
}

const TIMEOUTS: ReadonlySet<string> = new Set([
  "UND_ERR_HEADERS_TIMEOUT",
  "UND_ERR_BODY_TIMEOUT",
  "UND_ERR_CONNECT_TIMEOUT",
  "ETIMEDOUT",
]);

function failureOf(error: unknown, endpoint: Endpoint, timeoutMs: number): RequestFailure {
  const code = codeOf(error);
  if (code !== undefined && TIMEOUTS.has(code)) {
    return new RequestFailure("timeout", `it did not answer within ${timeoutMs} ms (${code})`, { cause: error });
  }
  const text = error instanceof Error && error.message !== "" ? error.message : String(code ?? error);
  return new RequestFailure("unavailable", `no connection (${endpoint.quote(text)})`, { cause: error });
}

/** The code of the error, or of the first one inside it: a name with several addresses fails with all of them. */
function codeOf(error: unknown): string | undefined {
  if (typeof error !== "object" || error === null) return undefined;
  if ("code" in error && typeof error.code === "string") return error.code;
  return error instanceof AggregateError ? codeOf(error.errors[0]) : undefined;
}

function textOf(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header[0] : header;
}
