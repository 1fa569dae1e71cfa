/** One real board, and the messages of others that exist only in a test's words. */

import { simpleConfiguration } from "../configuration.ts";
import type { RecoveredLog } from "../log.ts";
import type { AppendAccepted, Entry, HardState, MemberId, Term } from "../types.ts";
import { Cluster, type ClusterSettings } from "./cluster.ts";

/** A disk with one command for each term given; `term` is the saved term, by default that of the last entry. */
export function diskOf(
  terms: readonly Term[],
  term?: Term,
): { readonly hardState: HardState; readonly log: RecoveredLog } {
  const entries = terms.map((ofTerm, place): Entry => {
    return { kind: "command", index: place + 1, term: ofTerm, data: `${place + 1}of${ofTerm}` };
  });
  return { hardState: { term: term ?? terms.at(-1) ?? 0, votedFor: null }, log: { snapshot: null, entries } };
}

/** Board a alone, among `voters` of which only a exists. */
export function onlyA(voters: readonly MemberId[], settings: Partial<ClusterSettings> = {}): Cluster {
  return new Cluster({ initial: simpleConfiguration(voters), boards: ["a"], ...settings });
}

/** As `onlyA`, where a was elected by b and, if that is not enough, by others after it; its queue is empty. */
export function aLeads(voters: readonly MemberId[], settings: Partial<ClusterSettings> = {}): Cluster {
  const cluster = onlyA(voters, settings);
  electA(cluster, voters);
  return cluster;
}

/** Has a elected by boards that do not exist, as many as are needed. */
export function electA(cluster: Cluster, voters: readonly MemberId[]): void {
  cluster.quietly(() => {
    cluster.timeout("a");
    for (const from of voters) {
      if (from !== "a" && cluster.raft("a").role === "preCandidate") {
        const term = cluster.raft("a").term + 1;
        cluster.inject({ type: "preVoteReply", from, to: "a", term, granted: true });
      }
    }
    for (const from of voters) {
      if (from !== "a" && cluster.raft("a").role === "candidate") {
        cluster.inject({ type: "voteReply", from, to: "a", term: cluster.raft("a").term, granted: true });
      }
    }
    cluster.drop();
  });
  if (cluster.raft("a").role !== "leader") throw new Error("a was to lead.");
}

/** A follower's acknowledgement to a, in a's term. */
export function accepted(cluster: Cluster, from: MemberId, matchIndex: number): AppendAccepted {
  return { type: "appendAccepted", from, to: "a", term: cluster.raft("a").term, matchIndex };
}
