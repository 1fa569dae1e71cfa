/**
 * The topics of a cluster, all below `adrift/<cluster>/`: who publishes what where.
 *
 * The name of whoever speaks stands in the topic, so that a broker can hold everybody to their own name.
 */

/** The version of all payloads, which stands in each as `v`. */
export const wireVersion = 1;

/** The client that may administer the cluster: change its members, move its leadership. */
export const controllerName = "controller";

/** A name that may stand in a topic: of a board, a broker, a cluster. */
export const namePattern: RegExp = /^[a-z][a-z0-9-]{0,31}$/;

/** The name of a client, which people choose or programs draw. */
export const clientNamePattern: RegExp = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/** The topics of one cluster. */
export type Topics = {
  /** What a board says to another, on the inbox of `to`. */
  raft(to: string, from: string): string;
  /** All that is said to a board. */
  raftInbox(to: string): string;
  /** What a client asks of whoever leads. */
  request(client: string): string;
  readonly allRequests: string;
  /** What a client asks of one board, leader or not. */
  boardRequest(board: string, client: string): string;
  boardRequests(board: string): string;
  /** What boards answer a client, on the broker by which it asked. */
  reply(client: string): string;
  /** Retained: how a board takes part. Its will says that it is offline. */
  status(board: string): string;
  readonly allStatus: string;
  /** What happens on a board, for people and screens. */
  event(board: string): string;
  readonly allEvents: string;
  /** What the controller asks a broker of ours to withhold. */
  withhold(broker: string): string;
  /** What such a broker withholds; retained. */
  withheld(broker: string): string;
};

/** The topics of a cluster. */
export function topicsOf(cluster: string): Topics {
  const root = `adrift/${cluster}`;
  return {
    raft: (to, from) => `${root}/raft/${to}/${from}`,
    raftInbox: (to) => `${root}/raft/${to}/+`,
    request: (client) => `${root}/request/${client}`,
    allRequests: `${root}/request/+`,
    boardRequest: (board, client) => `${root}/board/${board}/request/${client}`,
    boardRequests: (board) => `${root}/board/${board}/request/+`,
    reply: (client) => `${root}/reply/${client}`,
    status: (board) => `${root}/board/${board}/status`,
    allStatus: `${root}/board/+/status`,
    event: (board) => `${root}/board/${board}/event`,
    allEvents: `${root}/board/+/event`,
    withhold: (broker) => `${root}/broker/${broker}/withhold`,
    withheld: (broker) => `${root}/broker/${broker}/withheld`,
  };
}

/** What a topic is about. */
export type Topic =
  | { readonly kind: "raft"; readonly to: string; readonly from: string }
  | { readonly kind: "request"; readonly client: string }
  | { readonly kind: "boardRequest"; readonly board: string; readonly client: string }
  | { readonly kind: "reply"; readonly client: string }
  | { readonly kind: "status" | "event"; readonly board: string };

/** Reads a topic of this cluster; `null` if it is none. */
export function parseTopic(cluster: string, topic: string): Topic | null {
  const [root, name, kind, one, two, three, ...rest] = topic.split("/");
  if (root !== "adrift" || name !== cluster || rest.length > 0) return null;
  switch (kind) {
    case "raft":
      return three === undefined && isName(one) && isName(two) ? { kind, to: one, from: two } : null;
    case "request":
    case "reply":
      return two === undefined && isClientName(one) ? { kind, client: one } : null;
    case "board":
      if (!isName(one)) return null;
      if (two === "request") return isClientName(three) ? { kind: "boardRequest", board: one, client: three } : null;
      if (two !== "status" && two !== "event") return null;
      return three === undefined ? { kind: two, board: one } : null;
    default:
      return null;
  }
}

function isName(text: string | undefined): text is string {
  return text !== undefined && namePattern.test(text);
}

function isClientName(text: string | undefined): text is string {
  return text !== undefined && clientNamePattern.test(text);
}
