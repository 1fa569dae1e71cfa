/** The names of what a run makes in the kernel. They tell whose it is: see `leftovers.ts`. */

import type { NodeName } from "../../../hardware/bench.ts";

/** One run, by the process that started it: its number, and the clock ticks at which the kernel started it. */
export type RunId = { readonly pid: number; readonly startTicks: string };

/** Where `ip netns` keeps the names of network namespaces. */
export const namespaceFolder = "/run/netns";

/** How the names of all namespaces of a run begin. */
export function namespacePrefix({ pid, startTicks }: RunId): string {
  return `adrift-${pid}-${Number(startTicks).toString(36)}-`;
}

/** The namespace that stands for a machine or a switch. */
export function namespaceOf(run: RunId, node: NodeName): string {
  return `${namespacePrefix(run)}${node}`;
}

/** Whose namespace this is, and what stands in it; `null` if Adrift did not make it. */
export function parseNamespace(name: string): { readonly run: RunId; readonly node: NodeName } | null {
  const { pid, ticks, node } =
    /^adrift-(?<pid>\d{1,10})-(?<ticks>[0-9a-z]{1,11})-(?<node>.+)$/.exec(name)?.groups ?? {};
  if (pid === undefined || ticks === undefined || node === undefined) return null;
  return { run: { pid: Number(pid), startTicks: String(Number.parseInt(ticks, 36)) }, node };
}

/** What the kernel takes: up to 15 characters, of which none may be a slash or a space. */
const interfaceName = /^[A-Za-z][A-Za-z0-9._-]{0,14}$/;

/**
 * The names of a machine's interfaces, by the labels of its ports: the labels themselves where the kernel takes them. A
 * number is legal but `ip` would take it for an index, so port 1 is called `port1`.
 *
 * @param taken names that mean something else there
 */
export function interfaceNames(labels: readonly string[], taken: readonly string[]): ReadonlyMap<string, string> {
  const used = new Set(["lo", ...taken]);
  const names = new Map<string, string>();
  for (const label of labels) {
    const wanted = [label, `port${label}`].find((name) => interfaceName.test(name) && !used.has(name));
    const name = wanted ?? firstFree(used);
    used.add(name);
    names.set(label, name);
  }
  return names;
}

function firstFree(used: ReadonlySet<string>): string {
  let number = 1;
  while (used.has(`port-${number}`)) number += 1;
  return `port-${number}`;
}
