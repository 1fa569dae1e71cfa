/** The managed switches: ports that make a healed cable wait, and ports too fast for the relays in their cables. */

import type { Bench, Cable, CutterDriver } from "../../hardware/bench.ts";
import { type Finding, ok, unchecked, warning, wrong } from "./finding.ts";

/** A port as its switch tells of it. */
export type PortLook = {
  /** `null`: it has no link, or the switch does not say. */
  readonly speedMbps: number | null;
  readonly spanningTree: SpanningTree;
};

/**
 * What the spanning tree does at a port. `edge`: it knows that no switch is behind it, and waits for nothing. `down`: nothing
 * is plugged in, or the port is closed. `untold`: the switch does not say.
 */
export type SpanningTree = "off" | "edge" | "waits" | "blocks" | "down" | "untold";

/** Beyond this all four pairs carry, and a relay opens two. */
export const relaySpeedMbpsMax = 100;

const relayDrivers: ReadonlySet<CutterDriver> = new Set(["relay", "usb-relay", "gpio"]);

/** Whether relays open this cable. */
export function isOpenedByRelays(bench: Bench, { cutter }: Cable): boolean {
  return bench.cutters.some(({ name, driver }) => name === cutter.name && relayDrivers.has(driver));
}

/** What a look at the ports of a switch means for the cables of the bench. */
export function judgeSwitch(name: string, ports: ReadonlyMap<string, PortLook>, bench: Bench): readonly Finding[] {
  const cables = bench.cables.flatMap((cable) =>
    cable.ends.flatMap(({ node, port }) => (node === name ? [{ cable, port }] : [])),
  );
  const findings = cables.flatMap(({ cable, port }) => {
    const look = ports.get(port);
    const where = `${name}, port ${port}`;
    if (look === undefined) {
      const cure = `Name the port in the bench's file as the switch does: ${[...ports.keys()].join(", ")}.`;
      return [wrong(where, `the switch has none, and the cable ${cable.name} should be plugged in there`, cure)];
    }
    return [...speedFindings(where, cable, look, bench), ...treeFindings(where, cable, look, bench)];
  });
  const known = cables.flatMap(({ port }) => ports.get(port) ?? []);
  if (known.length > 0 && known.every(({ spanningTree }) => spanningTree === "untold")) findings.push(treeUntold(name));
  if (findings.length > 0) return findings;
  return [ok(name, "its ports open at once")];
}

function speedFindings(where: string, cable: Cable, { speedMbps }: PortLook, bench: Bench): readonly Finding[] {
  if (speedMbps === null || speedMbps <= relaySpeedMbpsMax || !isOpenedByRelays(bench, cable)) return [];
  const what = `it runs at ${speedMbps} Mb/s, and the relays in the cable ${cable.name} open two of the four pairs that carry it`;
  return [wrong(where, what, relayAdvice)];
}

/** What to do with a cable that is too fast for its relays. */
export const relayAdvice =
  'Have one side offer 100 Mb/s only: at the switch, or on the board "ethtool -s eth0 advertise 0x008".';

/** Between switches a spanning tree does what it is there for. */
function treeFindings(where: string, cable: Cable, { spanningTree }: PortLook, bench: Bench): readonly Finding[] {
  if (cable.ends.every(({ node }) => bench.switches.some(({ name }) => name === node))) return [];
  switch (spanningTree) {
    case "waits": {
      const what = `its spanning tree makes ${cable.name} wait up to 30 s more after each heal`;
      return [warning(where, what, "Make it an edge port (portfast), or switch the spanning tree off there.")];
    }
    case "blocks": {
      const what = `its spanning tree blocks it, so ${cable.name} reaches nobody`;
      return [wrong(where, what, "Is there a second way to the same machine, a loop? Take it away.")];
    }
    case "off":
    case "edge":
    case "down":
    case "untold":
      return [];
    default:
      return spanningTree satisfies never;
  }
}

function treeUntold(name: string): Finding {
  return unchecked(
    name,
    "it does not say whether a spanning tree runs at its ports (no BRIDGE-MIB)",
    "Look into its settings: boards' ports should be edge ports (portfast), or each heal takes up to 30 s more.",
  );
}
