import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { env, environmentOf } from "../../../src/config/env.ts";
import { ENVIRONMENT, environmentTable, readEnvironment } from "../../../src/config/environment.ts";
import { SpindexError } from "../../../src/errors.ts";

const DEFAULTS = {
  databaseUrl: undefined,
  databaseSchema: undefined,
  host: "127.0.0.1",
  port: 42_080,
  logLevel: "info",
  logFormat: undefined,
  fatalLingerMs: undefined,
  writeRetryBudgetMs: 600_000,
  capacityChanges: 500_000,
  capacityBytes: 256 * 2 ** 20,
  cacheBytes: 256 * 1024 * 1024,
  traceFile: undefined,
  traceRatio: 1,
  flightRecorder: "on",
  dumpDirectory: ".spindex/dumps",
  otlpEndpoint: undefined,
  otlpHeaders: undefined,
  resourceAttributes: undefined,
};

function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), "spindex-"));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  return directory;
}

describe("the environment", () => {
  it("has defaults, also for variables that are empty", () => {
    expect(readEnvironment({})).toEqual(DEFAULTS);
    expect(readEnvironment({ SPINDEX_PORT: "", DATABASE_URL: "" })).toEqual(DEFAULTS);
  });

  it("is read by type", () => {
    expect(
      readEnvironment({
        DATABASE_URL: "postgresql://a:b@c/d",
        DATABASE_SCHEMA: "erc20_v2",
        SPINDEX_HOST: "0.0.0.0",
        SPINDEX_PORT: "0",
        SPINDEX_LOG_LEVEL: "debug",
        SPINDEX_LOG_FORMAT: "json",
        SPINDEX_FATAL_LINGER: "0",
        SPINDEX_WRITE_RETRY_BUDGET: "1.5m",
        SPINDEX_CAPACITY_CHANGES: "10",
        SPINDEX_CAPACITY_BYTES: "1GB",
        SPINDEX_TRACE_FILE: "spans.ndjson",
        SPINDEX_TRACE_RATIO: "0.01",
        OTEL_EXPORTER_OTLP_ENDPOINT: "http://localhost:4318",
        OTEL_EXPORTER_OTLP_HEADERS: "authorization=Bearer%20x, tenant=a",
        OTEL_RESOURCE_ATTRIBUTES: "deployment.environment.name=staging,team=a%20b",
      }),
    ).toEqual({
      ...DEFAULTS,
      databaseUrl: "postgresql://a:b@c/d",
      databaseSchema: "erc20_v2",
      host: "0.0.0.0",
      port: 0,
      logLevel: "debug",
      logFormat: "json",
      fatalLingerMs: 0,
      writeRetryBudgetMs: 90_000,
      capacityChanges: 10,
      capacityBytes: 1e9,
      cacheBytes: 256 * 1024 * 1024,
      traceFile: "spans.ndjson",
      traceRatio: 0.01,
      otlpEndpoint: "http://localhost:4318",
      otlpHeaders: { authorization: "Bearer x", tenant: "a" },
      resourceAttributes: { "deployment.environment.name": "staging", team: "a b" },
    });
  });

  it("reports every problem at once and shows no secret", () => {
    const read = () =>
      readEnvironment({
        SPINDEX_PORT: "70000",
        SPINDEX_LOG_LEVEL: "loud",
        SPINDEX_FATAL_LINGER: "45",
        SPINDEX_TRACE_RATIO: "2",
        OTEL_EXPORTER_OTLP_HEADERS: "secret",
        DATABASE_URL_FILE: "/nowhere/url",
      });
    expect(read).toThrow(
      new SpindexError(
        "ENV_INVALID",
        [
          "the environment: 6 problems",
          "  1. DATABASE_URL: DATABASE_URL_FILE: ENOENT: no such file or directory, open '/nowhere/url'",
          "     Name a readable file that holds the value alone.",
          '  2. SPINDEX_PORT: "70000" is no usable number',
          "     Write an integer from 0 to 65535, digits only.",
          '  3. SPINDEX_LOG_LEVEL: "loud" is no choice',
          "     Write trace, debug, info, warn, error, fatal, silent.",
          '  4. SPINDEX_FATAL_LINGER: "45" is no duration',
          "     Write a number and its unit (ms, s, m, h, d): 45s, 10m or 500ms.",
          '  5. SPINDEX_TRACE_RATIO: "2" is no share',
          "     Write a number from 0 to 1: 0.1.",
          "  6. OTEL_EXPORTER_OTLP_HEADERS: its value is no list of headers",
          "     Write name=value,name=value, with values percent-encoded.",
        ].join("\n"),
        { fix: "Mend each of them as said above.", details: { problems: 6 } },
      ),
    );
  });

  it("takes secrets from files, and only secrets", () => {
    const file = join(temporaryDirectory(), "url");
    writeFileSync(file, "postgresql://a/b\n");
    expect(readEnvironment({ DATABASE_URL_FILE: file, SPINDEX_HOST_FILE: file })).toEqual({
      ...DEFAULTS,
      databaseUrl: "postgresql://a/b",
    });
  });

  it("ignores the port that Kubernetes makes for a service named spindex", () => {
    expect(readEnvironment({ SPINDEX_PORT: "tcp://10.0.0.1:80" }).port).toBe(42_080);
  });

  it("is documented from itself", () => {
    const lines = environmentTable().split("\n");
    expect(lines).toHaveLength(2 + Object.keys(ENVIRONMENT).length);
    expect(lines[2]).toMatch(/^\| `DATABASE_URL`, or `DATABASE_URL_FILE` \| text \| – \| yes \| /);
  });
});

describe("a project's variables", () => {
  it("are those of .env below those of the process", () => {
    const directory = temporaryDirectory();
    writeFileSync(join(directory, ".env"), "SPINDEX_TEST_ONLY=from-file # a comment\nPATH=never\n");
    const { SPINDEX_TEST_ONLY, PATH } = environmentOf(directory);
    expect([SPINDEX_TEST_ONLY, PATH === "never"]).toEqual(["from-file", false]);
  });

  it("need no .env", () => {
    expect(environmentOf(temporaryDirectory()).PATH).toBeDefined();
  });

  it("are named, not given", () => {
    expect(() => env("http://localhost:8545")).toThrow(
      'env("http://localhost:8545"): not the name of an environment variable',
    );
  });
});
