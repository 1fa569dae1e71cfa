/** `adrift plan`: from what somebody wishes to what would be cut, by what, and who hears whom then. */

import { existsSync } from "node:fs";
import { join } from "node:path";
import { type Bench, parseBench } from "../../../hardware/bench.ts";
import { unknownName } from "../../../hardware/suggestion.ts";
import { completeGroups, GroupsError } from "../../bench/local/partition.ts";
import { plan, type Wish } from "../../bench/plan.ts";
import { parseGroups } from "../../experiment/target.ts";
import { painter } from "../../report/paint.ts";
import { capitalized } from "../../report/words.ts";
import { chooseBench, findBench } from "../files.ts";
import { type ExitStatus, exitStatus, type Shell, UsageError } from "../shell.ts";
import { planText } from "./plan-text.ts";

/** The options of `adrift plan`, as given. */
export type PlanOptions = {
  readonly bench?: string;
  readonly isolate?: string;
  readonly from?: string;
  readonly to?: string;
  readonly cut?: string;
  readonly json?: true;
};

const usualBench = "five-boards";

/** Plans a wish and prints the plan, or why there is none. */
export function planCuts(shell: Shell, groups: readonly string[], options: PlanOptions): ExitStatus {
  const usual = existsSync(join(shell.folder, "bench.yaml")) ? "./bench.yaml" : usualBench;
  // The cutters are those of the file, on whatever kind of bench.
  const file = findBench(chooseBench(options.bench).bench ?? usual, shell.folder);
  const bench = parseBench(file.text, file.name);
  const wish = wishFrom(groups, options, bench);
  const planned = plan(wish, bench);
  if (options.json === true) shell.out.write(`${JSON.stringify({ bench: bench.name, wish, ...planned }, null, 2)}\n`);
  else
    shell.out.write(
      planText(wish, bench, planned, { columns: shell.out.columns, paint: painter(shell.out.isColoured) }),
    );
  return planned.kind === "possible" ? exitStatus.done : exitStatus.failed;
}

/** @throws {UsageError} if not exactly one thing is asked for, or a name is not on the bench. */
function wishFrom(groups: readonly string[], { isolate, from, to, cut }: PlanOptions, bench: Bench): Wish {
  const boards = bench.boards.map(({ name }) => name);
  const asked = [groups.length > 0, isolate !== undefined, from !== undefined || to !== undefined, cut !== undefined];
  if (asked.filter(Boolean).length !== 1) {
    throw new UsageError(
      'Ask for one thing: groups, as in "pi-1,pi-2 | pi-3", or --isolate, or --from with --to, or --cut. ' +
        '"npx adrift plan --help" has an example of each.',
    );
  }
  if (cut !== undefined) {
    const known = bench.cables.map(({ name }) => name);
    return { kind: "cut", cables: namesIn(cut, "cable", known) };
  }
  if (isolate !== undefined) return isolation(namesIn(isolate, "board", boards), boards);
  if (groups.length === 0) {
    if (from === undefined || to === undefined) {
      throw new UsageError(
        "One direction has two ends: write --from and the boards that speak, and --to and those that listen.",
      );
    }
    return oneWay(namesIn(from, "board", boards), namesIn(to, "board", boards));
  }
  try {
    const given = groups.flatMap((text) => parseGroups(text)).filter((group) => group.length > 0);
    if (given.length === 1) refuseAll(given.flat(), boards);
    return { kind: "split", groups: completeGroups(bench, given) };
  } catch (error) {
    throw error instanceof GroupsError ? new UsageError(error.message) : error;
  }
}

function isolation(isolated: readonly string[], boards: readonly string[]): Wish {
  refuseAll(isolated, boards);
  return { kind: "isolate", boards: isolated };
}

/** Boards are parted from others. */
function refuseAll(named: readonly string[], boards: readonly string[]): void {
  if (!boards.every((board) => named.includes(board))) return;
  const [only] = boards;
  throw new UsageError(
    boards.length === 1
      ? `${only} is the only board of this bench: there is nobody from whom it could be parted.`
      : "Nobody would be left from whom these boards could be parted: leave one out.",
  );
}

function oneWay(from: readonly string[], to: readonly string[]): Wish {
  if (from.some((speaker) => to.some((listener) => listener !== speaker))) return { kind: "one-way", from, to };
  throw new UsageError(`What ${from[0]} says to itself goes over no cable: name another board after --to.`);
}

/** Names with commas between them, each of which is known. */
function namesIn(text: string, what: string, known: readonly string[]): readonly string[] {
  const names = text
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");
  if (names.length === 0) throw new UsageError(`Which ${what}? Known: ${known.join(", ")}.`);
  for (const name of names)
    if (!known.includes(name)) throw new UsageError(capitalized(unknownName(what, name, known)));
  return [...new Set(names)];
}
