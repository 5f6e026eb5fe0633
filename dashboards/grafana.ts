/** The part of Grafana's dashboard model that we use, as plain objects, and what all our dashboards share. */

/** A query of a panel. */
export interface Target {
  readonly expr: string;
  readonly legend: string;
  /** Ask for exemplars too: points that lead to a trace. */
  readonly exemplars?: boolean;
}

export interface Panel {
  readonly title: string;
  readonly type: "stat" | "timeseries" | "state-timeline";
  /** What the panel shows, and what a bad value means. */
  readonly description: string;
  /** Grafana's name of the unit. */
  readonly unit: string;
  readonly targets: readonly Target[];
  /** Of 24 columns. */
  readonly width: number;
  readonly height: number;
  readonly stacked?: boolean;
  /** From these values on the panel is orange, and red. */
  readonly warnAt?: number;
  readonly badAt?: number;
  readonly max?: number;
  /** Names for values, e.g. of a gauge that is 0 or 1. */
  readonly valueNames?: Readonly<Record<string, string>>;
  /** Name of the spans that explain this panel: its link to traces. */
  readonly spans: string;
}

export interface Dashboard {
  readonly uid: string;
  readonly title: string;
  readonly description: string;
  readonly panels: readonly Panel[];
}

const DATASOURCE = { type: "prometheus", uid: "${datasource}" } as const;
const ALERTS_QUERY = 'ALERTS{alertstate="firing",alertname!="Watchdog",job=~"$job"}';
const STARTS_QUERY = 'changes(spindex_start_time_seconds{job=~"$job",instance=~"$instance"}[$__interval]) > 0';

/** The JSON that Grafana reads. */
export function renderDashboard(dashboard: Dashboard): unknown {
  return {
    uid: dashboard.uid,
    title: dashboard.title,
    description: dashboard.description,
    tags: ["spindex"],
    schemaVersion: 41,
    editable: false,
    // One crosshair for all panels: what happened at the same time is read off at once.
    graphTooltip: 1,
    refresh: "10s",
    time: { from: "now-30m", to: "now" },
    annotations: { list: [annotation("Starts", STARTS_QUERY, "blue"), annotation("Alerts", ALERTS_QUERY, "red")] },
    templating: { list: VARIABLES },
    panels: placed(dashboard.panels),
  };
}

function annotation(name: string, expr: string, iconColor: string): unknown {
  return {
    name,
    enable: true,
    iconColor,
    datasource: DATASOURCE,
    expr,
    titleFormat: name,
    textFormat: "{{alertname}}",
  };
}

const VARIABLES: readonly unknown[] = [
  { name: "datasource", label: "Prometheus", type: "datasource", query: "prometheus" },
  variable("job", "Job", "label_values(spindex_build_info, job)"),
  variable("instance", "Instance", 'label_values(spindex_build_info{job=~"$job"}, instance)'),
  variable("indexer", "Indexer", 'label_values(spindex_build_info{job=~"$job",instance=~"$instance"}, indexer)'),
  variable("chain", "Chain", 'label_values(spindex_head_block{job=~"$job",instance=~"$instance"}, chain)'),
];

function variable(name: string, label: string, query: string): unknown {
  // An indexer is the service in Jaeger, which can search for one at a time.
  const many = name !== "indexer";
  const all = { includeAll: true, multi: true, allValue: ".*", current: { text: "All", value: "$__all" } };
  return { name, label, type: "query", datasource: DATASOURCE, query, refresh: 2, sort: 1, ...(many ? all : {}) };
}

/** Panels from left to right, and down when a row is full. */
function placed(panels: readonly Panel[]): unknown[] {
  let x = 0;
  let y = 0;
  let rowHeight = 0;
  return panels.map((panel, index) => {
    if (x + panel.width > 24) {
      x = 0;
      y += rowHeight;
      rowHeight = 0;
    }
    const gridPos = { x, y, w: panel.width, h: panel.height };
    x += panel.width;
    rowHeight = Math.max(rowHeight, panel.height);
    return renderPanel(panel, index + 1, gridPos);
  });
}

function renderPanel(panel: Panel, id: number, gridPos: unknown): unknown {
  return {
    id,
    title: panel.title,
    type: panel.type,
    description: panel.description,
    datasource: DATASOURCE,
    gridPos,
    links: [{ title: `Traces: ${panel.spans}`, url: traceSearch(panel.spans), targetBlank: true }],
    targets: panel.targets.map((target, index) => ({
      refId: String.fromCharCode(65 + index),
      datasource: DATASOURCE,
      expr: target.expr,
      legendFormat: target.legend,
      ...(target.exemplars ? { exemplar: true } : {}),
    })),
    fieldConfig: { defaults: fieldDefaults(panel), overrides: [] },
    options: optionsOf(panel),
  };
}

function fieldDefaults(panel: Panel): unknown {
  const steps: { color: string; value: number | null }[] = [{ color: "green", value: null }];
  if (panel.warnAt !== undefined) steps.push({ color: "orange", value: panel.warnAt });
  if (panel.badAt !== undefined) steps.push({ color: "red", value: panel.badAt });
  const names = Object.entries(panel.valueNames ?? {}).map(([value, text]) => [value, { text }]);
  return {
    unit: panel.unit,
    min: 0,
    ...(panel.max === undefined ? {} : { max: panel.max }),
    thresholds: { mode: "absolute", steps },
    ...(names.length > 0 ? { mappings: [{ type: "value", options: Object.fromEntries(names) }] } : {}),
    ...(panel.type === "timeseries"
      ? { custom: { fillOpacity: panel.stacked ? 60 : 8, stacking: { mode: panel.stacked ? "normal" : "none" } } }
      : {}),
  };
}

function optionsOf(panel: Panel): unknown {
  if (panel.type === "stat")
    return { colorMode: "value", graphMode: "area", reduceOptions: { calcs: ["lastNotNull"] } };
  if (panel.type === "state-timeline") return { mergeValues: true, showValue: "auto" };
  return { legend: { displayMode: "list", placement: "bottom" }, tooltip: { mode: "multi", sort: "desc" } };
}

/** Grafana's explore page, with the spans of this name and indexer in the dashboard's time range. */
function traceSearch(operation: string): string {
  const query = { refId: "A", queryType: "search", service: "${indexer}", operation };
  const panes = { a: { datasource: "jaeger", queries: [query], range: { from: "${__from}", to: "${__to}" } } };
  // Grafana replaces `${…}` in links, so these must stay as they are.
  const text = encodeURIComponent(JSON.stringify(panes)).replaceAll(/%24%7B(\w+)%7D/g, "$${$1}");
  return `/explore?schemaVersion=1&panes=${text}`;
}
