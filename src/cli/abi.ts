import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, extname, join } from "node:path";
import { Command } from "commander";
import { abiModuleText } from "../abi/abi-module.ts";
import { messageOf, SpindexError } from "../errors.ts";

/** `spindex abi add <file>`: a typed module from a JSON ABI, since a JSON import cannot be typed exactly. */
export function abiCommand(): Command {
  const add = new Command("add")
    .description("write abis/<Name>.ts from a JSON ABI or a build artifact")
    .argument("<file>", "JSON file with an ABI")
    .option("--name <name>", "name of the export; default: the file's name")
    .option("--force", "overwrite an existing module")
    .action((file: string, flags: { name?: string; force?: boolean }) => {
      const name = flags.name ?? basename(file, extname(file)).replace(/[^A-Za-z0-9_$]/g, "");
      const target = join("abis", `${name}.ts`);
      const text = abiModuleText(readJson(file), name);
      if (existsSync(target) && flags.force !== true) {
        if (readFileSync(target, "utf8") === text) return say(`${target} is up to date`);
        throw new SpindexError("ABI_INVALID", `${target} exists and differs`, { fix: "Use --force, or --name." });
      }
      mkdirSync("abis", { recursive: true });
      writeFileSync(target, text);
      say(`wrote ${target}: import { ${name} } from "./${target}"`);
    });
  return new Command("abi").description("work with contract ABIs").addCommand(add);
}

function readJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    throw new SpindexError("ABI_INVALID", `${file}: ${messageOf(error)}`, {
      fix: "Name a JSON file that holds an ABI array, or an object with one under abi.",
    });
  }
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
