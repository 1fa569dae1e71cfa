/** The cables as the bench's file describes them. */

import type { Bench } from "../../hardware/bench.ts";
import { count } from "../report/words.ts";
import { type Finding, ok, wrong } from "./finding.ts";
import { isOpenedByRelays, relayAdvice, relaySpeedMbpsMax } from "./switches.ts";

/** Relays open the two pairs of 100BASE-TX; a faster link uses all four, and may go on slower instead of ending. */
export function checkCables(bench: Bench): readonly Finding[] {
  const findings = bench.cables
    .filter((cable) => cable.speedMbps > relaySpeedMbpsMax && isOpenedByRelays(bench, cable))
    .map(({ name, speedMbps, cutter }) => {
      const what = `the bench's file says ${speedMbps} Mb/s, and the relays of ${cutter.name} open two of the four pairs`;
      return wrong(name, what, `${relayAdvice} Then write speedMbps: 100.`);
    });
  return findings.length > 0
    ? findings
    : [ok(count(bench.cables.length, "cable"), "of a speed that its cutter can open")];
}
