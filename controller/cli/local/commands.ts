/** The commands that run boards and brokers on this machine, and cut what joins them. */

import { type Command, Option } from "commander";
import type { Ends } from "../ends.ts";
import type { Shell } from "../shell.ts";
import type { BrokerOptions } from "./broker.ts";
import type { CutOptions, PartitionOptions } from "./faults.ts";
import { folderOption, leaseOption, portOption } from "./options.ts";
import type { UpOptions } from "./up.ts";

const usualLeaseMs = 60_000;
const usualPort = 1_883;
const json = ["--json", "print one JSON document and nothing else"] as const;

/** For how long a cut lasts. */
function leaseFor(): Option {
  return new Option("--for <time>", "for how long").argParser(leaseOption).default(usualLeaseMs, "60s");
}

/** Adds them to the program. */
export function addLocalCommands(program: Command, shell: Shell, ends: Ends): void {
  program
    .command("up")
    .description("boards as processes of this machine, on real brokers, until Ctrl-C")
    .option(
      "--bench <bench>",
      "a bench.yaml, or the name of a ready bench (default: ./bench.yaml, or else five-boards)",
    )
    .option("--data <dir>", "keep what the boards store, and their logs, in this folder", folderOption)
    .option("--port <port>", "where the first broker is to be found; the next free one if taken", portOption, usualPort)
    .option("--keys <dir>", "a folder of keys: TLS, and everybody held to their name")
    .action((options: UpOptions) => ends(import("./up.ts").then(({ up }) => up(shell, options))));

  program
    .command("cut")
    .description("cut cables of the bench that runs in this folder")
    .argument("<cables...>", "cables, or boards, brokers and switches for all cables that are plugged in there")
    .addOption(leaseFor())
    .option("--from <end>", "lose only what comes from this end of the cable")
    .option(...json)
    .action((cables: string[], options: CutOptions) =>
      ends(import("./faults.ts").then(({ cut }) => cut(shell, cables, options))),
    );

  program
    .command("heal")
    .description("make cables whole again; without a name all of them")
    .argument("[cables...]", "cables, or what they are plugged into")
    .option(...json)
    .action((cables: string[], options: { json?: true }) =>
      ends(import("./faults.ts").then(({ heal }) => heal(shell, cables, options))),
    );

  program
    .command("partition")
    .description("cut what joins groups of boards")
    .argument("<groups...>", "boards with commas between them, groups with a bar: 'pi-1,pi-2 | pi-3,pi-4,pi-5'")
    .addOption(leaseFor())
    .option(...json)
    .action((groups: string[], options: PartitionOptions) =>
      ends(import("./faults.ts").then(({ partition }) => partition(shell, groups, options))),
    );

  program
    .command("broker")
    .description("one broker of a bench, until Ctrl-C; or the files with which Mosquitto is that broker")
    .option(
      "--bench <bench>",
      "a bench.yaml, or the name of a ready bench (default: ./bench.yaml, or else five-boards)",
    )
    .option("--broker <name>", "which of the bench's brokers, if it has several")
    .option("--host <address>", "where it listens; others reach it with keys only", "127.0.0.1")
    .option("--port <port>", "on which port (default: 1883, with keys 8883)", portOption)
    .option("--websocket-port <port>", "MQTT over WebSocket too, for pages", portOption)
    .option("--keys <dir>", "a folder of keys: TLS, and everybody held to their name")
    .option("--mosquitto", "start nothing, but make Mosquitto's files")
    .option("--print", "with --mosquitto: print the configuration (default)")
    .option("--write <dir>", "with --mosquitto: write the configuration and who may do what into this folder")
    .action((options: BrokerOptions) => ends(import("./broker.ts").then(({ broker }) => broker(shell, options))));
}
