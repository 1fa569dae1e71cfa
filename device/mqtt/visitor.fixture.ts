/** What tests send to a broker: stock MQTT.js clients, and sockets that do not speak. */

import { once } from "node:events";
import { connect as connectTcp, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { connect, type IClientOptions, type MqttClient } from "mqtt";
import { vi } from "vitest";
import type { Keys } from "./keys.ts";

/** A stock client at a broker, which writes down what it gets as `topic payload`. */
export type Visitor = {
  readonly client: MqttClient;
  readonly received: readonly string[];
  /** Resolves to whether the broker granted it. */
  subscribe(filter: string): Promise<boolean>;
  publish(topic: string, payload: string | Buffer, options?: { qos?: 0 | 1 | 2; retain?: boolean }): Promise<void>;
  /** Publishes what a broker will not have; resolves when the broker has dealt with it in its way. */
  forge(topic: string, payload: string): Promise<void>;
};

/** Where and as whom a visitor comes. */
export type Visit = { readonly port: number; readonly keys?: Keys | null; readonly options?: IClientOptions };

const usual: IClientOptions = { protocolVersion: 4, reconnectPeriod: 0, connectTimeout: 5_000, keepalive: 30 };

/** Opens and closes what a test needs of visitors. */
export class Visitors {
  readonly #clients: MqttClient[] = [];
  readonly #sockets: Socket[] = [];

  /** A client that the broker has let in. */
  async enter(visit: Visit): Promise<Visitor> {
    const client = this.#knock(visit);
    await new Promise<void>((resolve, reject) => {
      client.once("connect", () => resolve());
      client.once("error", reject);
      client.once("close", () => reject(new Error("the broker closed the connection")));
    });
    return visitorOf(client);
  }

  /** Whether the broker lets a client in. */
  async isLetIn(visit: Visit): Promise<boolean> {
    try {
      const visitor = await this.enter(visit);
      // With TLS 1.3 a client believes to be connected before the broker has looked at its certificate.
      return await visitor.subscribe("adrift/c/board/+/status");
    } catch {
      return false;
    }
  }

  /** A connection that says nothing of its own accord, and reads nothing. */
  async openSocket({ port, keys = null }: Visit): Promise<Socket> {
    const tcp = { port, host: "127.0.0.1" };
    const socket =
      keys === null
        ? connectTcp(tcp)
        : connectTls({ ...tcp, ca: keys.authority, cert: keys.certificate, key: keys.privateKey });
    this.#sockets.push(socket);
    await once(socket, keys === null ? "connect" : "secureConnect");
    socket.on("error", () => {});
    return socket;
  }

  /** Many of them, whether the broker keeps them or not. */
  async openSockets(port: number, count: number): Promise<void> {
    for (let opened = 0; opened < count; opened += 100) {
      await Promise.allSettled(Array.from({ length: Math.min(100, count - opened) }, () => this.openSocket({ port })));
    }
  }

  async leave(): Promise<void> {
    for (const socket of this.#sockets.splice(0)) socket.destroy();
    await Promise.all(this.#clients.splice(0).map((client) => client.endAsync(true)));
  }

  #knock({ port, keys = null, options = {} }: Visit): MqttClient {
    const secrets = keys === null ? {} : { ca: keys.authority, cert: keys.certificate, key: keys.privateKey };
    const url = options.protocol === undefined ? `${keys === null ? "mqtt" : "mqtts"}://127.0.0.1:${port}` : undefined;
    const all = { ...usual, ...secrets, ...options };
    const client = url === undefined ? connect({ ...all, host: "127.0.0.1", port }) : connect(url, all);
    client.on("error", () => {});
    this.#clients.push(client);
    return client;
  }
}

function visitorOf(client: MqttClient): Visitor {
  const received: string[] = [];
  client.on("message", (topic, payload) =>
    received.push(`${topic} ${payload.length > 200 ? payload.length : payload}`),
  );
  return {
    client,
    received,
    subscribe: async (filter) => {
      const granted = await client.subscribeAsync(filter, { qos: 0 }).catch(() => []);
      return granted.length > 0 && granted.every(({ qos }) => qos < 128);
    },
    publish: async (topic, payload, options = {}) => {
      await client.publishAsync(topic, payload, options);
    },
    forge: async (topic, payload) => {
      const closed = new Promise<void>((resolve) => client.once("close", () => resolve()));
      client.publish(topic, payload, { qos: 0 });
      const acknowledged = client.publishAsync(topic, payload, { qos: 1 }).catch(() => {});
      await Promise.race([closed, acknowledged]);
    },
  };
}

/** Waits until something holds; fails with what it said last. */
export function eventually(holds: () => void | Promise<void>, withinMs = 8_000): Promise<void> {
  return vi.waitFor(holds, { timeout: withinMs, interval: 5 });
}

/** The first packet of a client that will be silent afterwards, with a will (MQTT 3.1.1, §3.1). */
export function connectPacket(
  clientId: string,
  keepAliveSeconds: number,
  will: { topic: string; payload: string },
): Buffer {
  const cleanWithWill = 0b0000_0110;
  const flags = Buffer.from([4, cleanWithWill, 0, keepAliveSeconds]);
  return packet(0x10, text("MQTT"), flags, text(clientId), text(will.topic), text(will.payload));
}

/** The packet that asks for a topic (§3.8). */
export function subscribePacket(filter: string): Buffer {
  return packet(0x82, Buffer.from([0, 1]), text(filter), Buffer.from([0]));
}

function packet(head: number, ...parts: readonly Buffer[]): Buffer {
  const rest = Buffer.concat(parts);
  return Buffer.concat([Buffer.from([head, rest.length]), rest]);
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 0xff]), bytes]);
}
