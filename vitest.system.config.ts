import { defineConfig } from "vitest/config";

/**
 * The slow tests: what a user does, with real processes, devices, files and an installed package.
 *
 * Those of parts run two at a time. Those of benches come afterwards, one file after the other: boards that run in real time
 * keep their promises of time only on a machine that has time for them.
 */
const everywhere = "{device,hardware,sim,controller,test}/**/*.system.test.ts";
const parts = ["hardware/**/*.system.test.ts", "controller/{cutters,flash,keys,cli/cards}/**/*.system.test.ts"];

const usual = {
  environment: "node",
  // Native code of serial ports ends a process in whose threads it is loaded.
  pool: "forks",
  expect: { poll: { timeout: 10_000 } },
  testTimeout: 120_000,
  hookTimeout: 180_000,
} as const;

export default defineConfig({
  test: {
    passWithNoTests: false,
    projects: [
      { test: { ...usual, name: "parts", include: parts, maxWorkers: 2, sequence: { groupOrder: 0 } } },
      {
        test: {
          ...usual,
          name: "benches",
          include: [everywhere],
          exclude: ["**/node_modules/**", ...parts],
          maxWorkers: 1,
          fileParallelism: false,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
