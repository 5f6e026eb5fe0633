import type { ReadableSpan, SpanExporter } from "@opentelemetry/sdk-trace";
import { messageOf } from "../../errors.ts";

/** What became of the spans of one request. Problems are texts for people, without secrets. */
export type Delivery =
  /** Taken, but for `rejected` of them. */
  | { readonly kind: "taken"; readonly rejected: number; readonly problem?: string | undefined }
  /** Refused, or nobody knows: sent again, they could be stored twice. */
  | { readonly kind: "lost"; readonly problem: string }
  /** Not taken yet: they may be sent again. */
  | { readonly kind: "away"; readonly problem: string; readonly retryAfterMs?: number | undefined };

/** Where spans go: a collector, a file, an exporter of the user's. */
export interface SpanSink {
  /** Never rejects. Gives up when `signal` aborts: what it says then counts no more. */
  send(spans: readonly ReadableSpan[], signal: AbortSignal): Promise<Delivery>;
  close(): Promise<void>;
}

/** An exporter as the library defines them: it says no more than that it failed. */
export function exporterSink(exporter: SpanExporter): SpanSink {
  return {
    send: (spans) =>
      new Promise((resolve) => {
        exporter.export([...spans], ({ code, error }) => {
          const problem = error === undefined ? "the exporter failed" : messageOf(error);
          resolve(code === 0 ? { kind: "taken", rejected: 0 } : { kind: "lost", problem });
        });
      }),
    close: () => exporter.shutdown(),
  };
}
