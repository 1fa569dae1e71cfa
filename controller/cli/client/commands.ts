/** The commands that ask a running cluster: a client at the prompt, what the boards say. */

import { type Command, Option } from "commander";
import type { Ends } from "../ends.ts";
import type { Shell } from "../shell.ts";
import type { Asked } from "./operate.ts";
import { type ClientOptions, durationOption, severalOption } from "./options.ts";

/** Adds them to the program. */
export function addClientCommands(program: Command, shell: Shell, ends: Ends): void {
  const operate = (asked: Asked, options: ClientOptions): Promise<void> =>
    ends(import("./operate.ts").then((module) => module.operate(shell, asked, options)));

  addOptions(program.command("get"))
    .description("read a key of a running cluster")
    .argument("<key>")
    .addOption(new Option("--lease", "trust the leader's clock instead of asking a majority").conflicts("stale"))
    .option("--stale", "trust what a board knows, which may be long past")
    .action((key: string, options: ClientOptions & { lease?: true; stale?: true }) =>
      operate({ op: "read", key, mode: readMode(options) }, options),
    );

  addTextOption(addOptions(program.command("put")))
    .description("write a value under a key")
    .argument("<key>")
    .argument("<value>", "JSON; what is none is taken as text")
    .action((key: string, value: string, options: ClientOptions) => operate({ op: "write", key, value }, options));

  addTextOption(addOptions(program.command("cas")))
    .description("compare and swap: write NEXT if EXPECTED stands there")
    .argument("<key>")
    .argument("<expected>", "JSON; null for a key that is not there")
    .argument("<next>", "JSON; what is none is taken as text")
    .action((key: string, expected: string, next: string, options: ClientOptions) =>
      operate({ op: "cas", key, expected, next }, options),
    );

  addOptions(program.command("append"))
    .description("lengthen the text under a key")
    .argument("<key>")
    .argument("<text>")
    .action((key: string, text: string, options: ClientOptions) => operate({ op: "append", key, text }, options));

  addOptions(program.command("add"))
    .description("add to the number under a key, and tell the sum")
    .argument("<key>")
    .argument("<number>")
    .action((key: string, number: string, options: ClientOptions) => operate({ op: "add", key, number }, options));

  addOptions(program.command("delete"))
    .description("remove a key")
    .argument("<key>")
    .action((key: string, options: ClientOptions) => operate({ op: "delete", key }, options));

  addOptions(program.command("status"))
    .description("what the boards of a running cluster say of themselves, once")
    .action((options: ClientOptions) => ends(import("./status.ts").then((module) => module.status(shell, options))));

  addOptions(program.command("watch"))
    .description("what the boards say, live, until q or Ctrl-C")
    .action((options: ClientOptions) => ends(import("./watch.ts").then((module) => module.watch(shell, options))));
}

/** Adds to a command how the cluster is found, and how patient the command is. */
export function addOptions(command: Command): Command {
  return command
    .addOption(
      new Option("--broker <url>", "a broker, such as mqtt://127.0.0.1:1883; may be repeated")
        .argParser(severalOption)
        .default([], "those that run in this folder"),
    )
    .option("--cluster <name>", "the cluster's name, with --broker")
    .option("--bench <file>", "a rack's bench.yaml: its brokers, and the keys beside it")
    .option("--keys <folder>", "the folder of keys that adrift init made")
    .option("--as <name>", "whose keys to use (default: client)")
    .addOption(
      new Option("--timeout <duration>", "how long to wait, such as 500ms or 5s")
        .argParser(durationOption)
        .default(5_000, "5s"),
    )
    .option("--json", "print JSON and nothing else");
}

function addTextOption(command: Command): Command {
  return command.option("--text", "take values as text, even where they are JSON");
}

function readMode({
  lease,
  stale,
}: {
  readonly lease?: true;
  readonly stale?: true;
}): "linearizable" | "lease" | "stale" {
  if (stale === true) return "stale";
  return lease === true ? "lease" : "linearizable";
}
