import { Command } from "commander";
import { type RunFlags, runFlags, runProject } from "./run-project.ts";

/** `spindex dev`: an embedded database when there is no DATABASE_URL, and the next free port. */
export function devCommand(finish: (exitCode: number) => void): Command {
  return runFlags(new Command("dev"))
    .description("index while developing: brings its own PostgreSQL when DATABASE_URL is not set")
    .action(async (flags: RunFlags) => {
      finish(await runProject({ flags, isDevelopment: true }));
    });
}
