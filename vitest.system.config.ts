import { defineConfig } from "vitest/config";

/** The slow tests: what a user does, with real processes, files and an installed package. */
export default defineConfig({
  test: {
    environment: "node",
    include: ["{device,hardware,sim,controller,test}/**/*.system.test.ts"],
    pool: "threads",
    maxWorkers: 2,
    testTimeout: 120_000,
    hookTimeout: 180_000,
    passWithNoTests: false,
  },
});
