/** The commands that run boards and brokers on this machine, and cut what joins them. */

import type { Command } from "commander";
import type { Ends } from "../ends.ts";
import type { Shell } from "../shell.ts";

/** Adds them to the program. */
export function addLocalCommands(_program: Command, _shell: Shell, _ends: Ends): void {}
