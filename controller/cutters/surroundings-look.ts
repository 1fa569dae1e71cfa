/** Surroundings for whoever only looks: nobody is asked to do anything, and no commands are run. */

import type { Bench } from "../../hardware/bench.ts";
import { CutterFailure } from "./cutter.ts";
import { nobody } from "./person.ts";
import type { CutterSurroundings } from "./surroundings.ts";

/** @param folder where relative paths of the bench's file begin */
export function lookOnly(bench: Bench, folder: string): CutterSurroundings {
  return {
    bench,
    folder,
    hostOf: () => {
      throw new CutterFailure("Whoever only looks runs no commands.");
    },
    person: nobody,
    circuitSeen: () => null,
    virtual: null,
    openBrokers: null,
  };
}
