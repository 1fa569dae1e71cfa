/** The commands that make a rack's hardware ready: the boards' cards, and the microcontroller of relays. */

import type { Command } from "commander";
import type { Ends } from "../ends.ts";
import type { Shell } from "../shell.ts";
import type { FlashOptions } from "./flash-plan.ts";
import type { FlashRelayOptions } from "./flash-relay.ts";

/** Adds them to the program. */
export function addCardCommands(program: Command, shell: Shell, ends: Ends): void {
  const flashCommand = program
    .command("flash")
    .description("write the cards of boards: the system, and who each of them is")
    .argument("<boards...>", "boards of the bench")
    .option(
      "--image <file>",
      "Raspberry Pi OS Lite (.img, .img.xz, .gz, .zip); without it the card keeps the system it has",
    )
    .option("--drive <drive...>", "the cards' drives, in the order of the boards: --drive /dev/sdb --drive /dev/sdc")
    .option("--out <file...>", "image files instead of drives, in the order of the boards")
    .option("--bench <bench>", "the bench's file, with keys/ of adrift init beside it", "bench.yaml")
    .option("--node <file>", "Node for the boards (node-v…-linux-arm64.tar.xz), so that they need no Internet")
    .option("--ssh-key <file>", "who may log in: a public key (default: ~/.ssh/id_ed25519.pub, if it is there)")
    .option("--join", "cards that were written before: for the cluster that goes on")
    .option("--found", "cards that were written before: for a new cluster, which forgets everything")
    .option("--yes", "do not ask")
    .option("--dry-run", "say what would be done, and do nothing")
    .action((boards: string[], options: FlashOptions) =>
      ends(import("./flash.ts").then(({ flash }) => flash(shell, boards, options))),
    );

  flashCommand
    .command("relay")
    .description("write the relay firmware to a microcontroller (a board that is called relay needs another name)")
    .requiredOption("--port <port>", "its serial port, as in /dev/ttyACM0")
    .option("--yes", "do not ask")
    .option("--dry-run", "say what would be done, and do nothing")
    .option("--json", "print one JSON document and nothing else")
    // Options that cards have too are taken by the command above: all are asked for, wherever they went.
    .action((_options: unknown, command: Command) =>
      ends(
        import("./flash-relay.ts").then(({ flashRelay }) =>
          flashRelay(shell, command.optsWithGlobals<FlashRelayOptions>()),
        ),
      ),
    );
}
