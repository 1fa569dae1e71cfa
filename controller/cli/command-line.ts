/** Which commands there are. What each of them does stands in a file of its own, which is loaded when it is called. */

import { Command, CommanderError } from "commander";
import { addCardCommands } from "./cards/commands.ts";
import { addClientCommands } from "./client/commands.ts";
import type { Ends } from "./ends.ts";
import type { FuzzOptions } from "./fuzz.ts";
import { addKeyCommands } from "./keys/commands.ts";
import { addLocalCommands } from "./local/commands.ts";
import { countOption, minutesOption, seedOption } from "./options.ts";
import { addPlanCommands } from "./plan/commands.ts";
import { addRackCommands } from "./rack/commands.ts";
import type { RunOptions } from "./run.ts";
import { type ExitStatus, exitStatus, type Shell, UsageError } from "./shell.ts";
import { addSpeedCommands } from "./speed/commands.ts";
import { version } from "./version.ts";

/** Everything that can be typed after `adrift`. */
export type CommandLine = {
  /** Runs the command that the arguments name. Never throws. */
  execute(args: readonly string[]): Promise<ExitStatus>;
};

/** The command line of a shell. */
export function createCommandLine(shell: Shell): CommandLine {
  let status: ExitStatus = exitStatus.done;
  /** Runs a command and keeps the status with which it ended. */
  const ends: Ends = async (command) => {
    status = await command;
  };

  const program = new Command("adrift")
    .description("A bench on which to learn, teach and test distributed consensus with your own hands.")
    .version(version)
    .addHelpText("after", helpAfter)
    .configureOutput({ writeOut: (text) => shell.out.write(text), writeErr: (text) => shell.err.write(text) })
    .configureHelp({ showGlobalOptions: false })
    .exitOverride();

  program
    .command("demo")
    .description("five simulated boards, the leader's cable cut, a timeline and a verdict")
    .option("--seed <number>", "the number from which the run follows, whole", seedOption, 1)
    .action((options: { seed: number }) => ends(import("./demo.ts").then(({ demo }) => demo(shell, options))));

  program
    .command("run")
    .description("run an experiment on a bench, keep the run, and judge it")
    .argument("[experiment]", "a file, or the name of a ready experiment")
    .option("--list", "list the ready experiments")
    .option("--bench <bench>", "simulated: a bench.yaml, or a ready bench; in real time: local, or local:BENCH")
    .option("--seed <number>", "the number from which a simulated run follows, whole", seedOption)
    .option("--dry-run", "only say what each fault would cut, and by which cutter; nothing moves")
    .option("--json", "print one JSON document and nothing else")
    .action((experiment: string | undefined, options: RunOptions) =>
      ends(import("./run.ts").then(({ run }) => run(shell, experiment, options))),
    );

  program
    .command("replay")
    .description("run a kept run again, from its seed, and compare")
    .argument("<run>", "the run's folder, or latest")
    .option("--json", "print one JSON document and nothing else")
    .action((run: string, options: { json?: true }) =>
      ends(import("./replay.ts").then(({ replay }) => replay(shell, run, options))),
    );

  program
    .command("check")
    .description("the verdict on any history file")
    .argument("<history>", "a history.jsonl, or - for standard input")
    .option("--json", "print one JSON document and nothing else")
    .action((history: string, options: { json?: true }) =>
      ends(import("./check.ts").then(({ check }) => check(shell, history, options))),
    );

  program
    .command("fuzz")
    .description("many random simulated runs, on all cores")
    .option("--seeds <count>", "how many (default: 100, or with --minutes as many as fit)", countOption)
    .option("--from <seed>", "the first seed", seedOption, 1)
    .option("--minutes <minutes>", "go on for so long", minutesOption)
    .option("--mutant <name>", "break a rule on purpose and hunt for it: the name of a mutant, or all")
    .option("--json", "print one JSON document and nothing else")
    .action((options: FuzzOptions) => ends(import("./fuzz.ts").then(({ fuzz }) => fuzz(shell, options))));

  for (const add of commandGroups) add(program, shell, ends);

  return {
    async execute(args) {
      try {
        await program.parseAsync(args, { from: "user" });
        return status;
      } catch (error) {
        return explain(error, shell);
      }
    },
  };
}

const commandGroups = [
  addLocalCommands,
  addClientCommands,
  addKeyCommands,
  addPlanCommands,
  addCardCommands,
  addRackCommands,
  addSpeedCommands,
];

const helpAfter = `
Begin with:
  npx adrift demo              watch a leader lose its cable
  npx adrift run --list        the ready experiments
  npx adrift run trunk-split   run one of them
  npx adrift up                five boards as processes of this machine

Exit status: 0 valid or done, 1 invalid or failed, 2 unknown, 64 wrong arguments or files, 70 a fault of Adrift's own.`;

/** Tells what went wrong to whoever has to do something about it. */
function explain(error: unknown, shell: Shell): ExitStatus {
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitStatus.done : exitStatus.usage;
  if (error instanceof UsageError || isAboutAFile(error)) {
    shell.err.write(`${error.message}\n`);
    return exitStatus.usage;
  }
  if (error instanceof Error && error.name === "BenchFailure") {
    shell.err.write(`${error.message}\n`);
    return exitStatus.failed;
  }
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  shell.err.write(
    `This is a fault of Adrift's own, not of yours. Please report it, with these lines:\n\n` +
      `  ${shell.commandLine}\n  adrift ${version}, Node ${process.version}, ${process.platform} ${process.arch}\n` +
      `${stack.replaceAll(/^/gm, "  ")}\n\nThe same command with the same seed shows it again.\n`,
  );
  return exitStatus.fault;
}

/** What the readers of our file formats throw. By name, so that their modules need not be loaded to say so. */
function isAboutAFile(error: unknown): error is Error {
  return error instanceof Error && namesOfFileErrors.has(error.name);
}

const namesOfFileErrors: ReadonlySet<string> = new Set(["YamlFileError", "HistoryError", "RunFolderError"]);
