import { defineConfig } from "vitest/config";

/** The quick tests: everything except what spawns processes or installs packages (those are `*.system.test.ts`). */
export default defineConfig({
  test: {
    environment: "node",
    include: ["{device,hardware,sim,controller,test}/**/*.test.ts"],
    exclude: ["**/node_modules/**", "**/dist/**", "**/*.system.test.ts"],
    pool: "threads",
    // One more than the cores of a small machine: many tests wait for something.
    maxWorkers: 3,
    expect: { poll: { timeout: 8_000 } },
    testTimeout: 10_000,
    hookTimeout: 10_000,
    passWithNoTests: false,
  },
});
