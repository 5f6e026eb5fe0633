import { parser } from "@prometheus-io/lezer-promql";
import contract from "../../telemetry/contract.json" with { type: "json" };

/** Labels that every series of ours carries: our own, and those that a scrape adds. */
const COMMON_LABELS = [...contract.commonLabels, "job", "instance"];
/** Series that others make. */
const FOREIGN_SERIES = new Map([
  ["up", ["job", "instance"]],
  ["ALERTS", ["alertname", "alertstate", "severity", ...COMMON_LABELS]],
]);

/** Series name, as a scrape gives it → its labels; made from the telemetry contract. */
const SERIES: ReadonlyMap<string, readonly string[]> = new Map(
  contract.metrics.flatMap(({ name, type, labels }) =>
    seriesOf(name, type, [...Object.keys(labels), ...COMMON_LABELS]),
  ),
);

function seriesOf(name: string, type: string, labels: string[]): [string, string[]][] {
  const sums: [string, string[]][] = [
    [`${name}_sum`, labels],
    [`${name}_count`, labels],
  ];
  if (type === "histogram") return [[`${name}_bucket`, [...labels, "le"]], ...sums];
  return type === "summary" ? sums : [[name, labels]];
}

/** What is wrong with a query: it does not parse, or asks for a series or a label that does not exist. */
export function problemsOf(query: string, recorded: readonly string[] = []): string[] {
  // Grafana's variables stand where PromQL wants a duration or a text.
  const text = query.replaceAll("$__rate_interval", "1m").replaceAll("$__interval", "1m");
  const problems: string[] = [];
  const names = new Set<string>();
  const labels = new Set<string>();
  parser.parse(text).iterate({
    enter(node) {
      const piece = text.slice(node.from, node.to);
      if (node.type.isError) problems.push(`does not parse at ${node.from}: ${query}`);
      else if (node.name === "LabelName") labels.add(piece);
      else if (node.name === "Identifier" && node.node.parent?.name === "VectorSelector") names.add(piece);
    },
  });
  const allowed = new Set<string>();
  for (const name of names) {
    const known = SERIES.get(name) ?? FOREIGN_SERIES.get(name);
    for (const label of known ?? COMMON_LABELS) allowed.add(label);
    if (known === undefined && !recorded.includes(name)) problems.push(`unknown series ${name}`);
  }
  if ([...names].some((name) => !recorded.includes(name))) {
    for (const label of labels) if (!allowed.has(label)) problems.push(`unknown label ${label}`);
  }
  return problems;
}
