/**
 * Which cards have been written for a bench: `.adrift/cards.json` in its folder. A cluster begins once, with boards that are
 * given a vote on their cards. A second card for one of them must not have it: the board would have forgotten what it
 * promised with the first.
 */

import { chownSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import * as z from "zod/mini";
import type { Bench, NodeName } from "../../hardware/bench.ts";
import { CardFailure } from "./card-failure.ts";

const record = z.object({
  format: z.literal(1),
  cluster: z.string(),
  founders: z.array(z.string()),
  /** When the card of a board was written last. */
  written: z.record(z.string(), z.string()),
});

/** The record as it is kept. */
export type CardRecord = z.output<typeof record>;

/** What the person says about boards whose cards were written before. */
export type Intent = "found" | "join" | null;

/** With whom the cluster begins, and which of the boards to be written get a vote on their card. */
export type Founding = {
  readonly founders: readonly NodeName[];
  readonly founds: (board: NodeName) => boolean;
  /** Boards whose cards are of a cluster that this one replaces, and are not written with it. */
  readonly outdated: readonly NodeName[];
  /** The founders that have no card so far. */
  readonly missing: () => readonly NodeName[];
  /** Notes that a card is about to be usable. */
  readonly note: (board: NodeName, now: Date) => void;
};

/**
 * Decides it.
 *
 * @throws {CardFailure} if only the person can know
 */
export function decideFounding(folder: string, bench: Bench, boards: readonly NodeName[], intent: Intent): Founding {
  const path = join(folder, ".adrift", "cards.json");
  const before = readRecord(path);
  const outdated = intent === "found" ? withoutNewCard(bench, before, boards) : [];
  const known = intent === "found" ? null : before;
  if (known !== null && known.cluster !== bench.cluster) {
    throw new CardFailure(
      `The cards of this folder were written for the cluster ${known.cluster}, but bench.yaml says ${bench.cluster}. Write all of ` +
        "them again with --found, or give the cluster its name back.",
    );
  }
  const again = boards.filter((name) => known?.written[name] !== undefined);
  const [first] = again;
  if (first !== undefined && intent === null) {
    throw new CardFailure(
      `A card of ${first} was written before (${known?.written[first]?.slice(0, 16).replace("T", " ")} UTC). Say what this one is for:\n` +
        "  --join   a new card, or new files, for a cluster that goes on\n" +
        "  --found  a new cluster, which forgets everything: write the cards of all boards again",
    );
  }
  const founders = known?.founders ?? bench.boards.map(({ name }) => name);
  const written = new Map(Object.entries(known?.written ?? {}));
  return {
    founders,
    outdated,
    missing: () => founders.filter((board) => !written.has(board)),
    founds: (board) => intent !== "join" && founders.includes(board),
    note(board, now) {
      written.set(board, now.toISOString());
      const changed: CardRecord = {
        format: 1,
        cluster: bench.cluster,
        founders: [...founders],
        written: Object.fromEntries(written),
      };
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(`${path}.new`, `${JSON.stringify(changed, null, 2)}\n`);
      renameSync(`${path}.new`, path);
      leaveToOwner(folder, [dirname(path), path]);
    },
  };
}

/**
 * The boards that a new cluster leaves out for now. A board that is given a new log beside others with old ones has forgotten
 * what it acknowledged to them.
 *
 * @throws {CardFailure} if the new cluster has been begun already: its next cards need no word, and a second beginning would
 * make the first boards forget again
 */
function withoutNewCard(bench: Bench, before: CardRecord | null, boards: readonly NodeName[]): readonly NodeName[] {
  const others = bench.boards.map(({ name }) => name).filter((name) => !boards.includes(name));
  const written = Object.keys(before?.written ?? {});
  const isGoingOn =
    before?.cluster === bench.cluster && written.length > 0 && boards.every((name) => !written.includes(name));
  if (others.length === 0 || !isGoingOn) return others;
  throw new CardFailure(
    `The cluster ${bench.cluster} is being founded: ${written.join(", ")} ${written.length === 1 ? "has a card" : "have cards"} already. ` +
      "Leave --found out to go on with it; to begin anew, name all boards.",
  );
}

/** Drives are written as root; what is written beside the bench belongs to whoever the bench belongs to. */
function leaveToOwner(folder: string, paths: readonly string[]): void {
  if (process.getuid?.() !== 0) return;
  const { uid, gid } = statSync(folder);
  for (const path of paths) chownSync(path, uid, gid);
}

function readRecord(path: string): CardRecord | null {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
    throw error;
  }
  const parsed = record.safeParse(parseJson(text));
  if (parsed.success) return parsed.data;
  throw new CardFailure(
    `${path} does not say which cards were written. If a newer version of adrift wrote it, install that; otherwise remove it, ` +
      "and write the cards of all boards again.",
  );
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
