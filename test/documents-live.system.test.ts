import { type ChildProcess, execFile, spawn, spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { blocksOf, liveLinesOf, makeFolder, readDocuments, root } from "./documents.ts";

/** What the examples call beside `npx adrift`. */
const parts = ["mosquitto_pub", "mosquitto_sub"];
const missing = parts.filter((part) => spawnSync("which", [part]).status !== 0);
const isToBeSkipped = missing.length > 0 && process.env["CI"] === undefined;
if (isToBeSkipped) console.log(`The live examples of the documents are skipped: ${missing.join(", ")} not installed.`);

const documents = readDocuments()
  .map((document) => ({ path: document.path, lines: blocksOf(document).flatMap(liveLinesOf) }))
  .filter(({ lines }) => lines.length > 0);

/** Somebody who types what a document says into a terminal, in a folder of their own. */
class Reader {
  readonly #folder = makeFolder();
  readonly #running: ChildProcess[] = [];

  constructor() {
    const bin = join(this.#folder, ".bin");
    mkdirSync(bin);
    // In a checkout `npx adrift` finds the checkout's own command; this folder is none.
    const npx = join(bin, "npx");
    writeFileSync(npx, `#!/bin/sh\nshift\nexec "${process.execPath}" "${join(root, "bin/adrift.mjs")}" "$@"\n`);
    chmodSync(npx, 0o755);
  }

  async type(line: string): Promise<void> {
    if (/^npx adrift (?:up|broker)\b/.test(line) && !line.includes("--print")) await this.#start(line);
    else await this.#run(line);
  }

  /** Presses Ctrl-C where something still runs, and looks whether anything is left behind. */
  async leave(): Promise<void> {
    for (const child of this.#running) {
      const ended = new Promise((resolve) => child.once("exit", resolve));
      child.kill("SIGINT");
      await ended;
      expect(child.exitCode).toBe(0);
    }
    expect(existsSync(join(this.#folder, ".adrift")) ? readdirSync(join(this.#folder, ".adrift")) : []).toEqual([]);
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** Something that goes on until Ctrl-C: typed, and left alone once it says how it ends. */
  async #start(line: string): Promise<void> {
    const child = spawn("bash", ["-c", `exec ${line}`], { ...this.#surroundings(), stdio: "pipe" });
    this.#running.push(child);
    let said = "";
    await new Promise<void>((resolve, reject) => {
      const hear = (text: Buffer): void => {
        said += text.toString();
        if (said.includes("Ctrl-C")) resolve();
      };
      child.stdout.on("data", hear);
      child.stderr.on("data", hear);
      child.once("exit", (status) => reject(new Error(`${line} ended with ${status} and said:\n${said}`)));
    });
  }

  async #run(line: string): Promise<void> {
    const script = `set -eo pipefail\n${line}`;
    await new Promise<void>((resolve, reject) => {
      execFile("bash", ["-c", script], this.#surroundings(), (error, out, err) => {
        if (error === null) resolve();
        else reject(new Error(`${line} ended with ${error.code} and said:\n${out}${err}`));
      });
    });
  }

  #surroundings(): { readonly cwd: string; readonly env: NodeJS.ProcessEnv } {
    const path = [join(this.#folder, ".bin"), process.env["PATH"] ?? ""].join(delimiter);
    return { cwd: this.#folder, env: { ...process.env, PATH: path } };
  }
}

describe.skipIf(isToBeSkipped)("given a reader with a terminal for each document", () => {
  for (const { path, lines } of documents) {
    describe(path, () => {
      const reader = new Reader();
      afterAll(() => reader.leave());
      for (const [place, line] of lines.entries()) test(`${place + 1}: ${line}`, () => reader.type(line));
    });
  }
});
