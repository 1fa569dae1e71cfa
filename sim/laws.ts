/** The laws that boards follow, as far as an experiment may break them: the seams at which mutants take hold. */

import { type SessionRules, sessionRules } from "../device/machine/sessions.ts";
import { type Rules, rules } from "../device/raft/index.ts";

/** A set of laws; `lawful` is the true one. */
export type Laws = {
  /** Those of consensus (`device/raft/rules.ts`). */
  readonly rules: Rules;
  /** Those of clients' sessions (`device/machine/sessions.ts`). */
  readonly sessionRules: SessionRules;
};

/** No law is broken. */
export const lawful: Laws = { rules, sessionRules };
