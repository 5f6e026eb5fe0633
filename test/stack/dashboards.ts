import { globSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";

const ROOT = join(import.meta.dirname, "../..");

/** Every query of the rendered dashboards, as Grafana would send it with everything chosen. */
export async function dashboardQueries(): Promise<{ readonly place: string; readonly expr: string }[]> {
  const files = globSync("dashboards/rendered/*.json", { cwd: ROOT });
  const found: { place: string; expr: string }[] = [];
  for (const file of files) {
    const dashboard = JSON.parse(await readFile(join(ROOT, file), "utf8")) as {
      readonly panels: readonly { readonly title: string; readonly targets?: readonly { readonly expr: string }[] }[];
      readonly annotations: { readonly list: readonly { readonly name: string; readonly expr: string }[] };
    };
    for (const { title, targets = [] } of dashboard.panels)
      for (const { expr } of targets) found.push({ place: `${file}, ${title}`, expr: withVariables(expr) });
    for (const { name, expr } of dashboard.annotations.list)
      found.push({ place: `${file}, annotation ${name}`, expr: withVariables(expr) });
  }
  return found;
}

function withVariables(expr: string): string {
  const values: Readonly<Record<string, string>> = { __rate_interval: "30s", __interval: "30s" };
  return expr.replaceAll(/\$\{?(\w+)\}?/g, (_, name: string) => values[name] ?? ".*");
}
