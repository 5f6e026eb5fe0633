/** Writes docs/telemetry.md from the telemetry contract. */
import {
  ATTRIBUTES,
  BUCKETS,
  LOG_EVENTS,
  type LogEventDefinition,
  METRIC_PREFIX,
  METRICS,
  type MetricDefinition,
  SPAN_EVENTS,
  SPANS,
  type SpanDefinition,
} from "../src/instrument/names.ts";
import { writeGenerated } from "./generated.ts";

const spans: Readonly<Record<string, SpanDefinition>> = SPANS;
const metrics: Readonly<Record<string, MetricDefinition>> = METRICS;
const logEvents: Readonly<Record<string, LogEventDefinition>> = LOG_EVENTS;

const cell = (text: string): string => text.replaceAll("|", "\\|");
const row = (...cells: readonly string[]): string => `| ${cells.map(cell).join(" | ")} |`;
const codes = (names: readonly string[]): string => names.map((name) => `\`${name}\``).join(", ");
const table = (head: readonly string[], rows: readonly string[]): string =>
  [row(...head), `|${"---|".repeat(head.length)}`, ...rows].join("\n");

function spanSection([name, span]: [string, SpanDefinition]): string {
  const facts = [
    `- parent: ${span.parent}`,
    ...(span.links === "" ? [] : [`- links: ${span.links}`]),
    ...(span.kind === "client" ? ["- kind: client"] : []),
    `- attributes: ${codes(span.attributes)}`,
    ...(span.events.length === 0 ? [] : [`- events: ${codes(span.events)}`]),
  ];
  return `### \`${name}\`\n\n${span.help}\n\n${facts.join("\n")}\n`;
}

function metricRow([name, metric]: [string, MetricDefinition]): string {
  const labels = Object.entries(metric.labels).map(([label, values]) =>
    values === "*" ? `\`${label}\`` : `\`${label}\` (${values.join(", ")})`,
  );
  const type = `${metric.type}${metric.exemplar === true ? ", exemplars" : ""}`;
  return row(`\`${METRIC_PREFIX}${name}\``, type, metric.unit, labels.join("; "), metric.help);
}

writeGenerated({
  "docs/telemetry.md": `<!-- Written by scripts/generate-telemetry-docs.ts: npm run generate -->
# Telemetry

Names of spans, attributes, metrics and log events are public API. They are declared once, in \`src/instrument/names.ts\`,
from which this page and [contract.json](../telemetry/contract.json) are written; dashboards, alerts and runbooks are
checked against them.

Each loop has traces of its own, and they are joined by links in both directions: a batch links to the fetches that
supplied it and to its drain run; the drain run links back to its batches. The meaning of a link is repeated in
attributes. [The decision](adr/0002-links-not-parents.md) says why.

Spans leave in the background, and a collector that is away, slow or something else altogether costs nothing: indexing goes
on, the newest 16,384 spans wait in memory for it, and the process ends 2 s later at most, at once when the connection is
refused. What became of each span is counted by \`spindex_telemetry_spans_total\`
([the decision](adr/0010-our-own-span-queue.md)).

## Spans

${Object.entries(spans).map(spanSection).join("\n")}
## Attributes

${table(
  ["attribute", "type", "meaning"],
  Object.entries(ATTRIBUTES).map(([name, attribute]) => row(`\`${name}\``, attribute.type, attribute.help)),
)}

## Span events

${table(
  ["event", "attributes", "meaning"],
  Object.entries(SPAN_EVENTS).map(([name, event]) => row(`\`${name}\``, codes(event.attributes), event.help)),
)}

## Metrics

All carry the labels \`indexer\` and \`shard\` too. Those with exemplars lead to a trace from each bucket, when the scraper
asks for the OpenMetrics format.

${table(["metric", "type", "unit", "labels", "meaning"], Object.entries(metrics).map(metricRow))}

Buckets of histograms:

${Object.entries(BUCKETS)
  .map(([name, bounds]) => `- ${name}: ${bounds.join(", ")}`)
  .join("\n")}

## Log events

A line of the log is a JSON object with the code in \`event\`, a constant \`msg\`, and values as fields; where there is a
span, \`trace_id\` and \`span_id\`, and \`trace_flags\` 00 when it is not sampled: then only the
[flight recorder](flight-recorder.md) has it. Of one event at most 100 lines are written in 10 seconds; \`log.limited\` then
says how many were left out. Lines of errors are always written. No line has a secret in it: addresses are reduced to
their origin, and values of secret variables, of addresses and of headers are hidden wherever they stand.

${table(
  ["event", "level", "message", "meaning"],
  Object.entries(logEvents).map(([name, event]) => row(`\`${name}\``, event.level, event.message, event.help)),
)}
`,
});
