// Bundles the programs that run without this checkout, a board and a broker: one file each, for a plain `node FILE`.
// `node bundle.mjs [FOLDER]` puts them into `dist`, or where it is told.
import { randomBytes } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = fileURLToPath(new URL(".", import.meta.url));

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const file of Object.values(await bundlePrograms(resolve(process.argv[2] ?? join(root, "dist"))))) {
    process.stdout.write(`${relative(".", file)}: ${readFileSync(file).length} bytes\n`);
  }
}

/**
 * Writes `board.mjs` and `broker.mjs` into a folder.
 *
 * @param {string} folder made if need be
 * @returns {Promise<{ board: string; broker: string }>} the paths of the two files
 */
export async function bundlePrograms(folder) {
  const [board, broker] = await Promise.all([
    bundle("device/board/main.ts", join(folder, "board.mjs")),
    bundle("device/board/broker-main.ts", join(folder, "broker.mjs")),
  ]);
  return { board, broker };
}

/**
 * @param {string} entry the program's own file
 * @param {string} outFile where the bundle goes
 */
async function bundle(entry, outFile) {
  const { outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: [entry],
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node20.19",
    minify: true,
    define: { adriftVersion: JSON.stringify(packageVersion()) },
    // What was written for CommonJS calls `require` for the modules of Node, and an ES module has none of its own.
    banner: {
      js: 'import{createRequire as adriftRequire}from"node:module";const require=adriftRequire(import.meta.url);',
    },
    write: false,
    logLevel: "warning",
  });
  const [output] = outputFiles;
  if (output === undefined) throw new Error(`${entry} came to nothing.`);
  replace(outFile, output.contents);
  return outFile;
}

/**
 * Nobody may start half a program, not even while another process bundles it anew.
 *
 * @param {string} file
 * @param {Uint8Array} contents
 */
function replace(file, contents) {
  mkdirSync(join(file, ".."), { recursive: true });
  const unfinished = `${file}.${randomBytes(4).toString("hex")}`;
  writeFileSync(unfinished, contents);
  renameSync(unfinished, file);
}

/** @returns {string} */
function packageVersion() {
  return JSON.parse(readFileSync(join(root, "package.json"), "utf8")).version;
}
