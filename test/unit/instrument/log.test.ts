import { globSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { SpindexError } from "../../../src/errors.ts";
import { createLog, logEvent } from "../../../src/instrument/log.ts";
import { LOG_EVENTS } from "../../../src/instrument/names.ts";
import { redact } from "../../../src/instrument/redact.ts";

function memoryLog(format: "json" | "pretty"): {
  readonly lines: string[];
  readonly log: ReturnType<typeof createLog>;
} {
  const lines: string[] = [];
  const log = createLog({ level: "debug", format, destination: { write: (line) => void lines.push(line) } });
  return { lines, log };
}

test("a line has its code, its constant message and its fields", () => {
  const { lines, log } = memoryLog("json");
  logEvent(log, "fetch.retry", { chain: "mainnet", attempt: 2 });
  const { time, ...line } = JSON.parse(lines[0] as string);
  expect(line).toEqual({
    level: "warn",
    event: "fetch.retry",
    chain: "mainnet",
    attempt: 2,
    msg: "A fetch failed and will be tried again",
  });
  expect(new Date(time).toISOString()).toBe(time);
});

test("an error keeps its code, fix and cause, and no secret", () => {
  const { lines, log } = memoryLog("json");
  const cause = new Error("GET https://user:hunter2@rpc.example:8545/v2/KEY123?x=1 failed");
  const err = new SpindexError("SOURCE_UNREACHABLE", "rpc.example did not answer", { cause, fix: "Check it." });
  logEvent(log, "indexer.failed", { err, database: "postgres://me:hunter2@db:5432/app", password: "hunter2" });
  expect(lines[0]).not.toMatch(/hunter2|KEY123/);
  const line = JSON.parse(lines[0] as string);
  expect(line).toMatchObject({ database: "postgres://db:5432", password: "[redacted]" });
  expect(line.err).toMatchObject({
    code: "SOURCE_UNREACHABLE",
    fix: "Check it.",
    message: "rpc.example did not answer",
  });
  expect(line.err.cause.message).toBe("GET https://rpc.example:8545 failed");
});

test("pretty lines are for people, and hold no secrets either", () => {
  const { lines, log } = memoryLog("pretty");
  logEvent(log, "source.failing", { url: "https://rpc.example/KEY123" });
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatch(/^\[.*\] WARN: A source fails \{"url":"https:\/\/rpc.example"\}\n$/);
});

test.each([
  ["https://eth.example.com/v2/abcdef", "https://eth.example.com"],
  ["wss://eth.example.com:443/ws/abcdef?key=1", "wss://eth.example.com:443"],
  ["postgres://user:p%40ss@localhost:5432/db?sslmode=no", "postgres://localhost:5432"],
  ["postgresql://user:p@ss/w@rd@host/db", "postgresql://host"],
  ["see (http://a.b/c), then http://[::1]:8545/k", "see (http://a.b then http://[::1]:8545"],
  ["password=abc host=x", "password=[redacted] host=x"],
  ['{"authorization":"Bearer \\"x\\" y","n":1}', '{"authorization":"[redacted]","n":1}'],
  ['{"apiKey":"k"}', '{"apiKey":"[redacted]"}'],
  ["nothing to hide: a://", "nothing to hide: a://"],
])("%s is written as %s", (text, safe) => {
  expect(redact(text)).toBe(safe);
});

describe("event codes", () => {
  const root = fileURLToPath(new URL("../../../", import.meta.url));
  const sources = globSync("src/**/*.ts", { cwd: root, exclude: (path) => path.includes("instrument/names") });
  const texts = sources.map((path) => [path, readFileSync(root + path, "utf8")] as const);

  test("of the sources are in the contract", () => {
    const codes = texts.flatMap(([, text]) =>
      [...text.matchAll(/\bevent: "([^"]+\.[^"]+)"|\b(?:logEvent|report)\([^,)]*, "([^"]+)"|#report\("([^"]+)"/g)].map(
        ([, ...found]) => found.find((code) => code !== undefined) ?? "",
      ),
    );
    expect(codes.length).toBeGreaterThan(30);
    expect(codes.filter((code) => !(code in LOG_EVENTS))).toEqual([]);
  });

  test("of the contract are all written somewhere", () => {
    const unwritten = Object.keys(LOG_EVENTS).filter((code) => !texts.some(([, text]) => text.includes(`"${code}"`)));
    expect(unwritten).toEqual([]);
  });

  test("come with every line: nothing else writes to a log", () => {
    const others = texts.filter(([, text]) =>
      /\blog\w*\??\.(?:trace|debug|info|warn|error|fatal)\(|console\./.test(text),
    );
    expect(others.map(([path]) => path)).toEqual([]);
  });
});
