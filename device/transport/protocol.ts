/**
 * What clients and boards say to each other: requests and replies.
 *
 * A client publishes a request without knowing who leads; whichever board leads answers. The client repeats it, word
 * for word, until an answer comes or its patience ends; sessions make the repetition harmless (§6.3).
 */

import type { Json } from "../json.ts";
import type { MemberId, Message } from "../raft/types.ts";

/** How fresh a read must be: `linearizable` asks a majority, `lease` trusts clocks, `stale` asks nobody. */
export type ReadMode = "linearizable" | "lease" | "stale";

/** What a client asks for. `request` numbers a client's requests; a repeated request keeps its number. */
export type Request =
  /** Opens a session; the answer's value is the session's number. */
  | { readonly type: "register"; readonly client: string; readonly request: number }
  /** A command for one machine, carried out at most once for this session and request number. */
  | {
      readonly type: "command";
      readonly client: string;
      readonly request: number;
      readonly session: number;
      /** Answers to requests below this number have arrived and may be forgotten. */
      readonly firstPending: number;
      readonly machine: string;
      readonly command: Json;
    }
  /** A question to one machine, which changes nothing and needs no session. */
  | {
      readonly type: "query";
      readonly client: string;
      readonly request: number;
      readonly machine: string;
      readonly query: Json;
      readonly mode: ReadMode;
    };

/** What an operator asks of the cluster. The answer comes when the change has begun, not when it is done. */
export type Administration =
  /** Hand leadership over to this board (§3.10). */
  | { readonly type: "transfer"; readonly client: string; readonly request: number; readonly to: MemberId }
  /** Make these the members (§4). A new voter must have been a learner first and have caught up. */
  | {
      readonly type: "changeMembers";
      readonly client: string;
      readonly request: number;
      readonly voters: readonly MemberId[];
      readonly learners: readonly MemberId[];
    };

/**
 * A board that lost its disk has a new identity and asks to be taken in under it, in the place of the old one. It asks
 * everyone; the leader acts.
 */
export type JoinRequest = { readonly type: "join"; readonly from: MemberId; readonly to: MemberId };

/** What boards say to each other. */
export type PeerMessage = Message | JoinRequest;

/** How a board answers. */
export type Reply = {
  readonly client: string;
  readonly request: number;
  readonly outcome: Outcome;
};

/** What became of a request at the board that answers. */
export type Outcome =
  /** Done; this is the machine's answer. */
  | { readonly kind: "ok"; readonly value: Json }
  /** The machine refused; nothing changed. Final. */
  | { readonly kind: "refused"; readonly error: string }
  /**
   * No answer from this board: it does not lead (any more), or has too much waiting. Another try may be answered. It
   * says nothing of copies that other boards received, nor of an earlier one that this board passed on.
   */
  | { readonly kind: "retry"; readonly error: string; readonly leader: string | null }
  /** The session is not known (any more): whether an earlier try of this request took effect, nobody can tell now. */
  | { readonly kind: "sessionExpired" };
