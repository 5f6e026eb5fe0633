/** Renders the dashboards to the JSON that Grafana reads. */
import { renderDashboard } from "../dashboards/grafana.ts";
import { overview } from "../dashboards/overview.ts";
import { writeGenerated } from "./generated.ts";

const dashboards = { overview };

writeGenerated(
  Object.fromEntries(
    Object.entries(dashboards).map(([name, dashboard]) => [
      `dashboards/rendered/${name}.json`,
      `${JSON.stringify(renderDashboard(dashboard), null, 2)}\n`,
    ]),
  ),
);
