/** The commands that make a bench from nothing: its description and its keys. */

import { type Command, InvalidArgumentError } from "commander";
import type { Ends } from "../ends.ts";
import type { Shell } from "../shell.ts";
import type { InitOptions } from "./init.ts";

/** Adds them to the program. */
export function addKeyCommands(program: Command, shell: Shell, ends: Ends): void {
  program
    .command("init")
    .description("make a bench's folder: its description, and a key for everybody on it")
    .argument("[dir]", "the folder; made if it is not there", ".")
    .option("--bench <bench>", "a bench.yaml to begin with, or the name of a ready bench (default: five-boards)")
    .option("--client <name...>", "clients that get a key (default for a new folder: client)")
    .option("--host <host...>", "names or addresses under which boards and brokers are reached, beside their own")
    .option("--days <days>", "how long new certificates are good", daysOption, 825)
    .option("--json", "print one JSON document and nothing else")
    .action((given: string, options: InitOptions) =>
      ends(import("./init.ts").then(({ init }) => init(shell, given, options))),
    );
}

const daysMax = 3_650;

function daysOption(text: string): number {
  const days = /^\d{1,4}$/.test(text) ? Number(text) : 0;
  if (days >= 1 && days <= daysMax) return days;
  throw new InvalidArgumentError(`It must be a whole number from 1 to ${daysMax}.`);
}
