/** Writes the table of environment variables from the one place where they are declared. */
import { environmentTable } from "../src/config/environment.ts";
import { writeGenerated } from "./generated.ts";

writeGenerated({
  "docs/configuration.md": `# Environment variables

<!-- Generated from src/config/environment.ts: npm run generate -->

All of them are checked at start, and every problem is listed at once. They are read from the process and, below it, from
\`.env\` in the project's folder. An empty value counts as missing. A secret may be given by a file instead: \`NAME_FILE\`
holds its path. A duration is a number and its unit (\`500ms\`, \`45s\`, \`10m\`, \`1h\`), and so is a size (\`256MiB\`, \`1GB\`).

${environmentTable()}

A project names more with \`env("NAME")\` in \`spindex.config.ts\`, mostly the addresses of nodes; for them \`NAME_FILE\` and
\`.env\` work too, and \`env("NAME", { default: "…" })\` gives a value to use without it.
`,
});
