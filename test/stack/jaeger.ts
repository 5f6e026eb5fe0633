import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "yaml";
import { messageOf } from "../../src/errors.ts";
import { buildJaeger } from "./jaeger-build.ts";
import { answers, freePorts, NotToBeHad, startProgram } from "./program.ts";

/** A Jaeger 2 that keeps its traces in memory. */
export interface Jaeger {
  /** What was found, for people. */
  readonly choice: string;
  /** Its program, when it is one on this machine. */
  readonly program: string | undefined;
  /** Where spans are sent by OTLP over HTTP. */
  readonly otlpUrl: string;
  /** Where traces are asked for. */
  readonly queryUrl: string;
  stop(): Promise<void>;
}

const IMAGE = "jaegertracing/jaeger:2.14.1";

/**
 * In this order: the program that `JAEGER_BIN` names, one that Go builds, a container.
 * @throws NotToBeHad with what was tried
 */
export async function startJaeger(): Promise<Jaeger> {
  const named = process.env.JAEGER_BIN;
  if (named) return startBinary(named);
  const built = await buildJaeger().catch((error: unknown) => ({ problem: messageOf(error) }));
  if (typeof built === "string") return startBinary(built);
  try {
    return await startContainer();
  } catch (error) {
    const problems = ["JAEGER_BIN is not set", built.problem, `no container: ${messageOf(error).split("\n")[0]}`];
    throw new NotToBeHad(problems.join("; "), { cause: error });
  }
}

async function startBinary(program: string): Promise<Jaeger> {
  const [otlp = 0, query = 0, grpc = 0] = await freePorts(3);
  const folder = await mkdtemp(join(tmpdir(), "spindex-jaeger-"));
  const config = join(folder, "config.yaml");
  await writeFile(config, stringify(configOf({ otlp, query, grpc })));
  const queryUrl = `http://127.0.0.1:${query}`;
  try {
    const running = await startProgram(program, ["--config", config], () => answers(`${queryUrl}/api/services`));
    return {
      choice: program,
      program,
      otlpUrl: `http://127.0.0.1:${otlp}`,
      queryUrl,
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

function configOf(ports: { readonly otlp: number; readonly query: number; readonly grpc: number }): unknown {
  const at = (port: number): { endpoint: string } => ({ endpoint: `127.0.0.1:${port}` });
  return {
    extensions: {
      jaeger_storage: { backends: { memory: { memory: { max_traces: 1_000_000 } } } },
      jaeger_query: { storage: { traces: "memory" }, http: at(ports.query), grpc: at(ports.grpc) },
    },
    receivers: { otlp: { protocols: { http: at(ports.otlp) } } },
    exporters: { jaeger_storage_exporter: { trace_storage: "memory" } },
    service: {
      extensions: ["jaeger_storage", "jaeger_query"],
      pipelines: { traces: { receivers: ["otlp"], exporters: ["jaeger_storage_exporter"] } },
      telemetry: { metrics: { level: "none" } },
    },
  };
}

/** The image runs without a configuration as one process with its storage in memory. */
async function startContainer(): Promise<Jaeger> {
  const { GenericContainer, Wait } = await import("testcontainers");
  const container = await new GenericContainer(IMAGE)
    .withExposedPorts(4318, 16_686)
    .withWaitStrategy(Wait.forListeningPorts())
    .start();
  const url = (port: number): string => `http://${container.getHost()}:${container.getMappedPort(port)}`;
  return {
    choice: `Docker (${IMAGE})`,
    program: undefined,
    otlpUrl: url(4318),
    queryUrl: url(16_686),
    stop: async () => {
      await container.stop();
    },
  };
}
