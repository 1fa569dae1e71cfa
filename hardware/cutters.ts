/** The cutters of a bench: those that the file declares and those that need no declaration, checked against the cables. */

import type { Placed } from "./entries.ts";
import { repeated } from "./entries.ts";
import type { Cable, Cutter, Switch, SwitchManagement } from "./model.ts";
import type { BenchFile } from "./schema.ts";
import { unknownName } from "./suggestion.ts";
import type { Path, Problems } from "./yaml-file.ts";

/** Cutters that need no settings: a cable may name them though the file does not declare them. */
const readyCutters: readonly Cutter[] = [
  { name: "virtual", driver: "virtual" },
  { name: "hand", driver: "hand" },
  { name: "firewall", driver: "firewall", user: null },
  { name: "broker", driver: "broker" },
];

/** The cutters that the file declares, then the ready ones that cables use. */
export function resolveCutters(
  file: BenchFile,
  cables: readonly Placed<Cable>[],
  switches: readonly Switch[],
  problems: Problems,
): readonly Cutter[] {
  const declared: readonly Cutter[] = file.cutters ?? [];
  const places = declared.map((entry, position) => ({ entry, path: ["cutters", position] }));
  for (const { entry, path } of repeated(places)) {
    problems.add([...path, "name"], `There are two cutters called "${entry.name}"; each needs a name of its own.`);
  }
  for (const { entry, path } of places) checkCutter(entry, path, switches, problems);

  const ready = readyCutters.filter((each) => !declared.some((own) => own.name === each.name));
  const known = [...declared, ...ready];
  for (const cable of cables) checkCableCutter(cable, known, problems);
  checkChannels(cables, problems);
  const named = new Set(cables.map(({ entry }) => entry.cutter.name));
  return [...declared, ...ready.filter((each) => named.has(each.name))];
}

function checkCutter(cutter: Cutter, path: Path, switches: readonly Switch[], problems: Problems): void {
  const ready = readyCutters.find((each) => each.name === cutter.name);
  if (ready !== undefined && ready.driver !== cutter.driver) {
    const message = `"${cutter.name}" always means the driver ${ready.driver}: give this cutter another name.`;
    problems.add([...path, "name"], message);
  }
  if (cutter.driver !== "switch") return;
  checkManagement(cutter, path, problems);
  const names = switches.map((each) => each.name);
  if (names.includes(cutter.switch)) return;
  problems.add([...path, "switch"], `The cutter ${cutter.name}: ${unknownName("switch", cutter.switch, names)}`);
}

/** Checks that there is a user where the protocol has users. `owner` is a cutter or a power source. */
export function checkManagement(
  owner: { readonly name: string } & SwitchManagement,
  path: Path,
  problems: Problems,
): void {
  const hasUsers = owner.protocol !== "snmp-v2c";
  if (hasUsers === (owner.user !== null)) return;
  problems.add(
    path,
    hasUsers
      ? `${owner.name}: ${owner.protocol} needs a user. Write "user:" and who may manage the switch.`
      : `${owner.name}: SNMP v2c has no users, only the community in the passwordFile. Leave out "user".`,
  );
}

function checkCableCutter({ entry, path }: Placed<Cable>, known: readonly Cutter[], problems: Problems): void {
  const { name, channel } = entry.cutter;
  const place = [...path, "cutter"];
  const cutter = known.find((each) => each.name === name);
  if (cutter === undefined) {
    const names = known.map((each) => each.name);
    problems.add(place, `What opens the cable ${entry.name}: ${unknownName("cutter", name, names)}`);
    return;
  }
  if (hasChannels(cutter) && channel === null) {
    const message = `Which channel of ${name} opens the cable ${entry.name}? Write it on the cable, as in "cutter: ${name}:1".`;
    problems.add(place, message);
  }
  if (!hasChannels(cutter) && channel !== null) {
    const message = `${name} (driver ${cutter.driver}) has no channels: the cable ${entry.name} needs "cutter: ${name}" alone.`;
    problems.add(place, message);
  }
  if (cutter.driver === "switch") checkSwitchPort(entry, place, cutter, problems);
}

function checkSwitchPort(
  cable: Cable,
  place: Path,
  cutter: Extract<Cutter, { driver: "switch" }>,
  problems: Problems,
): void {
  const end = cable.ends.find(({ node }) => node === cutter.switch);
  if (end === undefined) {
    const message = `${cutter.name} closes ports of ${cutter.switch}, but the cable ${cable.name} is not plugged in there.`;
    problems.add(place, message);
  } else if (cutter.protectedPorts.includes(end.port)) {
    const message =
      `${cutter.name} never closes the port ${end.port} of ${cutter.switch}, into which the cable ${cable.name} is plugged: ` +
      "it is one of its protectedPorts. Plug the cable in elsewhere, or name another cutter.";
    problems.add(place, message);
  }
}

function hasChannels(cutter: Cutter): boolean {
  switch (cutter.driver) {
    case "relay":
    case "usb-relay":
    case "gpio":
      return true;
    case "switch":
    case "firewall":
    case "broker":
    case "hand":
    case "virtual":
      return false;
    default:
      return cutter satisfies never;
  }
}

function checkChannels(cables: readonly Placed<Cable>[], problems: Problems): void {
  const users = new Map<string, string>();
  for (const { entry, path } of cables) {
    if (entry.cutter.channel === null) continue;
    const channel = `${entry.cutter.name}:${entry.cutter.channel}`;
    const first = users.get(channel);
    if (first !== undefined) {
      problems.add(
        [...path, "cutter"],
        `${channel} opens the cable ${first} already; ${entry.name} needs another channel.`,
      );
    }
    users.set(channel, entry.name);
  }
}
