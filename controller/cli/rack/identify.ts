/** `adrift identify BOARD`: that board blinks, so that a person finds it on the table. */

import { ConnectError, DefiniteError, IndefiniteError } from "../../../device/mqtt/client.ts";
import { unknownName } from "../../../hardware/suggestion.ts";
import { capitalized } from "../../report/words.ts";
import { connectTo, findCluster } from "../client/find-cluster.ts";
import type { ClientOptions } from "../client/options.ts";
import { type ExitStatus, exitStatus, type Shell, UsageError } from "../shell.ts";

/** What stands on the command line. */
export type IdentifyOptions = ClientOptions & { readonly for: number };

/** Has it blink, and says so once it does. Ends as `failed` if it does not answer, or has no light. */
export async function identify(shell: Shell, board: string, options: IdentifyOptions): Promise<ExitStatus> {
  const failure = await askToBlink(shell, board, options);
  if (options.json === true) {
    const said = failure === null ? { board, blinksForMs: options.for } : { board, error: failure };
    shell.out.write(`${JSON.stringify(said)}\n`);
  } else if (failure === null) shell.out.write(`${board} blinks for ${options.for / 1_000} s\n`);
  else shell.err.write(`${failure}\n`);
  return failure === null ? exitStatus.done : exitStatus.failed;
}

/** Why it does not blink; `null`: it does. */
async function askToBlink(shell: Shell, board: string, options: IdentifyOptions): Promise<string | null> {
  const found = findCluster(shell.folder, options);
  const names = found.rack?.bench.boards.map(({ name }) => name);
  if (names !== undefined && !names.includes(board))
    throw new UsageError(capitalized(unknownName("board", board, names)));
  try {
    const client = await connectTo(found, options);
    try {
      await client.inquire({ board, ask: { type: "identify", forMs: options.for } });
      return null;
    } finally {
      await client.close();
    }
  } catch (error) {
    if (error instanceof ConnectError) return error.message;
    if (error instanceof DefiniteError || error instanceof IndefiniteError) return `${error.message} ${advice(board)}`;
    throw error;
  }
}

function advice(board: string): string {
  return `See with npx adrift status whether ${board} is there, and that its board.yaml names its LED under leds.`;
}
