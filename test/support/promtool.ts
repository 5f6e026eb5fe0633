import { spawnSync } from "node:child_process";

const PROMTOOL = process.env.PROMTOOL_BIN ?? "promtool";

/** The tool that comes with Prometheus is there: `PROMTOOL_BIN`, or in `PATH`. */
export const hasPromtool: boolean = spawnSync(PROMTOOL, ["--version"]).status === 0;

/** Runs it; the lines that it complains in, none when all is well. */
export function promtoolComplaints(args: readonly string[], input = ""): string[] {
  const { status, stdout, stderr } = spawnSync(PROMTOOL, args, { input, encoding: "utf8" });
  return status === 0 ? [] : `${stdout}\n${stderr}`.split("\n").filter((line) => line.trim() !== "");
}
