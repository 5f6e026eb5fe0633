import { existsSync } from "node:fs";
import { configDefaults, defineConfig, type ViteUserConfig } from "vitest/config";

const major = Number(process.versions.node.split(".")[0]);
if (major < 24) {
  throw new Error(
    `The tests need Node.js 24 or newer; this is ${process.version}. ` +
      "Use `npm test` (npm scripts run on the Node.js that `npm ci` installed), or put node_modules/.bin first in PATH.",
  );
}

/** `import "spindex"` means the sources: in Vite's resolver and in Node's own, for what a test imports natively. */
const conditions = ["spindex-source", "module", "node", "development|production"];
const sources = {
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: ["spindex-source"] } },
};

/** Chooses and starts the PostgreSQL that the tests share. */
const databaseSetup = "test/support/global-setup.ts";

const config: ViteUserConfig = defineConfig({
  test: {
    // Two cores are the smallest machine we care for; more workers only make tests with time limits fail there.
    maxWorkers: 2,
    passWithNoTests: false,
    reporters: process.env.CI ? ["default", "json"] : ["default"],
    outputFile: { json: "test-results/vitest.json" },
    coverage: { include: ["src/**"], reportsDirectory: "coverage" },
    projects: [
      {
        ...sources,
        test: {
          name: "quick",
          include: ["test/{unit,types,property,telemetry}/**/*.test.ts"],
          exclude: configDefaults.exclude,
          testTimeout: 20_000,
        },
      },
      {
        ...sources,
        test: {
          name: "database",
          include: ["test/{integration,simulation,e2e,performance}/**/*.test.ts"],
          exclude: configDefaults.exclude,
          ...(existsSync(databaseSetup) ? { globalSetup: [databaseSetup] } : {}),
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        ...sources,
        test: {
          // Not a part of `npm test`: it needs a real Jaeger and a real Prometheus, and minutes to build the one.
          name: "stack",
          include: ["test/stack/**/*.test.ts"],
          exclude: configDefaults.exclude,
          globalSetup: [databaseSetup, "test/stack/global-setup.ts"],
          // One after the other: they share the stack.
          fileParallelism: false,
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        ...sources,
        test: {
          name: "packaging",
          include: ["test/packaging/**/*.test.ts"],
          exclude: configDefaults.exclude,
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});

export default config;
