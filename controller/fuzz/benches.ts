/** The ready benches, as campaigns use them. */

import { readFileSync } from "node:fs";
import { type Bench, parseBench } from "../../hardware/bench.ts";
import type { Benches } from "./scenario.ts";

let benches: Benches | null = null;

/** Reads the ready benches from their files, once. */
export function readyBenches(): Benches {
  benches ??= {
    fiveBoards: readBench("five-boards"),
    threeBoards: readBench("three-boards"),
    twoSwitches: readBench("two-switches"),
    inboxPerBoard: readBench("inbox-per-board"),
  };
  return benches;
}

function readBench(name: string): Bench {
  const file = new URL(`../../hardware/benches/${name}.yaml`, import.meta.url);
  return parseBench(readFileSync(file, "utf8"), `${name}.yaml`);
}
