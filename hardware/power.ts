/** The power sources of a bench, checked against the boards that they feed. */

import { checkManagement } from "./cutters.ts";
import type { Named, Placed } from "./entries.ts";
import { repeated } from "./entries.ts";
import type { PowerOutlet, PowerSource } from "./model.ts";
import type { BenchFile } from "./schema.ts";
import { unknownName } from "./suggestion.ts";
import type { Problems } from "./yaml-file.ts";

type Fed = Named & { readonly power?: string | undefined };

/** The outlet that an entry names, such as `poe:3`. */
export function outletOf({ power }: Fed): PowerOutlet | null {
  if (power === undefined) return null;
  const [name = "", channel = ""] = power.split(":");
  return { name, channel };
}

/** The power sources that the file declares. */
export function resolvePowerSources(
  file: BenchFile,
  boards: readonly Placed<Fed>[],
  problems: Problems,
): readonly PowerSource[] {
  const declared: readonly PowerSource[] = file.powerSources ?? [];
  const places = declared.map((entry, position) => ({ entry, path: ["powerSources", position] }));
  for (const { entry, path } of repeated(places)) {
    problems.add(
      [...path, "name"],
      `There are two power sources called "${entry.name}"; each needs a name of its own.`,
    );
  }
  for (const { entry, path } of places) if (entry.driver === "poe") checkPoe(entry, path, problems);

  const users = new Map<string, string>();
  for (const { entry, path } of boards) {
    const outlet = outletOf(entry);
    if (outlet === null || entry.power === undefined) continue;
    const names = declared.map(({ name }) => name);
    if (!names.includes(outlet.name)) {
      problems.add([...path, "power"], `What feeds ${entry.name}: ${unknownName("power source", outlet.name, names)}`);
    }
    const first = users.get(entry.power);
    if (first !== undefined) problems.add([...path, "power"], `${entry.power} feeds ${first} already.`);
    users.set(entry.power, entry.name);
  }
  return declared;
}

function checkPoe(
  source: Extract<PowerSource, { driver: "poe" }>,
  path: readonly (string | number)[],
  problems: Problems,
): void {
  checkManagement(source, path, problems);
  if (source.protocol === "mikrotik") {
    problems.add(
      [...path, "protocol"],
      `${source.name}: power over Ethernet is switched by SNMP: snmp-v3 or snmp-v2c.`,
    );
  }
}
