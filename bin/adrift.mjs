#!/usr/bin/env node
// A checkout runs from its TypeScript, with no build step; the published package brings JavaScript.
import { existsSync } from "node:fs";

const source = new URL("../controller/cli/main.ts", import.meta.url);

if (existsSync(source)) {
  const { register } = await import("tsx/esm/api");
  register();
  await import(source.href);
} else {
  await import("../dist/controller/cli/main.js");
}
