/** The commands for whoever stands at the table. */

import { type Command, Option } from "commander";
import { addOptions as addClientOptions } from "../client/commands.ts";
import { durationOption } from "../client/options.ts";
import type { Ends } from "../ends.ts";
import type { Shell } from "../shell.ts";
import type { DeployOptions } from "./deploy.ts";
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
    .command("deploy")
    .description("update boards in place, one after the other, never so many that no majority is left")
    .argument("[boards...]", "those to be updated (default: all)")
    .requiredOption("--bench <file>", "the file that describes the rack, with its keys beside it")
    .option("--bundle <file>", "the program (default: the one that this version of Adrift brings along)")
    .option("--dry-run", "only say what would be done; nothing changes")
    .option("--yes", "do not ask")
    .option("--json", "print one JSON document and nothing else")
    .action((boards: readonly string[], options: DeployOptions) =>
      ends(import("./deploy.ts").then(({ deployToRack }) => deployToRack(shell, boards, options))),
    );

  program
    .command("doctor")
    .description("what is wrong with this machine and with a rack, and what to do now")
    .option("--bench <file>", "the file that describes the rack (default: ./bench.yaml, or else this machine alone)")
    .option("--json", "print one JSON document and nothing else")
    .action((options: DoctorOptions) => ends(import("./doctor.ts").then(({ doctor }) => doctor(shell, options))));
}
