/** The command that measures speed. */

import { type Command, Option } from "commander";
import type { Ends } from "../ends.ts";
import { countOption } from "../options.ts";
import type { Shell } from "../shell.ts";
import type { BenchOptions } from "./bench.ts";

/** Adds them to the program. */
export function addSpeedCommands(program: Command, shell: Shell, ends: Ends): void {
  program
    .command("bench")
    .description("speed: three boards and a broker as processes of this machine, measured by clients over MQTT")
    .addOption(new Option("--vs <peer>", "measure a peer beside it, in alternating rounds").choices(["etcd"]))
    .option("--seconds <count>", "how long each round of load is", countOption, 5)
    .option("--rounds <count>", "how many rounds of each load", countOption, 3)
    .option("--faults <count>", "how many leaders are lost, of each kind of fault", countOption, 20)
    .addOption(new Option("--only <part...>", "measure only this").choices(["start", "writes", "reads", "kill", "cut"]))
    .option("--check", "write down what clients see, and judge it")
    .option("--json", "print one JSON document and nothing else")
    .action((options: BenchOptions) => ends(import("./bench.ts").then(({ bench }) => bench(shell, options))));
}
