import { keepSecret } from "../lib/known-secrets.ts";
import { type EnvSource, lookUp, lookUpSecret } from "./env.ts";
import { parseVariable, type VariableType, type VariableValue } from "./environment-values.ts";
import { Problems } from "./problems.ts";

/** An environment variable of Spindex itself. */
interface Variable {
  readonly variable: string;
  readonly type: VariableType;
  /** For `choice`. */
  readonly choices?: readonly string[];
  /** As it would be written in the environment; undefined: none, and `help` says what then happens. */
  readonly default: string | undefined;
  /** Never printed; may be given by a file, named by `<variable>_FILE`. */
  readonly secret: boolean;
  readonly help: string;
}

/** Every variable of Spindex itself, by the name of its value in `Environment`. Projects name more with `env()`. */
export const ENVIRONMENT = {
  databaseUrl: {
    variable: "DATABASE_URL",
    type: "text",
    default: undefined,
    secret: true,
    help: "Where the rows go: `postgresql://user:password@host:5432/database`. `spindex start` needs it; `spindex dev` starts an embedded database without it.",
  },
  databaseSchema: {
    variable: "DATABASE_SCHEMA",
    type: "schema",
    default: undefined,
    secret: false,
    help: "PostgreSQL schema of the tables; internal ones are in `<schema>_spindex`. Without it: the indexer's name. `--schema` overrides it.",
  },
  host: {
    variable: "SPINDEX_HOST",
    type: "text",
    default: "127.0.0.1",
    secret: false,
    help: "Address that the HTTP server listens on. `--host` overrides it.",
  },
  port: {
    variable: "SPINDEX_PORT",
    type: "port",
    default: "42080",
    secret: false,
    help: "Port of the HTTP server; 0 takes a free one. `--port` overrides it; `spindex dev` takes the next free one.",
  },
  logLevel: {
    variable: "SPINDEX_LOG_LEVEL",
    type: "choice",
    choices: ["trace", "debug", "info", "warn", "error", "fatal", "silent"],
    default: "info",
    secret: false,
    help: "Lowest level of log lines. `--log-level` overrides it.",
  },
  logFormat: {
    variable: "SPINDEX_LOG_FORMAT",
    type: "choice",
    choices: ["json", "pretty"],
    default: undefined,
    secret: false,
    help: "Form of log lines. Without it: pretty on a terminal, JSON otherwise. `--log-format` overrides it.",
  },
  fatalLingerMs: {
    variable: "SPINDEX_FATAL_LINGER",
    type: "duration",
    default: undefined,
    secret: false,
    help: "How long `/metrics` and `/status` stay up after a fatal error, so that it is scraped. Without it: 45s under `spindex start`, 0 with `--once`.",
  },
  startBudgetMs: {
    variable: "SPINDEX_START_BUDGET",
    type: "duration",
    default: undefined,
    secret: false,
    help: "How long an unreachable database or node is tried before the process ends with exit code 75. Without it: 10m under `spindex start`, 10s under `spindex dev`.",
  },
  writeRetryBudgetMs: {
    variable: "SPINDEX_WRITE_RETRY_BUDGET",
    type: "duration",
    default: "10m",
    secret: false,
    help: "How long a failing write is tried again before the process ends with exit code 75.",
  },
  capacityChanges: {
    variable: "SPINDEX_CAPACITY_CHANGES",
    type: "count",
    default: "500000",
    secret: false,
    help: "Uncommitted changes and queued items at which processing waits for the database. [capacity.md](capacity.md) says why so many.",
  },
  capacityBytes: {
    variable: "SPINDEX_CAPACITY_BYTES",
    type: "bytes",
    default: "256MiB",
    secret: false,
    help: "Bytes of uncommitted changes and queued items at which processing waits for the database.",
  },
  cacheBytes: {
    variable: "SPINDEX_CACHE_BUDGET",
    type: "bytes",
    default: "256MiB",
    secret: false,
    help: "Bytes of rows kept in memory for reads. Rows above it are evicted, oldest first, and read again when they are needed.",
  },
  traceFile: {
    variable: "SPINDEX_TRACE_FILE",
    type: "text",
    default: undefined,
    secret: false,
    help: "File to which ended spans are written, one a line. `--trace-file` overrides it.",
  },
  traceRatio: {
    variable: "SPINDEX_TRACE_RATIO",
    type: "ratio",
    default: "1",
    secret: false,
    help: "Share of traces that are sampled, from 0 to 1.",
  },
  flightRecorder: {
    variable: "SPINDEX_FLIGHT_RECORDER",
    type: "choice",
    choices: ["on", "off"],
    default: "on",
    secret: false,
    help: "Keep the last spans and log lines in memory, and write them to a file when something fails or at SIGUSR1 (`spindex trace show` prints it).",
  },
  dumpDirectory: {
    variable: "SPINDEX_DUMP_DIR",
    type: "text",
    default: ".spindex/dumps",
    secret: false,
    help: "Folder of these files, relative to the project's; the last 10 are kept.",
  },
  otlpEndpoint: {
    variable: "OTEL_EXPORTER_OTLP_ENDPOINT",
    type: "url",
    default: undefined,
    secret: false,
    help: "Where spans are sent by OTLP over HTTP, e.g. `http://localhost:4318`. Without it none are sent.",
  },
  otlpHeaders: {
    variable: "OTEL_EXPORTER_OTLP_HEADERS",
    type: "headers",
    default: undefined,
    secret: true,
    help: "Headers of those requests: `name=value,name=value`, values percent-encoded.",
  },
  resourceAttributes: {
    variable: "OTEL_RESOURCE_ATTRIBUTES",
    type: "attributes",
    default: undefined,
    secret: false,
    help: "More attributes of every span, `name=value,name=value`, values percent-encoded: `deployment.environment.name=production`.",
  },
} as const;

type Variables = typeof ENVIRONMENT;

/** The values of `ENVIRONMENT`, checked. Durations in milliseconds, sizes in bytes. */
export type Environment = {
  readonly [Name in keyof Variables]:
    | ValueOf<Variables[Name]>
    | (Variables[Name]["default"] extends string ? never : undefined);
};
type ValueOf<V> = V extends { readonly choices: readonly (infer Choice)[] }
  ? Choice
  : V extends { readonly type: infer Type extends keyof VariableValue }
    ? VariableValue[Type]
    : never;

/**
 * Reads and checks every variable.
 * @throws SpindexError ENV_INVALID that lists all problems
 */
export function readEnvironment(source: EnvSource): Environment {
  const problems = new Problems();
  const entries = Object.entries<Variable>(ENVIRONMENT).map(([name, variable]) => [
    name,
    valueOfVariable(variable, source, problems),
  ]);
  problems.throwIfAny("the environment", "ENV_INVALID");
  return Object.freeze(Object.fromEntries(entries)) as Environment;
}

function valueOfVariable(variable: Variable, source: EnvSource, problems: Problems): unknown {
  const { variable: name, secret } = variable;
  const found = secret ? lookUpSecret(source, name) : lookUp(source, name);
  if (found.state === "wrong") {
    problems.add("ENV_INVALID", name, found.message, found.fix);
    return undefined;
  }
  const text = found.state === "found" && !isServiceLink(variable, found.value) ? found.value : variable.default;
  if (text === undefined) return undefined;
  // Addresses of collectors and the like have keys in their path, or credentials, though they are not secret as a whole.
  const mayHoldSecrets = secret || variable.type === "url";
  if (mayHoldSecrets) keepSecret(text);
  const parsed = parseVariable(variable.type, text, variable.choices ?? []);
  if ("value" in parsed) return parsed.value;
  const shown = mayHoldSecrets ? "its value" : JSON.stringify(text);
  problems.add("ENV_INVALID", name, `${shown} is ${parsed.wrong}`, parsed.fix);
  return undefined;
}

/** Kubernetes gives `SPINDEX_PORT=tcp://10.0.0.1:80` to every pod beside a service named `spindex`: nobody meant that. */
function isServiceLink({ type }: Variable, text: string): boolean {
  return type === "port" && text.startsWith("tcp://");
}

/** The table of all variables, as Markdown. */
export function environmentTable(): string {
  const rows = Object.values<Variable>(ENVIRONMENT).map(
    ({ variable, type, choices, default: standard, secret, help }) => {
      const kind = choices === undefined ? type : choices.map((choice) => `\`${choice}\``).join(", ");
      const names = secret ? `\`${variable}\`, or \`${variable}_FILE\`` : `\`${variable}\``;
      return `| ${names} | ${kind} | ${standard === undefined ? "–" : `\`${standard}\``} | ${secret ? "yes" : "no"} | ${help} |`;
    },
  );
  return ["| variable | type | default | secret | meaning |", "|---|---|---|---|---|", ...rows].join("\n");
}
