// Where the guardian begins: a process of its own, for which a checkout registers the loader of its TypeScript; the published
// package brings JavaScript.
import { existsSync } from "node:fs";

// A terminal that is closed, or Ctrl-C in it, is for the controller: whoever heals goes last.
for (const signal of ["SIGINT", "SIGHUP", "SIGTERM"]) process.on(signal, () => undefined);

const source = new URL("./guardian-duty.ts", import.meta.url);
const isCheckout = existsSync(source);
if (isCheckout) (await import("tsx/esm/api")).register();
const { stand } = await import(isCheckout ? source.href : new URL("./guardian-duty.js", import.meta.url).href);
const [folder, owner] = process.argv.slice(2);
await stand(folder, owner);
process.exit();
