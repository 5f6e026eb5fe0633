/** A scraped page. */
export interface Exposition {
  readonly contentType: string;
  readonly body: string;
}

export interface Sample {
  /** The family's name when left out. */
  readonly metricName?: string | undefined;
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
  readonly exemplar?: Exemplar | null | undefined;
}

interface Exemplar {
  readonly labelSet: Readonly<Record<string, string>>;
  readonly value: number;
  /** Unix seconds. */
  readonly timestamp: number;
}

/** A metric with its samples, as `Registry.getMetricsAsJSON` gives it. */
export interface Family {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly values: readonly Sample[];
}

/** Whether OpenMetrics is what the client's `Accept` header likes best: then, and only then, exemplars can be told. */
export function wantsOpenMetrics(accept: string): boolean {
  const open = qualityOf(accept, "application/openmetrics-text");
  return open > 0 && open >= qualityOf(accept, "text/plain");
}

/** The highest `q` that the header gives a media type: 1 when it says none, 0 when it does not name the type. */
function qualityOf(accept: string, type: string): number {
  let best = 0;
  for (const range of accept.toLowerCase().split(",")) {
    const [name, ...parameters] = range.split(";").map((part) => part.trim());
    if (name !== type) continue;
    const q = parameters.find((parameter) => parameter.startsWith("q="));
    best = Math.max(best, q === undefined ? 1 : Number(q.slice(2)) || 0);
  }
  return best;
}

/*
 * The library can write both formats too, but its choice is a state of the registry, and writing OpenMetrics renames
 * the counters for good.
 */

/** The classic text format: no exemplars. */
export function renderClassic(families: readonly Family[]): Exposition {
  const lines: string[] = [];
  for (const { name, help, type, values } of families) {
    lines.push(`# HELP ${name} ${escapeHelp(help)}`, `# TYPE ${name} ${type}`);
    for (const sample of values) lines.push(lineOf(sample.metricName ?? name, sample));
  }
  return { contentType: "text/plain; version=0.0.4; charset=utf-8", body: `${lines.join("\n")}\n` };
}

/** OpenMetrics: exemplars, and counters named without their suffix in the metadata. */
export function renderOpenMetrics(families: readonly Family[]): Exposition {
  const lines: string[] = [];
  for (const { name, help, type, values } of families) {
    const isCounter = type === "counter";
    const family = isCounter ? name.replace(/_total$/, "") : name;
    lines.push(`# HELP ${family} ${escapeHelp(help).replaceAll('"', '\\"')}`, `# TYPE ${family} ${type}`);
    for (const sample of values) {
      const line = lineOf(isCounter ? `${family}_total` : (sample.metricName ?? name), sample);
      lines.push(sample.exemplar ? line + exemplarOf(sample.exemplar) : line);
    }
  }
  lines.push("# EOF");
  return { contentType: "application/openmetrics-text; version=1.0.0; charset=utf-8", body: `${lines.join("\n")}\n` };
}

function lineOf(name: string, sample: Sample): string {
  return `${name}${labelsOf(sample.labels)} ${numberOf(sample.value)}`;
}

function exemplarOf({ labelSet, value, timestamp }: Exemplar): string {
  return ` # ${labelsOf(labelSet)} ${numberOf(value)} ${timestamp}`;
}

function labelsOf(labels: Sample["labels"]): string {
  const parts = Object.entries(labels).map(([name, value]) => `${name}="${escapeValue(String(value))}"`);
  return parts.length === 0 ? "" : `{${parts.join(",")}}`;
}

function numberOf(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return "+Inf";
  if (value === Number.NEGATIVE_INFINITY) return "-Inf";
  return Number.isNaN(value) ? "NaN" : String(value);
}

function escapeHelp(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
}

function escapeValue(text: string): string {
  return escapeHelp(text).replaceAll('"', '\\"');
}
