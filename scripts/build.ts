/**
 * `npm run build`: JavaScript and declarations of src into dist, from nothing. Node.js runs no TypeScript below
 * node_modules, so this is what the package ships. `--out <folder>` builds elsewhere.
 */
import { chmodSync, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { root, run } from "./run.ts";

const SHEBANG = "#!/usr/bin/env node\n";

const { values } = parseArgs({ options: { out: { type: "string", default: join(root, "dist") } } });
const out = resolve(values.out);

rmSync(out, { recursive: true, force: true });
const { code, output } = await run("tsc", ["--project", "tsconfig.build.json", "--outDir", out]);
if (code !== 0) {
  process.stderr.write(output);
  process.exit(1);
}

const bin = join(out, "cli/bin.js");
if (!existsSync(bin)) {
  process.stderr.write(`build: ${bin} is missing: the command \`spindex\` starts there\n`);
  process.exit(1);
}
const text = readFileSync(bin, "utf8");
if (!text.startsWith("#!")) writeFileSync(bin, SHEBANG + text);
chmodSync(bin, 0o755);
