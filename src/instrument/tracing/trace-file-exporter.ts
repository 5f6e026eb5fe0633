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

  /** @throws the system's error when the file cannot be written */
  static async open(path: string): Promise<TraceFileExporter> {
    const file = await open(path, "a+");
    // A process that was killed may have left half a line: what we write must not become a part of it.
    const { size } = await file.stat();
    if (size > 0) {
      const { buffer } = await file.read(Buffer.alloc(1), 0, 1, size - 1);
      if (!buffer.equals(LINE_END)) await file.appendFile(LINE_END);
    }
    return new TraceFileExporter(file);
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
