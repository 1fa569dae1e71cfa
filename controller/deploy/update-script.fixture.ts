/** For tests: a board's folders as its card has made them, in which its own update script runs. */

import { type SpawnSyncReturns, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, copyFileSync, mkdirSync, readFileSync, readlinkSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { keyFiles } from "../../device/mqtt/read-keys.ts";

const images = fileURLToPath(new URL("../../hardware/image/", import.meta.url));

/** See the head of this file. */
export class BoardFolders {
  readonly root: string;
  readonly script: string;
  readonly program: string;
  readonly configuration: string;

  /** @param program what the card has brought */
  constructor(root: string, { keys, board, program }: { keys: string; board: string; program: string }) {
    this.root = root;
    this.script = join(root, "usr/local/lib/adrift/adrift-update.sh");
    this.program = join(root, "opt/adrift/board.mjs");
    this.configuration = join(root, "etc/adrift/board.yaml");
    for (const folder of ["etc/adrift/keys", "opt/adrift/bin", "usr/local/lib/adrift", "run", "var/lib/adrift"]) {
      mkdirSync(join(root, folder), { recursive: true, mode: 0o700 });
    }
    for (const file of ["adrift-update.sh", "adrift-update-receive.mjs"]) {
      copyFileSync(join(images, file), join(root, "usr/local/lib/adrift", file));
    }
    const [from, to] = [keyFiles(keys, board), keyFiles(join(root, "etc/adrift/keys"), board)];
    for (const part of ["authority", "certificate", "privateKey"] as const) copyFileSync(from[part], to[part]);
    symlinkSync(process.execPath, join(root, "opt/adrift/bin/node"));
    writeFileSync(this.program, program);
    this.writeProgram("run/systemctl", "#!/bin/sh\nexit 0\n");
  }

  /** Stands in for what acts on the running system: `run/systemctl`. */
  writeProgram(path: string, text: string): void {
    writeFileSync(join(this.root, path), text);
    chmodSync(join(this.root, path), 0o755);
  }

  get environment(): NodeJS.ProcessEnv {
    return { PATH: process.env["PATH"], ADRIFT_ROOT: this.root, ADRIFT_RUN: join(this.root, "run/systemctl") };
  }

  /** Runs the script, under dash as on a board, in a session of its own: what kills it kills all that it has started. */
  run(args: readonly string[], input = "", script = this.script): SpawnSyncReturns<string> {
    return spawnSync("setsid", ["dash", script, ...args], { encoding: "utf8", input, env: this.environment });
  }

  /** Puts a release there, as if it had been received. */
  addRelease(content: string): string {
    const sha256 = sha256Of(content);
    mkdirSync(join(this.root, "opt/adrift/releases", sha256), { recursive: true });
    writeFileSync(join(this.root, "opt/adrift/releases", sha256, "board.mjs"), content);
    return sha256;
  }

  /** What would be started now. */
  get content(): string {
    return readFileSync(this.program, "utf8");
  }

  get linksTo(): string | null {
    try {
      return readlinkSync(this.program);
    } catch {
      return null;
    }
  }
}

/** 64 hexadecimal digits. */
export function sha256Of(content: string): string {
  return createHash("sha256").update(content).digest("hex");
}
