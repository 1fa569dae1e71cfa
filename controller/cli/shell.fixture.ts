/** A shell that tests can look into: the commands run in this process, in a folder of their own. */

import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { createCommandLine } from "./command-line.ts";
import type { Shell, Stream } from "./shell.ts";

export type TestShell = {
  readonly folder: string;
  /** Runs a command to its end. */
  adrift(args: readonly string[], around?: Surroundings): Promise<Ended>;
  /** Takes the folder away. */
  remove(): void;
};

export type Surroundings = {
  readonly input?: string;
  readonly isTerminal?: boolean;
  readonly columns?: number;
  /** Somebody pressed Ctrl-C as soon as the command listened. */
  readonly interrupted?: boolean;
  /** Writing a result fails, as by a fault of our own. */
  readonly outBreaks?: boolean;
};

export type Ended = { readonly status: number; readonly out: string; readonly err: string };

export function createTestShell(): TestShell {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "adrift-cli-")));
  return {
    folder,
    async adrift(args, around = {}) {
      const out = createTestStream(around);
      const err = createTestStream(around);
      const shell: Shell = {
        out: around.outBreaks === true ? { ...out, write: breakDown } : out,
        err,
        input: Readable.from([Buffer.from(around.input ?? "")]),
        folder,
        commandLine: ["adrift", ...args].join(" "),
        noteInterruption: () => ({ isRequested: around.interrupted ?? false }),
      };
      const status = await createCommandLine(shell).execute(args);
      return { status, out: out.text(), err: err.text() };
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

function breakDown(): never {
  throw new Error("something that nobody thought of");
}

function createTestStream({ isTerminal = false, columns = 100 }: Surroundings): Stream & { text(): string } {
  let written = "";
  return {
    write(text) {
      written += text;
    },
    isTerminal,
    isColoured: isTerminal,
    isClosed: false,
    columns,
    text: () => written,
  };
}
