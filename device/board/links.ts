/**
 * A board's links: one connection to every broker of the bench.
 *
 * The board hears its peers on its own inbox alone, and says what it has to say to a peer on the broker of that peer's
 * inbox. Clients may ask by any broker; the answer goes back by the same one.
 */

import { Connection, type Published } from "../mqtt/connection.ts";
import type { Keys } from "../mqtt/keys.ts";
import type { Via } from "../replica/host.ts";
import type { BoardId } from "../replica/identity.ts";
import type { DropCounters } from "../transport/drop-counters.ts";
import type { AnyRequest, BoardStatus, FlightRecord } from "../transport/envelope.ts";
import { encodeEvent } from "../transport/event-codec.ts";
import { encodePeer } from "../transport/peer-codec.ts";
import { PeerGate } from "../transport/peer-gate.ts";
import type { PeerMessage, Reply } from "../transport/protocol.ts";
import { encodeReplies } from "../transport/reply-codec.ts";
import { encodeStatus } from "../transport/status-codec.ts";
import { type Topics, topicsOf } from "../transport/topics.ts";
import type { BoardConfiguration } from "./configuration.ts";
import { Inbound } from "./inbound.ts";
import { Outboxes } from "./outboxes.ts";
import { inPieces } from "./pieces.ts";
import { Vias } from "./vias.ts";

/** What links are made of. */
export type LinksSettings = {
  readonly configuration: Pick<BoardConfiguration, "board" | "cluster" | "boards" | "brokers">;
  readonly boot: number;
  readonly keys: Keys | null;
  readonly drops: DropCounters;
  /** Milliseconds on the board's own monotonic clock. */
  readonly nowMs: () => number;
  /** How the board takes part now. */
  readonly status: () => BoardStatus;
  readonly handlers: LinksHandlers;
};

/** What the board hears. */
export type LinksHandlers = {
  peer(messages: readonly PeerMessage[]): void;
  requests(requests: readonly AnyRequest[], via: Via): void;
  /** A board's process is gone, says the broker of its inbox. */
  gone(board: BoardId): void;
  connection(broker: string, up: boolean): void;
  /** Why a broker cannot be reached. */
  failed(broker: string, reason: string): void;
};

type Link = {
  readonly broker: string;
  readonly connection: Connection;
  /** Counts the connections so far. */
  number: number;
  /** Whether the broker was asked for requests and has not said yet that they will come. */
  awaitsRequests: boolean;
};

/** See the head of this file. */
export class Links {
  readonly #settings: LinksSettings;
  readonly #topics: Topics;
  readonly #links: readonly Link[];
  readonly #linkToPeer: ReadonlyMap<BoardId, Link>;
  readonly #vias = new Vias();
  readonly #peers = new Outboxes<BoardId, PeerMessage>((board, messages) => this.#sendToPeer(board, messages));
  readonly #replies = new Outboxes<Via, Reply>((via, replies) => this.#sendReplies(via, replies));
  #seq = 0;

  /** Begins to connect, to all brokers. */
  constructor(settings: LinksSettings) {
    const { configuration, drops, nowMs, handlers } = settings;
    const { board, cluster, boards, brokers } = configuration;
    this.#settings = settings;
    this.#topics = topicsOf(cluster);
    const inboxes = new Map(boards.map(({ name, inbox }) => [name, inbox]));
    const inbound = new Inbound({
      board,
      cluster,
      inboxes,
      gate: new PeerGate({ boards: boards.map(({ name }) => name) }),
      drops,
      nowMs,
      handlers: {
        peer: handlers.peer,
        requests: (requests, broker, client) => {
          const number = brokers.findIndex(({ name }) => name === broker);
          handlers.requests(requests, this.#vias.numberOf(number, client));
        },
        gone: handlers.gone,
      },
    });
    this.#links = brokers.map(({ name, url }) => this.#open(name, url, inbound));
    const linkTo = new Map(this.#links.map((link) => [link.broker, link]));
    this.#linkToPeer = new Map(
      boards.flatMap(({ name, inbox }) => {
        const link = linkTo.get(inbox);
        return link === undefined ? [] : [[name, link] as const];
      }),
    );
  }

  /** To a board's inbox, with all else that this turn of the event loop has for it. May get lost. */
  send(board: BoardId, message: PeerMessage): void {
    this.#peers.add(board, message);
  }

  /** To a client, by the broker by which it asked. May get lost. */
  reply(via: Via, reply: Reply): void {
    this.#replies.add(via, reply);
  }

  /** Whether this board wants the requests that are for whoever leads. */
  takeRequests(wanted: boolean): void {
    for (const link of this.#links) {
      link.awaitsRequests = wanted && link.connection.isUp;
      if (wanted) link.connection.subscribe(this.#topics.allRequests, () => this.#requestsWillCome(link));
      else link.connection.unsubscribe(this.#topics.allRequests);
    }
  }

  /**
   * Tells everybody, on every broker, how the board takes part now. That it leads is told where requests will reach it:
   * clients ask again as soon as they hear of a new leader, and what they ask too early nobody gets.
   */
  publishStatus(): void {
    const payload = this.#statusPayload(this.#settings.status());
    for (const link of this.#links) if (!link.awaitsRequests) this.#publishStatusOn(link, payload);
  }

  #requestsWillCome(link: Link): void {
    if (!link.awaitsRequests) return;
    link.awaitsRequests = false;
    this.#publishStatusOn(link, this.#statusPayload(this.#settings.status()));
  }

  publishEvent(record: FlightRecord): void {
    const payload = encodeEvent({ ...this.#origin(), record });
    const topic = this.#topics.event(this.#settings.configuration.board);
    for (const { connection } of this.#links) this.#count(connection.publish(topic, payload));
  }

  /** For each broker: whether it is reached, and how many bytes wait for it. */
  state(): readonly { readonly broker: string; readonly isUp: boolean; readonly waitingBytes: number }[] {
    return this.#links.map(({ broker, connection: { isUp, waitingBytes } }) => ({ broker, isUp, waitingBytes }));
  }

  /** Says farewell on every broker, with a status that says offline. */
  async close(): Promise<void> {
    const payload = this.#statusPayload(null);
    for (const link of this.#links) this.#publishStatusOn(link, payload);
    await Promise.all(this.#links.map(({ connection }) => connection.close()));
  }

  #open(broker: string, url: string, inbound: Inbound): Link {
    const { configuration, keys, handlers } = this.#settings;
    const { board, cluster, boards } = configuration;
    const connection = new Connection({
      url,
      name: `${cluster}-${board}`,
      keys,
      will: () => ({ topic: this.#topics.status(board), payload: this.#statusPayload(null) }),
      handlers: {
        up: (number) => {
          link.number = number;
          this.#publishStatusOn(link, this.#statusPayload(this.#settings.status()));
          handlers.connection(broker, true);
        },
        down: () => {
          link.awaitsRequests = false;
          handlers.connection(broker, false);
        },
        message: (topic, payload, retained) => inbound.take(broker, topic, payload, retained),
        failed: (reason) => handlers.failed(broker, reason),
      },
    });
    const link: Link = { broker, connection, number: 0, awaitsRequests: false };
    if (boards.some(({ name, inbox }) => name === board && inbox === broker)) {
      connection.subscribe(this.#topics.raftInbox(board));
    }
    connection.subscribe(this.#topics.boardRequests(board));
    connection.subscribe(this.#topics.allStatus);
    return link;
  }

  #sendToPeer(to: BoardId, messages: readonly PeerMessage[]): void {
    const link = this.#linkToPeer.get(to);
    if (link === undefined) return;
    const { configuration, nowMs } = this.#settings;
    const topic = this.#topics.raft(to, configuration.board);
    for (const piece of inPieces(messages)) {
      const envelope = { ...this.#origin(), connection: link.number, atMs: nowMs(), messages: piece };
      this.#count(link.connection.publish(topic, Buffer.from(encodePeer(envelope), "latin1")));
    }
  }

  #sendReplies(via: Via, replies: readonly Reply[]): void {
    const way = this.#vias.wayOf(via);
    const link = way === null ? undefined : this.#links[way.broker];
    if (way === null || link === undefined) return;
    const payload = encodeReplies({ ...this.#origin(), replies });
    if (payload.length > repliesBytesMax && replies.length > 1) {
      const half = Math.ceil(replies.length / 2);
      this.#sendReplies(via, replies.slice(0, half));
      this.#sendReplies(via, replies.slice(half));
      return;
    }
    this.#count(link.connection.publish(this.#topics.reply(way.client), Buffer.from(payload, "latin1")));
  }

  #publishStatusOn({ connection }: Link, payload: string): void {
    connection.publish(this.#topics.status(this.#settings.configuration.board), payload, true);
  }

  #statusPayload(status: BoardStatus | null): string {
    return encodeStatus({ ...this.#origin(), online: status !== null, status });
  }

  #origin(): { readonly from: BoardId; readonly boot: number; readonly seq: number } {
    this.#seq += 1;
    return { from: this.#settings.configuration.board, boot: this.#settings.boot, seq: this.#seq };
  }

  #count(published: Published): void {
    if (published === "congested") this.#settings.drops.count("congested");
  }
}

/** Larger answers to one client go in several payloads. */
const repliesBytesMax = 512 * 1024;
