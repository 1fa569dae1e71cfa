/** The commands that make a bench from nothing: its description and its keys. */

import type { Command } from "commander";
import type { Ends } from "../ends.ts";
import type { Shell } from "../shell.ts";

/** Adds them to the program. */
export function addKeyCommands(_program: Command, _shell: Shell, _ends: Ends): void {}
