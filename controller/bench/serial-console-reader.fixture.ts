/**
 * Reads a serial console and prints what it hears, a JSON object a line, until its standard input ends: in a process of its
 * own, for the library's native code works in no thread beside the main one, where tests run.
 */

import { readSerialConsole } from "./serial-console.ts";

const [path = ""] = process.argv.slice(2);
const print = (heard: object): void => void process.stdout.write(`${JSON.stringify(heard)}\n`);
const reader = readSerialConsole({
  path,
  onStatus: ({ seq }) => print({ seq }),
  onTrouble: (trouble) => print({ trouble }),
  retryMs: 20,
});
process.stdin.on("end", () => void reader.close().then(() => process.exit(0)));
process.stdin.resume();
