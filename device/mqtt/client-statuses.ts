/** What the boards say of themselves, as a client hears it: the latest of each, by each broker. */

import type { StatusEnvelope } from "../transport/envelope.ts";
import { decodeStatus } from "../transport/status-codec.ts";
import { parseTopic } from "../transport/topics.ts";

/** Told each status. */
export type StatusListener = (status: StatusEnvelope, from: StatusOrigin) => void;

/** By which broker a status came, and whether only as what that broker had kept of earlier times. */
export type StatusOrigin = { readonly brokerUrl: string; readonly isRetained: boolean };

/** See the head of this file. */
export class Statuses {
  readonly #cluster: string;
  readonly #listeners = new Set<StatusListener>();
  /** By broker, then by board. */
  readonly #latest = new Map<string, Map<string, StatusEnvelope>>();
  /** The highest term in which somebody said to lead. */
  #term = 0;

  constructor(cluster: string) {
    this.#cluster = cluster;
  }

  /** Takes a payload; what is no status is ignored. Says whether by it a new leader is heard of. */
  take(topic: string, payload: string, from: StatusOrigin): boolean {
    const { brokerUrl } = from;
    const parsed = parseTopic(this.#cluster, topic);
    if (parsed?.kind !== "status") return false;
    const decoded = decodeStatus(payload, parsed);
    if (!decoded.ok) return false;
    const byBoard = this.#latest.get(brokerUrl) ?? new Map<string, StatusEnvelope>();
    this.#latest.set(brokerUrl, byBoard.set(parsed.board, decoded.value));
    for (const listener of this.#listeners) listener(decoded.value, from);
    return this.#isNewLeader(decoded.value);
  }

  /** Tells a listener what is known, and from now on what comes. Gives what ends it. */
  listen(listener: StatusListener): () => void {
    for (const [brokerUrl, byBoard] of this.#latest) {
      for (const status of byBoard.values()) listener(status, { brokerUrl, isRetained: true });
    }
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #isNewLeader({ status }: StatusEnvelope): boolean {
    if (status?.role !== "leader" || status.term <= this.#term) return false;
    this.#term = status.term;
    return true;
  }
}
