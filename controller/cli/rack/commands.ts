/** The commands for whoever stands at the table. */

import { type Command, Option } from "commander";
import { addOptions as addClientOptions } from "../client/commands.ts";
import { durationOption } from "../client/options.ts";
import type { Ends } from "../ends.ts";
import type { Shell } from "../shell.ts";
import type { DoctorOptions } from "./doctor.ts";
import type { IdentifyOptions } from "./identify.ts";

const usualBlinkMs = 10_000;

/** Adds them to the program. */
export function addRackCommands(program: Command, shell: Shell, ends: Ends): void {
  addClientOptions(program.command("identify"))
    .description("have a board blink, so that you find it on the table")
    .argument("<board>")
    .addOption(new Option("--for <time>", "for how long").argParser(durationOption).default(usualBlinkMs, "10s"))
    .action((board: string, options: IdentifyOptions) =>
      ends(import("./identify.ts").then((module) => module.identify(shell, board, options))),
    );

  program
    .command("doctor")
    .description("what is wrong with this machine and with a rack, and what to do now")
    .option("--bench <file>", "the file that describes the rack (default: ./bench.yaml, or else this machine alone)")
    .option("--json", "print one JSON document and nothing else")
    .action((options: DoctorOptions) => ends(import("./doctor.ts").then(({ doctor }) => doctor(shell, options))));
}
