// Builds what the published package holds: the JavaScript of every room, and beside it the files that it reads (benches,
// experiments, schemas, the web page), each at the place that it has in the source; and, bundled, the programs of a board
// and a broker.
import { execFileSync } from "node:child_process";
import { cpSync, rmSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { bundlePrograms } from "./bundle.mjs";

const root = fileURLToPath(new URL(".", import.meta.url));

rmSync(`${root}dist`, { recursive: true, force: true });
execFileSync(process.execPath, [`${root}node_modules/typescript/lib/tsc.js`, "-p", `${root}tsconfig.build.json`], {
  stdio: "inherit",
});
for (const room of ["device", "hardware", "sim", "controller"]) {
  cpSync(`${root}${room}`, `${root}dist/${room}`, { recursive: true, filter: isReadAtRunTime });
}
await bundlePrograms(`${root}dist`);

/** @param {string} path a file or folder of a room */
function isReadAtRunTime(path) {
  return statSync(path).isDirectory() || /\.(yaml|json|mjs|html|css|svg|hex)$/.test(path) || isOfCard(path);
}

/** @param {string} path a file of a room */
function isOfCard(path) {
  return /hardware\/image\/(build\/.*|[^/]+\.(sh|service|conf|rules|link))$/.test(path);
}
