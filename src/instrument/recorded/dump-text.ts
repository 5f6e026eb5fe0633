import type { ChainStatus, Status } from "../status.ts";
import { firstLine, type Style } from "./picture-text.ts";
import type { Recording } from "./recording.ts";

/** What a dump says of its moment, in a few lines. */
export function dumpText({ dump, model, logs }: Recording, style: Style): string {
  if (dump === undefined) return "";
  const { reason, at, name, version, instance, status, loops } = dump;
  const open = model.spans.filter(({ isOpen }) => isOpen).length;
  const counts = `${model.spans.length} spans, ${open} of them open · log lines: ${logs.length}`;
  const lines = [
    `${style("title", `dump: ${reason}`)} · ${at} · ${name} ${version} at ${instance} · ${counts}`,
    `  processing loop in ${loops.process.state} · write loop in ${loops.write.state}`,
  ];
  return [...lines, ...(status === undefined ? [] : statusLines(status, style))].join("\n");
}

function statusLines({ queue, checkpoints, failure, chains }: Status, style: Style): string[] {
  const { batches } = queue;
  const [changes, limit] = [queue.changes, queue.limits.changes].map((count) => count.toLocaleString("en"));
  const frontiers = `processed checkpoint ${checkpoints.processed}, durable ${checkpoints.committed}`;
  const failed = failure === undefined ? [] : [`  ${style("error", failure.code)} ${firstLine(failure.message)}`];
  return [
    `  ${batches} ${batches === 1 ? "batch" : "batches"} queued · ${changes} of ${limit} changes uncommitted · ${frontiers}`,
    ...chains.map(chainLine),
    ...failed,
  ];
}

function chainLine({ name, live, head, fetched, processed, committed }: ChainStatus): string {
  const block = (words: string, number: number | undefined): string => `${words} ${number ?? "–"}`;
  const blocks = [
    block("head", head),
    block("fetched", fetched),
    block("processed", processed),
    block("durable", committed),
  ];
  return `  ${name}, ${live ? "live" : "backfill"}: ${blocks.join(" · ")}`;
}

/** The log lines of these traces, oldest first. */
export function logText({ logs }: Recording, traceIds: ReadonlySet<string>, style: Style): string {
  const lines = logs.filter(({ trace_id: id }) => typeof id === "string" && traceIds.has(id));
  return lines.map((line) => logLine(line, style)).join("\n");
}

function logLine({ time, level, event, msg, err, ...fields }: Recording["logs"][number], style: Style): string {
  const shown = Object.entries(fields)
    .filter(([name]) => name !== "trace_id" && name !== "span_id")
    .map(([name, value]) => `${name}=${typeof value === "object" ? JSON.stringify(value) : String(value)}`);
  const message = typeof err === "object" && err !== null && "message" in err ? [`· ${String(err.message)}`] : [];
  const look = level === "error" || level === "fatal" ? "error" : "dim";
  const words = [String(time).slice(11, 23), style(look, String(level)), event, msg, ...shown, ...message];
  return `  ${firstLine(words.join(" "))}`;
}
