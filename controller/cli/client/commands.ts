/** The commands that ask a running cluster: a client at the prompt, what the boards say. */

import type { Command } from "commander";
import type { Ends } from "../ends.ts";
import type { Shell } from "../shell.ts";

/** Adds them to the program. */
export function addClientCommands(_program: Command, _shell: Shell, _ends: Ends): void {}
