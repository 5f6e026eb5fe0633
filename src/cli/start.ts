import { Command } from "commander";
import { type RunFlags, runFlags, runProject } from "./run-project.ts";

/** `spindex start`: the command for production. */
export function startCommand(finish: (exitCode: number) => void): Command {
  return runFlags(new Command("start"))
    .description("index, with the database of DATABASE_URL")
    .action(async (flags: RunFlags) => {
      finish(await runProject({ flags, isDevelopment: false }));
    })
    .addHelpText(
      "after",
      `
Examples:
  DATABASE_URL=postgresql://localhost/app spindex start
  spindex start --once --schema erc20_v2     index up to the head, make it durable, exit`,
    );
}
