/** Cables of a rack that nothing opens: they stay whole, and whoever wants one cut is told what to write. */

import type { Cable } from "../../../hardware/bench.ts";
import { CutterFailure, type OpenCutter } from "../../cutters/cutter.ts";

/** The driver `virtual` on a rack. What it does not cut needs no healing. */
export function uncutCables(): OpenCutter {
  return {
    name: "virtual",
    healsByItself: true,
    cutsOneWay: false,
    cut: (cable) => Promise.reject(new CutterFailure(uncutWords(cable))),
    heal: () => Promise.resolve(),
    read: () => Promise.resolve("whole"),
    identify: () => Promise.resolve({ device: "nothing", remarks: ["It opens no cable of a rack."] }),
    close: () => Promise.resolve(),
  };
}

/** Why such a cable cannot be cut, and what to write into the bench's file. */
export function uncutWords({ name }: Pick<Cable, "name">): string {
  return `Nothing opens the cable ${name} of a rack: give it a cutter, as in "cutter: hand" or "cutter: relays:1".`;
}
