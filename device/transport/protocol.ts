/**
 * What clients and boards say to each other: requests and replies.
 *
 * A client publishes a request without knowing who leads; whichever board leads answers. The client repeats it, word
 * for word, until an answer comes or its patience ends; sessions make the repetition harmless (§6.3).
 */

import type { Json } from "../json.ts";

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

/** How a board answers. */
export type Reply = {
  readonly client: string;
  readonly request: number;
  readonly outcome: Outcome;
};

export type Outcome =
  /** Done; this is the machine's answer. */
  | { readonly kind: "ok"; readonly value: Json }
  /** The machine refused; nothing changed. Final. */
  | { readonly kind: "refused"; readonly error: string }
  /** This try had no effect; another may: the board does not lead, or has too much waiting. */
  | { readonly kind: "retry"; readonly error: string; readonly leader: string | null }
  /** The session is not known (any more): whether an earlier try of this request took effect, nobody can tell now. */
  | { readonly kind: "sessionExpired" };
