/** `npm run generate`: runs every generator; arguments are passed on (`--check`). */
import { globSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { requireNode24, root } from "./run.ts";

requireNode24();
for (const file of globSync("scripts/generate-*.ts", { cwd: root }).sort()) {
  await import(pathToFileURL(join(root, file)).href);
}
