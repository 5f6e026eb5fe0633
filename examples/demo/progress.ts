import { createLogUpdate } from "log-update";

/** What is known of an indexer at a moment: from its `/status`, where it answers. */
export interface Progress {
  /** Seconds since its start. */
  readonly seconds: number;
  readonly events: number;
  /** Since it was looked at before; undefined: it has ended. */
  readonly eventsPerSecond: number | undefined;
  /** Blocks. */
  readonly first: number;
  readonly head: number;
  readonly processed: number;
  /** Durable in PostgreSQL. */
  readonly committed: number;
  /** What the processing and the persistence loop are doing or waiting for. */
  readonly processState: string;
  readonly writeState: string;
}

/** Shows the progress of one indexer after the other: redrawn on a terminal, else a plain line now and then. */
export interface ProgressView {
  show(name: string, progress: Progress): void;
  /** Keeps what was shown last. */
  done(): void;
}

const NAME_WIDTH = 10;
const BAR_WIDTH = 24;
const PLAIN_LINE_SECONDS = 1;

export function createProgressView(stream: NodeJS.WriteStream): ProgressView {
  // A terminal without a height has no room to redraw in.
  if (!stream.isTTY || stream.rows === 0) return plainView((line) => stream.write(`${line}\n`));
  const update = createLogUpdate(stream);
  return {
    show: (name, progress) => update(progressLines(name, progress).join("\n")),
    done: () => update.done(),
  };
}

function plainView(print: (line: string) => void): ProgressView {
  let latest: string | undefined;
  let printedAt = Number.NEGATIVE_INFINITY;
  return {
    show: (name, progress) => {
      latest = progressLines(name, progress)
        .map((line) => line.trim())
        .join("  ");
      if (progress.seconds - printedAt < PLAIN_LINE_SECONDS) return;
      print(latest);
      latest = undefined;
      printedAt = progress.seconds;
    },
    done: () => {
      if (latest !== undefined) print(latest);
      latest = undefined;
      printedAt = Number.NEGATIVE_INFINITY;
    },
  };
}

/** The bar, and below it the two frontiers, and what the two loops do: short enough for any terminal. */
export function progressLines(name: string, progress: Progress): string[] {
  const { first, head, processed, committed } = progress;
  const share = head <= first ? 0 : Math.min(1, Math.max(0, (committed - first) / (head - first)));
  const filled = Math.round(share * BAR_WIDTH);
  const bar = `${"█".repeat(filled)}${"░".repeat(BAR_WIDTH - filled)}`;
  const percent = `${Math.floor(share * 100)} %`.padStart(5);
  const { eventsPerSecond: rate, seconds } = progress;
  const pace = rate === undefined ? `in ${seconds.toFixed(1)} s` : `${count(Math.round(rate))} events/s`;
  const indent = " ".repeat(NAME_WIDTH + 3);
  return [
    `  ${name.padEnd(NAME_WIDTH)} ${bar} ${percent}  ${count(progress.events)} events  ${pace}`,
    `${indent}processed ${count(processed)}  committed ${count(committed)}  lag ${count(Math.max(0, head - committed))} blocks`,
    `${indent}processing loop: ${progress.processState}  persistence loop: ${progress.writeState}`,
  ];
}

/** A number with a comma at each thousand. */
export function count(value: number): string {
  return value.toLocaleString("en");
}
