import { type ChildProcess, execFile, spawn, spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import {
  type Block,
  blocksOf,
  fieldsPrintedBy,
  fileNameOf,
  fromElsewhere,
  isLive,
  liveLinesOf,
  makeFolder,
  readDocuments,
  root,
} from "./documents.ts";

/** What the examples call beside `npx adrift`. */
const parts = ["mosquitto_pub", "mosquitto_sub"];
const missing = parts.filter((part) => spawnSync("which", [part]).status !== 0);
const isToBeSkipped = missing.length > 0 && process.env["CI"] === undefined;
if (isToBeSkipped) console.log(`The live examples of the documents are skipped: ${missing.join(", ")} not installed.`);

const documents = readDocuments()
  .map((document) => ({ path: document.path, blocks: blocksOf(document).filter(isLive) }))
  .filter(({ blocks }) => blocks.length > 0);

/** Somebody who types what a document says into a terminal, in a folder of their own. */
class Reader {
  readonly #folder = makeFolder();
  readonly #running: ChildProcess[] = [];

  constructor() {
    const bin = join(this.#folder, ".bin");
    mkdirSync(bin);
    // In a checkout `npx` finds the checkout's own commands; this folder is none.
    const npx = join(bin, "npx");
    const [adrift, tsx] = [join(root, "bin/adrift.mjs"), join(root, "node_modules/tsx/dist/cli.mjs")];
    const script = `case "$1" in adrift) command="${adrift}" ;; tsx) command="${tsx}" ;; esac
shift
exec "${process.execPath}" "$command" "$@"`;
    writeFileSync(npx, `#!/bin/sh\n${script}\n`);
    chmodSync(npx, 0o755);
  }

  save(fileName: string, text: string): void {
    writeFileSync(join(this.#folder, fileName), this.#asHere(fromElsewhere(text)));
  }

  /** Gives what was printed, if it ends by itself. */
  async type(line: string): Promise<string> {
    const goesOn = /^npx adrift (?:up|broker|watch)\b/.test(line) && !line.includes("--mosquitto");
    if (!goesOn) return this.#run(this.#asHere(line));
    await this.#start(line);
    return "";
  }

  /** Presses Ctrl-C where something still runs, and looks whether anything is left behind. */
  async leave(): Promise<void> {
    for (const child of this.#running.reverse()) {
      const ended = new Promise((resolve) => child.once("exit", resolve));
      child.kill("SIGINT");
      await ended;
      expect(child.exitCode).toBe(0);
    }
    expect(existsSync(join(this.#folder, ".adrift")) ? readdirSync(join(this.#folder, ".adrift")) : []).toEqual([]);
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** MQTT's usual port may be taken on this machine: a reader then uses the one that `adrift up` prints. */
  #asHere(text: string): string {
    const upFile = join(this.#folder, ".adrift/up.json");
    const [, port] = existsSync(upFile) ? (/:(\d+)"/.exec(readFileSync(upFile, "utf8")) ?? []) : [];
    return port === undefined ? text : text.replaceAll(/\b1883\b/g, port);
  }

  /** Something that goes on until Ctrl-C: typed, and left alone once it says how it ends, or how the boards are. */
  async #start(line: string): Promise<void> {
    const child = spawn("bash", ["-c", `exec ${line}`], { ...this.#surroundings(), stdio: "pipe" });
    this.#running.push(child);
    let said = "";
    await new Promise<void>((resolve, reject) => {
      const hear = (text: Buffer): void => {
        said += text.toString();
        if (/Ctrl-C|: leader,/.test(said)) resolve();
      };
      child.stdout.on("data", hear);
      child.stderr.on("data", hear);
      child.once("exit", (status) => reject(new Error(`${line} ended with ${status} and said:\n${said}`)));
    });
  }

  #run(line: string): Promise<string> {
    const script = `set -eo pipefail\n${line}`;
    return new Promise((resolve, reject) => {
      execFile("bash", ["-c", script], this.#surroundings(), (error, out, err) => {
        if (error === null) resolve(out);
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
  for (const { path, blocks } of documents) {
    describe(path, () => {
      const reader = new Reader();
      afterAll(() => reader.leave());
      for (const block of blocks) follow(block, reader);
    });
  }
});

function follow(block: Block, reader: Reader): void {
  const fileName = fileNameOf(block);
  if (fileName !== null) test(`${fileName} is saved`, () => reader.save(fileName, block.text));
  const fields = fieldsPrintedBy(block);
  for (const line of liveLinesOf(block)) {
    if (fields === null) test(line, async () => void (await reader.type(line)));
    else test(`${line} prints these fields`, async () => expect(fieldsOf(await reader.type(line))).toEqual(fields));
  }
}

function fieldsOf(printed: string): readonly string[] {
  const document: unknown = JSON.parse(printed);
  return Object.keys(document ?? {}).sort();
}
