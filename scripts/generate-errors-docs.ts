/** Writes docs/errors.md from the catalogue of errors. */
import { ERROR_CODES, type ErrorCode, EXIT_CODES, type Reaction } from "../src/errors.ts";
import { ERROR_TEXTS } from "./error-texts.ts";
import { writeGenerated } from "./generated.ts";

const REACTIONS: Readonly<Record<Reaction, string>> = {
  fix: "mend the input",
  retry: "try again later",
  bug: "mend the handler, or report it",
};

const codes = Object.keys(ERROR_CODES) as ErrorCode[];
const anchor = (code: string): string => code.toLowerCase();

const table = codes.map((code) => {
  const reaction = ERROR_CODES[code];
  return `| [\`${code}\`](#${anchor(code)}) | ${REACTIONS[reaction]} | ${EXIT_CODES[reaction]} |`;
});
const sections = codes.map((code) => `## ${code}\n\n${ERROR_TEXTS[code].what}\n\n${ERROR_TEXTS[code].fix}\n`);

writeGenerated({
  "docs/errors.md": `<!-- Written by scripts/generate-errors-docs.ts: npm run generate -->
# Errors

Every error that Spindex raises by itself has a stable code. Its message names the place and the value, and says what to
do. The exit code of \`spindex\` says what a supervisor can do: 2, nothing, the input is wrong; 75, start it again later;
1, a handler or Spindex has a bug.

| code | what to do | exit code |
|---|---|---|
${table.join("\n")}

${sections.join("\n")}`,
});
