/** This machine: its Node, and what earlier runs left on it. */

import { type Finding, ok, warning, wrong } from "./finding.ts";

/** What is left of runs that were killed. */
export type Leftovers = {
  /** What is cut and nobody will heal, each with what to do about it. */
  cuts(): Promise<readonly { readonly what: string; readonly advice: string }[]>;
  /** Names of network namespaces. */
  namespaces(): Promise<readonly string[]>;
  /** Folders of benches that ran as processes of this machine, emulated ones among them. */
  benches(): Promise<readonly string[]>;
};

/** The oldest Node that Adrift runs on, as its `package.json` says it. */
export const nodeFloor = "20.19.0";

/** Whether this Node is one that Adrift is made for. @param version `v20.19.2` */
export function checkNode(version: string): readonly Finding[] {
  if (isAtLeast(version, nodeFloor)) return [ok("Node", version)];
  return [
    wrong("Node", `this is ${version}, and Adrift needs ${nodeFloor} or later`, "Install a later one (nodejs.org)."),
  ];
}

/** Cuts that nobody will heal. */
export async function checkLeftoverCuts({ cuts }: Pick<Leftovers, "cuts">): Promise<readonly Finding[]> {
  const left = await cuts();
  if (left.length === 0) return [ok("cuts", nothingLeft)];
  return left.map(({ what, advice }) => wrong("cuts", `${what} may still be cut`, advice));
}

/** Network namespaces whose run is gone. */
export async function checkLeftoverNamespaces({
  namespaces,
}: Pick<Leftovers, "namespaces">): Promise<readonly Finding[]> {
  const names = await namespaces();
  if (names.length === 0) return [ok("network namespaces", nothingLeft)];
  const some = names.slice(0, shownMax).join(", ") + (names.length > shownMax ? ", ..." : "");
  return [
    warning(
      "network namespaces",
      `a run that was killed left ${names.length} (${some})`,
      `The next "--bench netns" removes them; by hand: ip netns delete NAME.`,
    ),
  ];
}

/** Folders, and perhaps stopped processes, of benches whose command is gone. */
export async function checkStaleBenches({ benches }: Pick<Leftovers, "benches">): Promise<readonly Finding[]> {
  const folders = await benches();
  if (folders.length === 0) return [ok("local benches", nothingLeft)];
  const advice = "The next local bench of this user removes it, and ends what still belongs to it.";
  return folders.map((folder) => warning("local benches", `one that was killed left ${folder}`, advice));
}

const nothingLeft = "none are left of earlier runs";
const shownMax = 4;

function isAtLeast(version: string, floor: string): boolean {
  const [one, other] = [version, floor].map((text) => text.replace(/^v/, "").split(".").map(Number));
  for (const [at, least] of (other ?? []).entries()) {
    const part = one?.[at] ?? 0;
    if (part !== least) return part > least;
  }
  return true;
}
