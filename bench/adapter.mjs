// A contender of a side-by-side benchmark of EVM indexers: tells its runner how to start Spindex on a task and which
// SELECTs show the outcome. BENCH_TRACES names a file to trace into.
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

export default {
  name: process.env.BENCH_TRACES === undefined ? "spindex" : "spindex-traced",
  version: "0.1.0",
  tasks: ["erc20", "raw"],
  async prepare(c) {
    // What users install, and not the sources.
    execFileSync(c.node, [`${root}scripts/build.ts`], { cwd: root, stdio: ["ignore", "ignore", "inherit"] });
    return {
      command: [c.node, "--max-semi-space-size=16", `${root}dist/cli/bin.js`, "start", "--once"],
      cwd: `${root}bench/${c.task}`,
      env: {
        DATABASE_URL: c.db.url,
        BENCH_RPC: c.rpcUrl,
        BENCH_TOKEN: c.token,
        BENCH_END: String(c.endBlock),
        SPINDEX_PORT: String(c.port),
        ...(process.env.BENCH_TRACES === undefined ? {} : { SPINDEX_TRACE_FILE: process.env.BENCH_TRACES }),
      },
      done: { type: "exit" },
    };
  },
  tables: () => ({
    erc20: {
      transfer: "select value from bench.transfer",
      approval: "select id from bench.approval",
      account: "select id, balance from bench.account",
      allowance: "select owner || '-' || spender as id, amount from bench.allowance",
    },
    raw: { log: "select block as block_number, log_index, value from bench.log" },
  }),
};
