/** Targets as people write them: `leader`, `a follower`, a name, a list of names, a split. */

import type { Target } from "./model.ts";

const wordKinds = {
  leader: "leader",
  "a follower": "follower",
  minority: "minority",
  majority: "majority",
  all: "all",
  "the next board": "next",
} as const satisfies Record<string, Target["kind"]>;

/** The words that stand for boards which are known only when the fault happens. */
export const targetWords: readonly string[] = Object.keys(wordKinds);

/** Reads a target. Whether its names are on the bench, only `checkOnBench` knows. */
export function parseTarget(written: string | readonly string[]): Target {
  if (typeof written !== "string") return { kind: "named", names: written };
  const word = written.trim().replaceAll(/\s+/g, " ");
  return isTargetWord(word) ? { kind: wordKinds[word] } : { kind: "named", names: [word] };
}

function isTargetWord(word: string): word is keyof typeof wordKinds {
  return targetWords.includes(word);
}

/** The target as it is written in a file. */
export function formatTarget(target: Target): string {
  if (target.kind === "named") return target.names.join(", ");
  return targetWords.find((word) => isTargetWord(word) && wordKinds[word] === target.kind) ?? target.kind;
}

/**
 * Reads the groups of a split: `"a, b | c, d"`, or a list. YAML takes `[a, b | c, d]` for a list of `a`, `b | c` and
 * `d`, so texts in a list are put together again before the bars part them; lists in a list are groups as they stand.
 */
export function parseGroups(written: string | readonly (string | readonly string[])[]): readonly (readonly string[])[] {
  if (typeof written === "string") return partGroups(written);
  const texts = written.filter((item) => typeof item === "string");
  const lists = written.filter((item) => typeof item !== "string");
  return texts.length === 0 ? lists : [...partGroups(texts.join(", ")), ...lists];
}

function partGroups(text: string): readonly (readonly string[])[] {
  return text.split("|").map((group) =>
    group
      .split(",")
      .map((name) => name.trim())
      .filter((name) => name !== ""),
  );
}
