import { execFile } from "node:child_process";
import { chmod, mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, it } from "vitest";

const root = join(import.meta.dirname, "../..");

it("the demo indexes real blocks, finds every row as expected, and leaves nothing but logs and traces behind", async () => {
  await using resources = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), "demo-test-"));
  resources.defer(() => rm(folder, { recursive: true, force: true }));
  const temporary = join(folder, "tmp");
  await mkdir(temporary);
  await Promise.all([chmod(folder, 0o755), chmod(temporary, 0o777)]);
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ["--conditions=spindex-source", "examples/demo/main.ts", "--output", join(folder, "output")],
    { cwd: root, env: { ...process.env, TMPDIR: temporary }, timeout: 110_000, killSignal: "SIGINT" },
  );
  const verdicts = stdout.split("\n").filter((line) => /^ {2}(ok|FAILED) /.test(line));
  expect(verdicts.slice(0, -2).map((line) => line.trim().split(/\s+/).slice(0, 7).join(" "))).toEqual([
    "ok erc20.transfer 292 of 292 rows equal",
    "ok erc20.account 398 of 398 rows equal",
    "ok erc20.token 77 of 77 rows equal",
    "ok uniswap_v3.swap 6,046 of 6,046 rows equal",
    "ok uniswap_v3.mint 54 of 54 rows equal",
    "ok uniswap_v3.burn 69 of 69 rows equal",
    "ok uniswap_v3.collect 65 of 65 rows equal",
    "ok uniswap_v3.pool_minute 1,440 of 1,440 rows equal",
  ]);
  expect(verdicts.slice(-2).map((line) => line.trim().split(/\s+/).slice(0, 2))).toEqual([
    ["ok", "erc20"],
    ["ok", "uniswap_v3"],
  ]);
  expect(await readdir(temporary)).toEqual([]);
  expect((await readdir(join(folder, "output"))).toSorted()).toEqual([
    "erc20.log",
    "erc20.trace.jsonl",
    "uniswap-v3.log",
    "uniswap-v3.trace.jsonl",
  ]);
}, 120_000);
