import { ProtobufTraceSerializer } from "@opentelemetry/otlp-transformer";
import type { ReadableSpan } from "@opentelemetry/sdk-trace";
import { type Dispatcher, Pool } from "undici";
import { messageOf } from "../../errors.ts";
import { redact } from "../redact.ts";
import type { Delivery, SpanSink } from "./span-sink.ts";

export interface OtlpSinkOptions {
  /** Base address of a collector: `/v1/traces` is added. */
  readonly endpoint: string;
  readonly headers: Readonly<Record<string, string>>;
}

const CONNECT_MS = 5_000;
/** A collector answers with a few bytes. More than this is not read: it is no collector. */
const MAX_ANSWER_BYTES = 64 * 1024;
/** Answers that ask to send the same again, by the OTLP specification. */
const COME_AGAIN: ReadonlySet<number> = new Set([429, 502, 503, 504]);

/**
 * Sends spans by OTLP over HTTP and protobuf. It sends each request once, and says what is known of it: when to try
 * again, and for how long, is the queue's to decide. (ADR 10: the library's exporter retries by itself for ten seconds,
 * also at the end of the process, waits for ever on an answer that drips, and counts what was rejected as delivered.)
 */
export class OtlpSink implements SpanSink {
  readonly #pool: Pool;
  readonly #path: string;
  readonly #headers: Readonly<Record<string, string>>;

  constructor({ endpoint, headers }: OtlpSinkOptions) {
    const url = new URL(`${endpoint.replace(/\/+$/, "")}/v1/traces`);
    // Deadlines are the queue's: it aborts what takes too long.
    const noTimeouts = { headersTimeout: 0, bodyTimeout: 0 };
    this.#pool = new Pool(url.origin, { connections: 1, connect: { timeout: CONNECT_MS }, ...noTimeouts });
    this.#path = url.pathname + url.search;
    this.#headers = { "content-type": "application/x-protobuf", ...credentialsOf(url), ...headers };
  }

  async send(spans: readonly ReadableSpan[], signal: AbortSignal): Promise<Delivery> {
    const body = ProtobufTraceSerializer.serializeRequest([...spans]);
    if (body === undefined) return { kind: "lost", problem: "the spans could not be encoded" };
    let answer: Dispatcher.ResponseData;
    try {
      answer = await this.#pool.request({ method: "POST", path: this.#path, headers: this.#headers, body, signal });
    } catch (error) {
      return { kind: "away", problem: `no connection: ${redact(textOf(error))}` };
    }
    const { statusCode: status } = answer;
    const content = await contentOf(answer).catch(() => "broken" as const);
    if (COME_AGAIN.has(status)) {
      return { kind: "away", problem: `it answered ${status}`, retryAfterMs: retryAfterMs(answer) };
    }
    if (status < 200 || status > 299) {
      return { kind: "lost", problem: `it answered ${status}${typeof content === "string" ? "" : excerptOf(content)}` };
    }
    if (content === "broken") return { kind: "lost", problem: `it answered ${status} and broke off` };
    if (content === "huge") return { kind: "lost", problem: notACollector(status, "a long text") };
    return acknowledged(content, status, spans.length);
  }

  close(): Promise<void> {
    return this.#pool.destroy();
  }
}

/** The library passes them on, so people may have them in their addresses. */
function credentialsOf({ username, password }: URL): Readonly<Record<string, string>> {
  if (username === "") return {};
  const text = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return { authorization: `Basic ${Buffer.from(text).toString("base64")}` };
}

async function contentOf({ body }: Dispatcher.ResponseData): Promise<Buffer | "huge"> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    size += chunk.length;
    // Leaving the loop destroys the body, and with it the connection.
    if (size > MAX_ANSWER_BYTES) return "huge";
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, size);
}

/** The answer of a collector says how many spans it did not take. Some answer protobuf with JSON. */
function acknowledged(content: Buffer, status: number, sent: number): Delivery {
  try {
    const isJson = content[0] === "{".charCodeAt(0);
    const answer: ReturnType<typeof ProtobufTraceSerializer.deserializeResponse> = isJson
      ? JSON.parse(content.toString("utf8"))
      : ProtobufTraceSerializer.deserializeResponse(content);
    const { rejectedSpans = 0, errorMessage = "" } = answer.partialSuccess ?? {};
    const rejected = Number(rejectedSpans);
    if (!(rejected >= 0 && rejected <= sent)) throw new RangeError("an impossible number of rejected spans");
    if (rejected === 0 && errorMessage === "") return { kind: "taken", rejected };
    const problem = `it rejected ${rejected} of ${sent} spans${excerptOf(Buffer.from(String(errorMessage)))}`;
    return { kind: "taken", rejected, problem };
  } catch {
    return { kind: "lost", problem: notACollector(status, "something that is no OTLP answer") };
  }
}

function notACollector(status: number, what: string): string {
  return `it answered ${status} with ${what}: is the address that of a collector?`;
}

/** The readable beginning of an answer. */
function excerptOf(content: Buffer): string {
  const text = redact(
    content
      .subarray(0, 2_000)
      .toString("latin1")
      .replaceAll(/[^\x20-\x7e]+/g, " ")
      .trim(),
  );
  return text === "" ? "" : `: ${text.slice(0, 200)}`;
}

function retryAfterMs({ headers }: Dispatcher.ResponseData): number | undefined {
  const header = headers["retry-after"];
  const seconds = Number(Array.isArray(header) ? header[0] : header);
  return seconds >= 0 ? seconds * 1000 : undefined;
}

/** A name with several addresses fails with all their errors and no message of its own. */
function textOf(error: unknown): string {
  const message = messageOf(error);
  return message === "" && error instanceof AggregateError ? messageOf(error.errors[0]) : message;
}
