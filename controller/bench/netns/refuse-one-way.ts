/** What an experiment asks of cables that the switches of this bench cut: told before anything starts. */

import type { Bench } from "../../../hardware/bench.ts";
import type { Experiment } from "../../experiment/model.ts";
import { BenchFailure } from "../bench.ts";
import { isReplaced } from "./managed-bench.ts";

/** Refuses one-way cuts of cables that are cut both ways or not at all. @throws {BenchFailure} which names such a cable */
export function refuseOneWay({ faults }: Experiment, { cables, cutters }: Bench): void {
  if (!faults.some(({ fault }) => fault.kind === "one-way")) return;
  const both = new Set(cutters.filter(({ driver }) => isReplaced(driver)).map(({ name }) => name));
  const cable = cables.find(({ cutter }) => both.has(cutter.name));
  if (cable === undefined) return;
  throw new BenchFailure(
    `A netns bench cuts the cable ${cable.name} by a switch's port, which lets everything through or nothing, and the ` +
      'experiment demands a one-way cut. Write "cutter: firewall" in the bench\'s file: then the boards drop what comes.',
  );
}
