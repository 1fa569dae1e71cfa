/**
 * A client's connections to the brokers of a bench, as one wire. A request goes first to the broker by which the last
 * answer came: the board that leads is there. What had to be repeated goes to all that can be reached.
 */

import type { Way } from "../client/port.ts";
import type { AnyRequest } from "../transport/envelope.ts";
import { encodeRequests, requestsMax } from "../transport/request-codec.ts";
import { type Topics, topicsOf } from "../transport/topics.ts";
import type { StatusOrigin } from "./client-statuses.ts";
import { Connection } from "./connection.ts";
import type { Keys } from "./keys.ts";

/** What the wire is made of. */
export type ClientBrokersSettings = {
  readonly cluster: string;
  /** `mqtt://host:port`, or `mqtts://host:port` with keys. */
  readonly urls: readonly string[];
  readonly name: string;
  readonly keys: Keys | null;
  readonly handlers: ClientBrokersHandlers;
};

/** What the owner of the wire hears. */
export type ClientBrokersHandlers = {
  reply(payload: string): void;
  status(topic: string, payload: string, from: StatusOrigin): void;
  /** A broker can be reached, or cannot any more. */
  changed(url: string, isUp: boolean): void;
};

/** A broker, and how it stands. */
export type BrokerStanding = { readonly url: string; readonly isUp: boolean; readonly failure: string };

type Link = { readonly url: string; readonly connection: Connection; failure: string };

/** Half of what boards take, so that one that estimates wrongly is still taken. */
const payloadBytesMax = 256 * 1024;

/** See the head of this file. */
export class ClientBrokers {
  readonly #settings: ClientBrokersSettings;
  readonly #topics: Topics;
  readonly #links: readonly Link[];
  /** Grows with every start, as far as the wall clock does. */
  readonly #boot = Date.now();
  #seq = 0;
  #answeredBy: Link | null = null;
  /** How many bytes a request had lately, to cut lists of them into payloads. */
  #bytesPerRequest = 512;

  /** Begins to connect. */
  constructor(settings: ClientBrokersSettings) {
    this.#settings = settings;
    this.#topics = topicsOf(settings.cluster);
    this.#links = settings.urls.map((url) => this.#linkTo(url));
  }

  get brokers(): readonly BrokerStanding[] {
    return this.#links.map(({ url, connection, failure }) => ({ url, isUp: connection.isUp, failure }));
  }

  publish(requests: readonly AnyRequest[], { board, again }: Way): void {
    const { name } = this.#settings;
    const topic = board === null ? this.#topics.request(name) : this.#topics.boardRequest(board, name);
    const links = again || this.#answeredBy === null ? this.#links : [this.#answeredBy];
    for (const payload of this.#payloadsOf(requests)) {
      for (const { connection } of links) connection.publish(topic, payload);
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.#links.map(({ connection }) => connection.close()));
  }

  #linkTo(url: string): Link {
    const { name, keys, handlers } = this.#settings;
    const reply = this.#topics.reply(name);
    const connection = new Connection({
      url,
      name,
      keys,
      handlers: {
        up: () => {
          link.failure = "";
          handlers.changed(url, true);
        },
        down: () => {
          if (this.#answeredBy === link) this.#answeredBy = null;
          handlers.changed(url, false);
        },
        message: (topic, payload, isRetained) => {
          if (topic !== reply) {
            handlers.status(topic, payload.toString(), { brokerUrl: url, isRetained });
            return;
          }
          this.#answeredBy = link;
          handlers.reply(payload.toString());
        },
        failed: (reason) => {
          link.failure = reason;
        },
      },
    });
    const link: Link = { url, connection, failure: "" };
    connection.subscribe(reply);
    connection.subscribe(this.#topics.allStatus);
    return link;
  }

  /** Cuts a list of requests into payloads of a good size. */
  #payloadsOf(requests: readonly AnyRequest[]): readonly string[] {
    const countMax = Math.min(Math.max(Math.floor(payloadBytesMax / this.#bytesPerRequest), 1), requestsMax);
    const payloads: string[] = [];
    for (let start = 0; start < requests.length; start += countMax) {
      payloads.push(...this.#encode(requests.slice(start, start + countMax)));
    }
    return payloads;
  }

  #encode(requests: readonly AnyRequest[]): readonly string[] {
    this.#seq += 1;
    const payload = encodeRequests({ from: this.#settings.name, boot: this.#boot, seq: this.#seq, requests });
    this.#bytesPerRequest = Math.ceil(payload.length / requests.length);
    if (payload.length <= payloadBytesMax || requests.length === 1) return [payload];
    const half = Math.ceil(requests.length / 2);
    return [...this.#encode(requests.slice(0, half)), ...this.#encode(requests.slice(half))];
  }
}
