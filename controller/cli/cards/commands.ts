import type { Command } from "commander";
import type { Ends } from "../ends.ts";
import type { Shell } from "../shell.ts";

/** Adds them to the program. */
export function addCardCommands(_program: Command, _shell: Shell, _ends: Ends): void {}
