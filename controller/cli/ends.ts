/** How a command tells with which status it ended. */

import type { ExitStatus } from "./shell.ts";

/** Waits for a command and keeps its status for the process. */
export type Ends = (command: Promise<ExitStatus>) => Promise<void>;
