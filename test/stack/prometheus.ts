import { mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "yaml";
import { answers, freePorts, inPath, NotToBeHad, startProgram } from "./program.ts";

/** A Prometheus with our alert rules, that keeps exemplars and scrapes whoever is in its list of targets. */
export interface Prometheus {
  /** Its program. */
  readonly program: string;
  readonly url: string;
  /** The list of targets, read again whenever it changes. */
  readonly targetsFile: string;
  stop(): Promise<void>;
}

const SCRAPE_INTERVAL = "500ms";

/**
 * The program that `PROMETHEUS_BIN` names, else the one in `PATH`.
 * @throws NotToBeHad
 */
export async function startPrometheus(ruleFiles: readonly string[]): Promise<Prometheus> {
  const program = process.env.PROMETHEUS_BIN || (await inPath("prometheus"));
  if (program === undefined) {
    throw new NotToBeHad("PROMETHEUS_BIN is not set and there is none in PATH: apt-get install prometheus");
  }
  const [port] = await freePorts(1);
  const folder = await mkdtemp(join(tmpdir(), "spindex-prometheus-"));
  const [config, targetsFile] = [join(folder, "prometheus.yml"), join(folder, "targets.json")];
  await writeFile(targetsFile, "[]");
  await writeFile(
    config,
    stringify({
      global: { scrape_interval: SCRAPE_INTERVAL, evaluation_interval: SCRAPE_INTERVAL },
      rule_files: ruleFiles,
      scrape_configs: [{ job_name: "spindex", file_sd_configs: [{ files: [targetsFile], refresh_interval: "1s" }] }],
    }),
  );
  const url = `http://127.0.0.1:${port}`;
  const args = [
    `--config.file=${config}`,
    `--storage.tsdb.path=${join(folder, "data")}`,
    `--web.listen-address=127.0.0.1:${port}`,
    "--enable-feature=exemplar-storage",
    "--log.level=warn",
  ];
  try {
    const running = await startProgram(program, args, () => answers(`${url}/-/ready`));
    return {
      program,
      url,
      targetsFile,
      stop: async () => {
        await running.stop();
        await rm(folder, { recursive: true, force: true });
      },
    };
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

/** Has it scrape the metrics at these addresses, and nothing else. */
export async function scrapeOnly(targetsFile: string, urls: readonly string[]): Promise<void> {
  // Renamed into place: Prometheus never reads half a list.
  await writeFile(`${targetsFile}.new`, JSON.stringify([{ targets: urls.map((url) => new URL(url).host) }]));
  await rename(`${targetsFile}.new`, targetsFile);
}
