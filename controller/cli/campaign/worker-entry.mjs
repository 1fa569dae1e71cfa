// Where a worker thread of a campaign begins. A thread does not inherit the loader of its parent's TypeScript, so a
// checkout registers it anew; the published package brings JavaScript.
import { existsSync } from "node:fs";

const source = new URL("./worker.ts", import.meta.url);

if (existsSync(source)) {
  const { register } = await import("tsx/esm/api");
  register();
  await import(source.href);
} else {
  await import(new URL("./worker.js", import.meta.url).href);
}
