/** For tests: `adrift deploy` with trials of a few seconds; as a program of its own it can be killed. */

import { Readable } from "node:stream";
import { pathToFileURL } from "node:url";
import { type DeployOptions, deployToRack } from "../cli/rack/deploy.ts";
import type { Shell, Stream } from "../cli/shell.ts";

/** How long a trial lasts here. */
export const trialSeconds = 6;

/** How a command ended, and what it said. */
export type Ended = { readonly status: number; readonly out: string; readonly err: string };

/** Runs the command; what is told on the way also goes to `hear`. */
export async function quickDeploy(
  options: DeployOptions,
  hear: (text: string) => void = () => undefined,
): Promise<Ended> {
  const texts = { out: "", err: "" };
  const stream = (name: "out" | "err"): Stream => ({
    write(text) {
      texts[name] += text;
      hear(text);
    },
    isTerminal: false,
    isColoured: false,
    isClosed: false,
    columns: 100,
  });
  const shell: Shell = {
    out: stream("out"),
    err: stream("err"),
    input: Readable.from([]),
    folder: "/",
    commandLine: "adrift deploy",
    noteInterruption: () => ({ isRequested: false }),
  };
  const status = await deployToRack(shell, [], options, { trialSeconds, steadyMs: 500, backMs: 20_000 });
  return { status, ...texts };
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const [bench = "", bundle = ""] = process.argv.slice(2);
  await quickDeploy({ bench, bundle, yes: true }, (text) => void process.stdout.write(text));
}
