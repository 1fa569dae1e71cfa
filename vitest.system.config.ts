import { defineConfig } from "vitest/config";

/**
 * The slow tests: what a user does, with real processes, files and an installed package. One file after the other: boards that
 * run in real time keep their promises of time only on a machine that has time for them.
 */
export default defineConfig({
  test: {
    environment: "node",
    include: ["{device,hardware,sim,controller,test}/**/*.system.test.ts"],
    pool: "threads",
    maxWorkers: 1,
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 180_000,
    passWithNoTests: false,
  },
});
