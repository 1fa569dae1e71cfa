/**
 * Who may do what on a broker that knows its clients by their certificates.
 *
 * One table, which the embedded broker asks for every publication and subscription, and from which the rules for
 * Mosquitto are written. The quality of service is not looked at: what may be said may be said at any.
 */

import { clientNamePattern, controllerName } from "../transport/topics.ts";

/** What a name is to a cluster: it decides which rows of the table hold for it. */
export type Role = "board" | "controller" | "client";

/** One row: a role may do this with these topics. */
export type Rule = {
  readonly role: Role;
  readonly may: "publish" | "subscribe";
  /** Below `adrift/<cluster>/`. `<self>` stands for the own name, `+` for any one name, `#` for all that follows. */
  readonly topics: string;
};

/** The whole table. Whoever is certified is also a client; the other roles add to that. */
export const rules: readonly Rule[] = [
  { role: "client", may: "publish", topics: "request/<self>" },
  { role: "client", may: "publish", topics: "board/+/request/<self>" },
  { role: "client", may: "subscribe", topics: "reply/<self>" },
  { role: "client", may: "subscribe", topics: "board/+/status" },
  { role: "client", may: "subscribe", topics: "board/+/event" },

  { role: "board", may: "publish", topics: "raft/+/<self>" },
  { role: "board", may: "publish", topics: "board/<self>/status" },
  { role: "board", may: "publish", topics: "board/<self>/event" },
  { role: "board", may: "publish", topics: "reply/+" },
  { role: "board", may: "subscribe", topics: "raft/<self>/+" },
  { role: "board", may: "subscribe", topics: "request/+" },
  { role: "board", may: "subscribe", topics: "board/<self>/request/+" },

  { role: "controller", may: "publish", topics: "broker/+/withhold" },
  { role: "controller", may: "subscribe", topics: "#" },
];

/** Retained is only how a board takes part; anything else would be said again to all who come later. */
const retainedTopics = "board/+/status";

/** Who asks: a certified name, and the cluster whose topics are meant. */
export type Party = { readonly cluster: string; readonly boards: readonly string[]; readonly name: string };

/** What the cluster takes this name for. */
export function roleOf({ boards, name }: Party): Role {
  if (name === controllerName) return "controller";
  return boards.includes(name) ? "board" : "client";
}

/** Whether the party may publish this, or leave it as its will. */
export function mayPublish(party: Party, topic: string, retained: boolean): boolean {
  return isPermitted(party, "publish", topic) && (!retained || isRetainable(party.cluster, topic));
}

/** Whether all that a filter asks for is open to the party. */
export function maySubscribe(party: Party, filter: string): boolean {
  return isPermitted(party, "subscribe", filter);
}

/** Whether a topic is one whose last payload a broker keeps. */
export function isRetainable(cluster: string, topic: string): boolean {
  return covers(`adrift/${cluster}/${retainedTopics}`, topic);
}

/** The topics of a rule in full, with a name or a placeholder for `<self>`. */
export function topicsFor(rule: Rule, cluster: string, self: string): string {
  return `adrift/${cluster}/${rule.topics.replace("<self>", self)}`;
}

/** A name that may stand in a rule; anything else could say `+` or `#` and be taken for everybody. */
export function isPartyName(name: string): boolean {
  return clientNamePattern.test(name);
}

function isPermitted(party: Party, may: Rule["may"], topics: string): boolean {
  if (!isPartyName(party.name)) return false;
  const role = roleOf(party);
  return rules.some(
    (rule) =>
      rule.may === may &&
      (rule.role === "client" || rule.role === role) &&
      covers(topicsFor(rule, party.cluster, party.name), topics),
  );
}

/** Whether every topic that `inner` matches, being a topic or a filter itself, is matched by the filter `outer`. */
function covers(outer: string, inner: string): boolean {
  const outerLevels = outer.split("/");
  const innerLevels = inner.split("/");
  for (const [index, level] of outerLevels.entries()) {
    if (level === "#") return true;
    const innerLevel = innerLevels[index];
    if (innerLevel === undefined || innerLevel === "#") return false;
    if (level !== "+" && level !== innerLevel) return false;
  }
  return outerLevels.length === innerLevels.length;
}
