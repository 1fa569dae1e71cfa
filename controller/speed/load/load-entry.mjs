// Where the load process begins. A checkout runs from its TypeScript; the published package brings JavaScript.
import { existsSync } from "node:fs";

const source = new URL("./load-main.ts", import.meta.url);

if (existsSync(source)) {
  const { register } = await import("tsx/esm/api");
  register();
  await import(source.href);
} else {
  await import(new URL("./load-main.js", import.meta.url).href);
}
