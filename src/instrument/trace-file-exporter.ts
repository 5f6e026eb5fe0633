import { type FileHandle, open } from "node:fs/promises";
import { JsonTraceSerializer } from "@opentelemetry/otlp-transformer";
import type { ReadableSpan, SpanExporter } from "@opentelemetry/sdk-trace";

type ExportDone = Parameters<SpanExporter["export"]>[1];

const LINE_END = Buffer.from("\n");

/** Appends spans to a file: one OTLP/JSON request a line, as collectors write and read it. */
export class TraceFileExporter implements SpanExporter {
  readonly #file: FileHandle;
  /** Writes follow each other, so that lines stay whole. */
  #written: Promise<void> = Promise.resolve();

  private constructor(file: FileHandle) {
    this.#file = file;
  }

  static async open(path: string): Promise<TraceFileExporter> {
    return new TraceFileExporter(await open(path, "a"));
  }

  export(spans: ReadableSpan[], done: ExportDone): void {
    const line = JsonTraceSerializer.serializeRequest(spans);
    if (line === undefined) {
      done({ code: 0 });
      return;
    }
    this.#written = this.#written
      .then(() => this.#file.appendFile(Buffer.concat([line, LINE_END])))
      .then(
        () => done({ code: 0 }),
        (error: unknown) => done({ code: 1, error: error instanceof Error ? error : new Error(String(error)) }),
      );
  }

  forceFlush(): Promise<void> {
    return this.#written;
  }

  async shutdown(): Promise<void> {
    await this.#written;
    await this.#file.close();
  }
}
