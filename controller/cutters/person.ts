/** The person at the terminal. */

import { createInterface } from "node:readline";
import type { Person } from "./surroundings.ts";

/** A stream of which Node knows whether a terminal is at its other end. */
type Terminal<Stream> = Stream & { readonly isTTY?: boolean };

/** Asks by a line on standard error, and takes Enter for an answer. Without a terminal nobody is there. */
export function personAt(input: Terminal<NodeJS.ReadableStream>, output: Terminal<NodeJS.WritableStream>): Person {
  return {
    ask(question, signal) {
      if (input.isTTY !== true || output.isTTY !== true) return Promise.resolve(false);
      if (signal.aborted) return Promise.resolve(true);
      const lines = createInterface({ input, output, terminal: false });
      output.write(`${question}\n`);
      return new Promise((resolve) => {
        const end = (isDone: boolean): void => {
          signal.removeEventListener("abort", onAbort);
          lines.removeAllListeners("close");
          lines.close();
          // A terminal that is still read from would keep the process alive.
          input.pause();
          resolve(isDone);
        };
        const onAbort = (): void => end(true);
        signal.addEventListener("abort", onAbort, { once: true });
        lines.once("line", () => end(true));
        lines.once("close", () => end(false));
      });
    },
  };
}

/** For a process that has no terminal, such as the guardian. */
export const nobody: Person = { ask: () => Promise.resolve(false) };
