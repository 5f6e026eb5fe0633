import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { styleText } from "node:util";
import { Command, InvalidArgumentError } from "commander";
import { messageOf, SpindexError } from "../errors.ts";
import type { Style } from "../instrument/recorded/picture-text.ts";
import { type Recording, readRecording } from "../instrument/recorded/recording.ts";
import { recordingText } from "../instrument/recorded/recording-text.ts";
import type { TraceSelection } from "../instrument/recorded/select-traces.ts";
import { isDumpName } from "../instrument/recorder/dump-file.ts";

/** `spindex trace show <file>`: traces that were written down, in the terminal. */
export function traceCommand(): Command {
  const show = new Command("show")
    .description("show traces of a dump or trace file as waterfalls, with what they link to")
    .argument("<file>", "a dump, the folder of dumps (the newest is taken), or a file written with --trace-file")
    .option("--trace <id>", "the trace of this id, or of ids that begin so", traceIdOf)
    .option("--batch <number>", "the trace of this batch", numberOf)
    .option("--slowest <count>", "the longest traces, longest first", numberOf)
    .addHelpText(
      "after",
      `
Without a choice it shows three traces: what failed first, then the slowest.

Examples:
  kill -USR1 $(pgrep -f "spindex start")     write a dump, and go on
  spindex trace show .spindex/dumps          what has just happened
  spindex trace show traces.jsonl --batch 12`,
    )
    .action(async (path: string, selection: TraceSelection) => {
      const file = await fileOf(path);
      const recording = await recordingOf(file);
      const text = recordingText(recording, selection, { width: process.stdout.columns, style });
      if (text === undefined) throw unknown(file, selection, recording);
      process.stdout.write(`${text}\n`);
    });
  return new Command("trace").description("look at traces without a tracing server").addCommand(show);
}

const LOOKS = { title: "bold", error: "red", open: "yellow", dim: "dim", bar: "cyan" } as const;

/** Colours on a terminal that shows them (`NO_COLOR` is heeded), else the text alone. */
const style: Style = (look, text) => styleText(LOOKS[look], text, { stream: process.stdout });

async function recordingOf(file: string): Promise<Recording> {
  const text = await readFile(file, "utf8").catch((error: unknown) => {
    throw unreadable(`${file}: ${messageOf(error)}`);
  });
  const recording = readRecording(text);
  if (typeof recording === "string") throw unreadable(`${file}: ${recording}`);
  return recording;
}

/** In a folder, the newest dump. */
async function fileOf(path: string): Promise<string> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) throw unreadable(`there is no file ${path}`);
  if (!found.isDirectory()) return path;
  const newest = (await readdir(path)).filter(isDumpName).sort().at(-1);
  if (newest === undefined) throw unreadable(`there is no dump in the folder ${path}`);
  return join(path, newest);
}

function unreadable(message: string): SpindexError {
  return new SpindexError("TRACE_FILE_INVALID", message, {
    fix: "Name a dump of the flight recorder (.spindex/dumps), or a file that was written with --trace-file.",
  });
}

function unknown(file: string, { trace, batch }: TraceSelection, { model }: Recording): SpindexError {
  const wanted = trace === undefined ? `batch ${batch}` : `trace ${trace}`;
  const numbers = model.batches().map(({ attributes }) => Number(attributes["spindex.batch.id"]));
  const known = numbers.length === 0 ? "no batches" : `batches ${Math.min(...numbers)} to ${Math.max(...numbers)}`;
  return new SpindexError("TRACE_UNKNOWN", `${file}: there is no ${wanted} among its ${model.spans.length} spans`, {
    fix: `The file has ${known}. Leave out --trace and --batch to see what there is.`,
  });
}

function numberOf(text: string): number {
  const number = Number(text);
  if (Number.isInteger(number) && number >= 0 && text.trim() !== "") return number;
  throw new InvalidArgumentError("a whole number is needed.");
}

function traceIdOf(text: string): string {
  if (/^[0-9a-f]{1,32}$/i.test(text)) return text;
  throw new InvalidArgumentError("a trace id has up to 32 hexadecimal digits.");
}
