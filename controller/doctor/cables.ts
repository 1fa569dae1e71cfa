/** The cables as the bench's file describes them. */

import type { Bench } from "../../hardware/bench.ts";
import { meansOf } from "../bench/plan-means.ts";
import { count } from "../report/words.ts";
import { type Finding, ok, warning, wrong } from "./finding.ts";
import { isOpenedByRelays, relayAdvice, relaySpeedMbpsMax } from "./switches.ts";

/** Whether each can be opened by its cutter. */
export function checkCables(bench: Bench): readonly Finding[] {
  const findings = [...tooFast(bench), ...outOfReach(bench)];
  return findings.length > 0 ? findings : [ok(count(bench.cables.length, "cable"), "as their cutters need them")];
}

/** Relays open the two pairs of 100BASE-TX; a faster link uses all four, and may go on slower instead of ending. */
function tooFast(bench: Bench): readonly Finding[] {
  return bench.cables
    .filter((cable) => cable.speedMbps > relaySpeedMbpsMax && isOpenedByRelays(bench, cable))
    .map(({ name, speedMbps, cutter }) => {
      const what = `the bench's file says ${speedMbps} Mb/s, and the relays of ${cutter.name} open two of the four pairs`;
      return wrong(name, what, `${relayAdvice} Then write speedMbps: 100.`);
    });
}

/** A firewall cuts at boards. A port that is protected is so on purpose, and the other cutters say themselves what is amiss. */
function outOfReach(bench: Bench): readonly Finding[] {
  return bench.cables.flatMap((cable) => {
    const isByFirewall = bench.cutters.some(({ name, driver }) => name === cable.cutter.name && driver === "firewall");
    const means = meansOf(bench, cable);
    if (!isByFirewall || means.means !== null) return [];
    return [warning(cable.name, `it ${means.why}`, "Give this cable another cutter, or nothing opens it.")];
  });
}
