/** The process of the command `adrift`: connects the commands with the terminal, and ends with their status. */

import { createCommandLine } from "./command-line.ts";
import { exitStatus, type Interruption, type Shell, type Stream } from "./shell.ts";

function streamOf(stream: NodeJS.WriteStream): Stream {
  // A reader that has seen enough (`adrift demo | head`) is no reason to stop: the run is still kept and judged. Nor is a
  // disk that is full, but whoever wanted the output must learn that it is not all there.
  stream.once("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") outputIsLost(error);
  });
  // Once it is told, it is known.
  stream.on("error", () => {});
  const isTerminal = stream.isTTY === true;
  const { NO_COLOR: noColour = "", TERM: terminal } = process.env;
  return {
    write: (text) => void (stream.writable && stream.write(text)),
    isTerminal,
    isColoured: isTerminal && noColour === "" && terminal !== "dumb",
    get columns() {
      return stream.columns ?? 100;
    },
    get isClosed() {
      return !stream.writable;
    },
  };
}

function outputIsLost(error: Error): void {
  process.once("exit", (status) => {
    if (status === exitStatus.done) process.exitCode = exitStatus.failed;
  });
  process.stderr.write(`What this command prints cannot be written, and is not all there: ${error.message}.\n`);
}

function noteInterruption(): Interruption {
  const interruption = { isRequested: false };
  process.on("SIGINT", () => {
    if (interruption.isRequested) process.exit(exitStatus.unknown);
    interruption.isRequested = true;
  });
  return interruption;
}

const args = process.argv.slice(2);
const shell: Shell = {
  out: streamOf(process.stdout),
  err: streamOf(process.stderr),
  input: process.stdin,
  folder: process.cwd(),
  commandLine: ["adrift", ...args].join(" "),
  noteInterruption,
};
process.exitCode = await createCommandLine(shell).execute(args);
