/** What a writing process writes, so that whoever reads it back knows what must stand there. */

import type { Entry, Snapshot } from "../../raft/types.ts";

/** Small, so that segments come and go. */
export const segmentBytesMax = 20_000;

/** The entry of this index and term. */
export function entryAt(index: number, term: number): Entry {
  return { kind: "command", index, term, data: `${index} in ${term} `.repeat(1 + ((index * 31 + term) % 40)) };
}

/** The vote in this term. */
export function voteIn(term: number): string {
  return term % 3 === 0 ? "ada" : "grace";
}

/** The state as of the entry of this index and term. */
export function stateAt(index: number, term: number): Snapshot {
  const configuration = { voters: ["ada"], votersOutgoing: [], learners: [], learnersNext: [], autoLeave: false };
  return { index, term, configuration, data: `state after ${index} in ${term}` };
}
