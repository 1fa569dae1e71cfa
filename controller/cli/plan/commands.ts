/** The command that plans cuts before anything moves. */

import type { Command } from "commander";
import type { Ends } from "../ends.ts";
import type { Shell } from "../shell.ts";
import type { PlanOptions } from "./plan.ts";

/** Adds it to the program. */
export function addPlanCommands(program: Command, shell: Shell, ends: Ends): void {
  program
    .command("plan")
    .description("what would have to be cut to part boards, by which cutters, before anything moves")
    .argument("[groups...]", "boards with commas between them, groups with a bar: 'pi-1,pi-2 | pi-3,pi-4,pi-5'")
    .option(
      "--bench <bench>",
      "a bench.yaml, or the name of a ready bench (default: ./bench.yaml, or else five-boards)",
    )
    .option("--isolate <boards>", "these boards here, all others there")
    .option("--from <boards>", "with --to: lose only what these boards say")
    .option("--to <boards>", "with --from: to these")
    .option("--cut <cables>", "these cables, whatever that means for the boards")
    .option("--json", "print one JSON document and nothing else")
    .addHelpText("after", examples)
    .action((groups: string[], options: PlanOptions) =>
      ends(import("./plan.ts").then(({ planCuts }) => planCuts(shell, groups, options))),
    );
}

const examples = `
Ask for one thing:
  npx adrift plan 'pi-1,pi-2 | pi-3,pi-4,pi-5'   no board hears one of the other group
  npx adrift plan --isolate pi-3                 pi-3 alone
  npx adrift plan --from pi-1 --to pi-2          what pi-1 says to pi-2 is lost, all else arrives
  npx adrift plan --cut pi-3,trunk               who hears whom while these are cut

Exit status: 0 it can be done, 1 it cannot (and what would allow it), 64 wrong arguments or files.`;
