/** Looks at everything at once: each look ends in time, and one that fails hides no other. */

import { type Finding, reasonOf, unchecked } from "./finding.ts";

/** A look at one thing, or at several that are seen together. */
export type Check = {
  /** The group in which its findings are told. */
  readonly group: GroupName;
  /** What is looked at, should the look itself fail. */
  readonly where: string;
  look(): Promise<readonly Finding[]> | readonly Finding[];
};

/** The groups, in the order in which they are told. */
export const groupNames = [
  "this machine",
  "keys",
  "brokers",
  "boards",
  "cutters",
  "power",
  "switches",
  "cables",
] as const;

/** One of them. */
export type GroupName = (typeof groupNames)[number];

/** What was found, group by group; a group of which nothing was looked at is left out. */
export type Group = { readonly name: GroupName; readonly findings: readonly Finding[] };

/** Beyond this a look has failed. The slowest device that is well needs six seconds, a relay board that starts anew. */
const lookMsMax = 10_000;

/** Carries out all checks. Never rejects. */
export async function examine(checks: readonly Check[], withinMs = lookMsMax): Promise<readonly Group[]> {
  const looks = await Promise.all(
    checks.map(async (check) => ({ group: check.group, findings: await lookInTime(check, withinMs) })),
  );
  return groupNames.flatMap((name) => {
    const findings = looks.filter(({ group }) => group === name).flatMap((look) => look.findings);
    return findings.length === 0 ? [] : [{ name, findings }];
  });
}

async function lookInTime({ where, look }: Check, withinMs: number): Promise<readonly Finding[]> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<readonly Finding[]>((resolve) => {
    const what = `no answer within ${withinMs / 1_000} s`;
    timer = setTimeout(
      () => resolve([unchecked(where, what, "Try again; if it stays so, look at it yourself.")]),
      withinMs,
    );
  });
  try {
    return await Promise.race([Promise.resolve().then(look), late]);
  } catch (error) {
    return [unchecked(where, reasonOf(error), null)];
  } finally {
    clearTimeout(timer);
  }
}
