export interface ParsedSample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
  /** Undefined: none. */
  readonly exemplar: { readonly labels: Readonly<Record<string, string>>; readonly value: number } | undefined;
}

export interface ParsedFamily {
  readonly name: string;
  readonly type: string;
  readonly help: string;
  readonly samples: readonly ParsedSample[];
}

const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*/;
const NUMBER = /^(?:[+-]Inf|NaN|[+-]?\d+(?:\.\d+)?(?:e[+-]?\d+)?)(?= |$)/;
/** What a family's samples may be called. */
const SUFFIXES: Readonly<Record<string, readonly string[]>> = {
  counter: ["_total"],
  gauge: [""],
  histogram: ["_bucket", "_sum", "_count"],
  summary: ["", "_sum", "_count"],
};

/**
 * Parses a page as strictly as the formats are written down, and stricter than most scrapers: metadata before samples,
 * families in one piece, no series twice, cumulative buckets up to `+Inf`, exemplars only where they may be.
 * @throws Error at the first thing that is wrong
 */
export function parseExposition(page: string, format: "classic" | "openmetrics"): ParsedFamily[] {
  const isOpen = format === "openmetrics";
  require(page.endsWith("\n"), "the page does not end with a line feed");
  const lines = page.slice(0, -1).split("\n");
  if (isOpen) require(lines.pop() === "# EOF", "the page does not end with # EOF");
  const families: { name: string; type: string; help: string; samples: ParsedSample[] }[] = [];
  let help: { name: string; text: string } | undefined;
  for (const line of lines) {
    if (line.startsWith("# HELP ")) {
      const [, name = "", text = ""] = /^# HELP (\S+) (.+)$/.exec(line) ?? fail("no help", line);
      require(!/\\(?![\\n"])/.test(text), `a lone backslash in ${line}`);
      if (isOpen) require(!/(?<!\\)"/.test(text), `a bare quote in ${line}`);
      help = { name, text };
    } else if (line.startsWith("# TYPE ")) {
      const [, name = "", type = ""] = /^# TYPE (\S+) (\S+)$/.exec(line) ?? fail("no type", line);
      require(help?.name === name, `# TYPE without its # HELP: ${line}`);
      require(type in SUFFIXES, `an unknown type: ${line}`);
      require(!families.some((family) => family.name === name), `the family ${name} comes twice`);
      require(!isOpen ||
        type !== "counter" ||
        !name.endsWith("_total"), `the family of a counter has a suffix: ${line}`);
      families.push({ name, type, help: help?.text ?? "", samples: [] });
    } else {
      require(!line.startsWith("#"), `a comment: ${line}`);
      const family = families.at(-1) ?? fail("a sample before any family", line);
      const sample = parseSample(line, isOpen);
      const suffixes = isOpen || family.type !== "counter" ? (SUFFIXES[family.type] ?? []) : [""];
      require(suffixes.some((suffix) => sample.name === family.name + suffix), `not of ${family.name}: ${line}`);
      const mayHaveExemplar = family.type === "counter" || sample.name.endsWith("_bucket");
      require(sample.exemplar === undefined || mayHaveExemplar, `an exemplar where none may be: ${line}`);
      family.samples.push(sample);
    }
  }
  for (const family of families) checkFamily(family);
  return families;
}

function parseSample(line: string, isOpen: boolean): ParsedSample {
  const name = NAME.exec(line)?.[0] ?? fail("no name", line);
  const [labels, afterLabels] = parseLabels(line, name.length);
  const [value, afterValue] = parseNumber(line, afterLabels);
  if (afterValue === line.length) return { name, labels, value, exemplar: undefined };
  require(isOpen && line.startsWith(" # {", afterValue), `something behind the value: ${line}`);
  const [exemplarLabels, afterExemplar] = parseLabels(line, afterValue + 3);
  const runes = Object.entries(exemplarLabels).flat().join("").length;
  require(runes <= 128, `an exemplar of ${runes} characters: ${line}`);
  const [exemplarValue, afterExemplarValue] = parseNumber(line, afterExemplar);
  const [, end] = parseNumber(line, afterExemplarValue);
  require(end === line.length, `something behind the exemplar: ${line}`);
  return { name, labels, value, exemplar: { labels: exemplarLabels, value: exemplarValue } };
}

function parseLabels(line: string, from: number): [Record<string, string>, number] {
  const labels: Record<string, string> = {};
  if (line[from] !== "{") return [labels, from];
  const label = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"([,}])/y;
  label.lastIndex = from + 1;
  for (;;) {
    const [, name = "", value = "", next] = label.exec(line) ?? fail("no label", line);
    require(!(name in labels), `the label ${name} comes twice: ${line}`);
    labels[name] = value;
    if (next === "}") return [labels, label.lastIndex];
  }
}

function parseNumber(line: string, from: number): [number, number] {
  require(line[from] === " ", `no space before a number: ${line}`);
  const text = NUMBER.exec(line.slice(from + 1))?.[0] ?? fail("no number", line);
  return [Number(text.replace("Inf", "Infinity")), from + 1 + text.length];
}

function checkFamily({ name, type, samples }: ParsedFamily): void {
  const seen = new Set<string>();
  for (const sample of samples) {
    const series = sample.name + JSON.stringify(Object.entries(sample.labels).sort());
    require(!seen.has(series), `the series ${series} comes twice`);
    seen.add(series);
    if (type === "counter") require(sample.value >= 0, `a counter below 0: ${series}`);
  }
  if (type !== "histogram") return;
  const groups = Map.groupBy(samples, ({ labels: { le: _, ...labels } }) => JSON.stringify(labels));
  for (const [labels, group] of groups) {
    const buckets = group.filter((sample) => sample.name === `${name}_bucket`);
    const bounds = buckets.map(({ labels: { le = "" } }) => Number(le.replace("Inf", "Infinity")));
    require(bounds.every((bound, at) => at === 0 || bound > (bounds[at - 1] as number)), `bounds of ${name}${labels}`);
    require(bounds.at(-1) === Number.POSITIVE_INFINITY, `no +Inf in ${name}${labels}`);
    require(buckets.every(
      ({ value }, at) => at === 0 || value >= (buckets[at - 1] as ParsedSample).value,
    ), `the buckets of ${name}${labels} are not cumulative`);
    const count = group.find((sample) => sample.name === `${name}_count`)?.value;
    require(count === buckets.at(-1)?.value, `the count of ${name}${labels} is not that of +Inf`);
  }
}

function require(condition: boolean, what: string): void {
  if (!condition) throw new Error(what);
}

function fail(what: string, line: string): never {
  throw new Error(`${what}: ${line}`);
}
