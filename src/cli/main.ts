import { Command, CommanderError } from "commander";
import { abiCommand } from "./abi.ts";
import { dbCommand } from "./db.ts";
import { devCommand } from "./dev.ts";
import { reportError } from "./report-error.ts";
import { startCommand } from "./start.ts";
import { traceCommand } from "./trace.ts";
import { versionOf } from "./version.ts";

const EXIT_CODES = `
Exit codes: 0 done · 1 a handler failed, or a bug · 2 something to mend in the input · 75 try again later`;

/** Runs one command line and says with which code the process shall end. */
export async function main(argv: readonly string[]): Promise<number> {
  const program = new Command("spindex")
    .description("Indexes events of EVM chains into PostgreSQL, and shows why data is late")
    .version(versionOf())
    .addHelpText("after", EXIT_CODES)
    .showHelpAfterError()
    .exitOverride();
  let exitCode = 0;
  const finish = (code: number): void => {
    exitCode = code;
  };
  program.addCommand(startCommand(finish), { isDefault: false });
  program.addCommand(devCommand(finish));
  program.addCommand(abiCommand());
  program.addCommand(dbCommand());
  program.addCommand(traceCommand());
  for (const command of program.commands) inherit(command);
  try {
    await program.parseAsync([...argv]);
    return exitCode;
  } catch (error) {
    // Wrong options are the user's input; help and version are no errors.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    return reportError(error);
  }
}

/** Commands that are added take nothing over by themselves. */
function inherit(command: Command): void {
  command.exitOverride().showHelpAfterError();
  for (const inner of command.commands) inherit(inner);
}
