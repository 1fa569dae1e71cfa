/** What earlier runs left cut, as `adrift heal` and `adrift doctor` find it. */

import { persist, wordsOf } from "../../cutters/lease-bounds.ts";
import { abandoned, describeThing, readLedger, usualLedgerFolder } from "../../cutters/ledger.ts";
import { healEntry } from "../../cutters/ledger-heal.ts";
import type { Person } from "../../cutters/surroundings.ts";

/** Something that is cut and that nobody who lives will heal, or of which nobody can tell. */
export type LeftoverCut = {
  /** For people: `the cable pi-3 of the bench rack`, or the path of a damaged file. */
  readonly what: string;
  /** Why it is left, and what to do now. */
  readonly advice: string;
};

/** Lists what is left. */
export async function leftoverCuts(ledgerFolder = usualLedgerFolder()): Promise<readonly LeftoverCut[]> {
  const files = await readLedger(ledgerFolder);
  const left = await abandoned(files);
  return [
    ...left.map(({ entry }) => ({
      what: describeThing(entry),
      advice: 'A run was killed before it could heal it. "npx adrift heal" does it now.',
    })),
    ...files.flatMap((file) => (file.entry === null ? [damaged(file.path, file.reason)] : [])),
  ];
}

/**
 * Heals what is left.
 *
 * @param tell hears of each thing that was healed
 * @param person who is asked to plug in what was pulled by hand
 * @returns what is still cut
 */
export async function healLeftovers(
  ledgerFolder: string,
  tell: (sentence: string) => void,
  person: Person,
): Promise<readonly LeftoverCut[]> {
  const files = await readLedger(ledgerFolder);
  const left: LeftoverCut[] = files.flatMap((file) => (file.entry === null ? [damaged(file.path, file.reason)] : []));
  for (const record of await abandoned(files)) {
    const what = describeThing(record.entry);
    try {
      await persist(() => healEntry(ledgerFolder, record, { person }), healMsMax);
      tell(`An earlier run left ${what} cut: healed.`);
    } catch (error) {
      left.push({ what, advice: wordsOf(error) });
    }
  }
  return left;
}

const healMsMax = 3_000;

function damaged(path: string, reason: string): LeftoverCut {
  return {
    what: `what ${path} tells of`,
    advice: `This file cannot be read: ${reason}. Start the bench once, which heals all its cables, then remove this file.`,
  };
}
