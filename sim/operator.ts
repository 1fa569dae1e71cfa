/** An operator of the simulated cluster: asks whoever leads for another leader or other members (§3.10, §4). */

import type { Configuration, MemberId } from "../device/raft/index.ts";
import { boardOf } from "../device/replica/identity.ts";
import type { Administration } from "../device/transport/protocol.ts";
import type { Invariants } from "./invariants.ts";
import type { SimBoard } from "./sim-board.ts";

/** What an operator sees of the world. */
export type Cluster = {
  readonly leader: SimBoard | null;
  readonly boards: readonly SimBoard[];
  readonly invariants: Invariants;
  board(name: string): SimBoard;
};

/** Asks for changes; the leader may refuse them, and nobody waits for its answer. Nothing happens if nobody leads. */
export class Operator {
  readonly #cluster: Cluster;
  #requests = 0;

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  /** Asks the leader to hand over to this board. */
  transferLeadership(board: string): void {
    const [to] = this.#membersOf([board]);
    if (to !== undefined) this.#ask((request) => ({ type: "transfer", client: name, request, to }));
  }

  /** Has boards leave the cluster, all in one change. */
  removeMembers(boards: readonly string[]): void {
    this.#ask((request, { voters, learners }) => {
      const stays = (member: MemberId): boolean => !boards.includes(boardOf(member));
      const remaining = { voters: voters.filter(stays), learners: learners.filter(stays) };
      return { type: "changeMembers", client: name, request, ...remaining };
    });
  }

  /** Has boards join as learners; they become voters when they have caught up. */
  addMembers(boards: readonly string[]): void {
    const members = this.#membersOf(boards);
    this.#ask((request, { voters, learners }) => {
      const added = members.filter((member) => !voters.includes(member));
      if (added.length === 0) return null;
      // A board that was given a new identity takes part under that one only.
      const stays = (member: MemberId): boolean => !added.some((other) => boardOf(other) === boardOf(member));
      const all = { voters: voters.filter(stays), learners: [...learners.filter(stays), ...added] };
      return { type: "changeMembers", client: name, request, ...all };
    });
  }

  #ask(ask: (request: number, configuration: Configuration) => Administration | null): void {
    const { leader, boards } = this.#cluster;
    const raft = leader?.replica?.raft;
    if (leader === null || raft === undefined || raft === null) return;
    this.#requests += 1;
    const request = ask(this.#requests, raft.configuration);
    // The reply goes to the first client, who did not ask and ignores it.
    if (request !== null) leader.whenAwake(() => leader.request(request, boards.length));
  }

  #membersOf(boards: readonly string[]): readonly MemberId[] {
    return boards.map((board) => this.#cluster.invariants.memberOf(this.#cluster.board(board)));
  }
}

/** The name under which it asks. */
const name = "operator";
