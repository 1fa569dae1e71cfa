/**
 * What arrives at a board: read, checked and counted, so that nothing behind this ever meets a payload that is malformed,
 * foreign or late. The board lives on whatever comes.
 */

import type { BoardId } from "../replica/identity.ts";
import type { DropReason } from "../transport/decoded.ts";
import type { DropCounters } from "../transport/drop-counters.ts";
import type { AnyRequest } from "../transport/envelope.ts";
import { decodePeer } from "../transport/peer-codec.ts";
import type { PeerGate } from "../transport/peer-gate.ts";
import type { PeerMessage } from "../transport/protocol.ts";
import { decodeRequests } from "../transport/request-codec.ts";
import { decodeStatus } from "../transport/status-codec.ts";
import { parseTopic } from "../transport/topics.ts";

/** Who listens, and to whom. */
export type InboundSettings = {
  readonly board: BoardId;
  readonly cluster: string;
  /** The broker of each board's inbox. */
  readonly inboxes: ReadonlyMap<BoardId, string>;
  readonly gate: PeerGate;
  readonly drops: DropCounters;
  readonly handlers: InboundHandlers;
  /** Milliseconds on the board's own monotonic clock. */
  readonly nowMs: () => number;
};

/** What passed. */
export type InboundHandlers = {
  peer(messages: readonly PeerMessage[]): void;
  /** `client` asked by this broker. */
  requests(requests: readonly AnyRequest[], broker: string, client: string): void;
  /** The broker of that board's inbox says that its process is gone. */
  gone(board: BoardId): void;
};

/** Reads payloads by their topics. */
export class Inbound {
  readonly #settings: InboundSettings;
  /** The boot of each board of which its status told last. A will of an earlier one says nothing of it. */
  readonly #boots = new Map<BoardId, number>();

  constructor(settings: InboundSettings) {
    this.#settings = settings;
  }

  /** A payload came on a topic of this broker. Only a status is ever retained: of anything else that would be old news. */
  take(broker: string, topic: string, payload: Buffer, isRetained: boolean): void {
    const { cluster, board } = this.#settings;
    const about = parseTopic(cluster, topic);
    if (isRetained && about?.kind !== "status") {
      this.#drop("stale");
      return;
    }
    switch (about?.kind) {
      case "raft":
        if (about.to === board) this.#takePeer(about.from, payload);
        else this.#drop("foreign");
        return;
      case "request":
        this.#takeRequests(broker, about.client, payload);
        return;
      case "boardRequest":
        if (about.board === board) this.#takeRequests(broker, about.client, payload);
        else this.#drop("foreign");
        return;
      case "status":
        this.#takeStatus(broker, about.board, payload);
        return;
      default:
        this.#drop("foreign");
    }
  }

  #takePeer(from: BoardId, payload: Buffer): void {
    const { board, gate, handlers, nowMs } = this.#settings;
    const decoded = decodePeer(payload.toString("latin1"), { from, to: board });
    const refused = decoded.ok ? gate.accept(decoded.value, nowMs()) : decoded.reason;
    if (refused !== null) this.#drop(refused);
    else if (decoded.ok) handlers.peer(decoded.value.messages);
  }

  #takeRequests(broker: string, client: string, payload: Buffer): void {
    const decoded = decodeRequests(payload.toString("utf8"), { client });
    if (decoded.ok) this.#settings.handlers.requests(decoded.value.requests, broker, client);
    else this.#drop(decoded.reason);
  }

  /**
   * Only the broker of a board's own inbox knows whether the board is gone: any other may just have lost its cable to it,
   * and who believed that would forget a leader that everybody else hears.
   */
  #takeStatus(broker: string, board: BoardId, payload: Buffer): void {
    const { board: me, inboxes, handlers } = this.#settings;
    if (board === me || inboxes.get(board) !== broker) return;
    const decoded = decodeStatus(payload.toString("utf8"), { board });
    if (!decoded.ok) {
      this.#drop(decoded.reason);
      return;
    }
    const { boot, online } = decoded.value;
    if (online) this.#boots.set(board, boot);
    else if (boot < (this.#boots.get(board) ?? 0)) this.#drop("oldBoot");
    else handlers.gone(board);
  }

  #drop(reason: DropReason): void {
    this.#settings.drops.count(reason);
  }
}
