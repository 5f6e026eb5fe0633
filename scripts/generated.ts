import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { root } from "./run.ts";

/**
 * Writes generated files, or with `--check` says which of them are not what they should be and sets the exit code.
 * @param files path from the root → text
 */
export function writeGenerated(files: Readonly<Record<string, string>>): void {
  const check = process.argv.includes("--check");
  for (const [path, text] of Object.entries(files)) {
    const file = join(root, path);
    if (readIfThere(file) === text) continue;
    if (check) {
      console.error(`${path} is out of date: npm run generate`);
      process.exitCode = 1;
      continue;
    }
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
    console.log(`wrote ${path}`);
  }
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}
