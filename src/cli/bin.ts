#!/usr/bin/env node
const REQUIRED_NODE = 24;

const major = Number(process.versions.node.split(".")[0]);
if (major < REQUIRED_NODE) {
  process.stderr.write(
    `error NODE_TOO_OLD: spindex needs Node.js ${REQUIRED_NODE} or newer, this is ${process.versions.node}\n` +
      "  fix: install a newer one, e.g. from https://nodejs.org\n",
  );
  process.exit(2);
}
// Loaded only now: an older Node.js could not even parse the rest.
const [{ main }, { reportCrashes }] = await Promise.all([import("./main.ts"), import("./crash.ts")]);
reportCrashes();
// Everything has been flushed, within bounds: what still waits, such as a retry to a dead collector, must not hold the exit.
process.exit(await main(process.argv));
