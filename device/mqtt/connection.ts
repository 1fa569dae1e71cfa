/**
 * A connection to one broker that comes back by itself, and forgets what it could not send: what Raft would have said a
 * while ago is worth less than nothing.
 *
 * MQTT.js with what measurements demanded: no delay on the socket, a keep-alive of one second, nothing queued while the
 * connection is down, and a reset rather than a farewell to a socket that does not answer, so that the kernel does not
 * send the rest of its buffer after a healed cut.
 */

import { randomBytes } from "node:crypto";
import { connect as connectTcp, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { type IClientOptions, MqttClient } from "mqtt";
import type { Keys } from "./keys.ts";

/** What a connection is made of. */
export type ConnectionSettings = {
  /** `mqtt://host:port`, or `mqtts://host:port` with keys. */
  readonly url: string;
  /** For the broker's log: who connects. Made unique here. */
  readonly name: string;
  readonly keys: Keys | null;
  /** What the broker publishes, retained, when the connection ends without a farewell; asked for at every connect. */
  readonly will?: () => Publication;
  readonly handlers: ConnectionHandlers;
  /** Beyond so many bytes that the socket has not taken, `publish` refuses. Default: 4 MiB. */
  readonly waitingBytesMax?: number;
};

/** A payload for a topic, to be retained. */
export type Publication = { readonly topic: string; readonly payload: string };

/** What the owner of a connection hears. */
export type ConnectionHandlers = {
  /** It is up, for the time of this number (from 1). All subscriptions have been asked for again. */
  up(connection: number): void;
  /** It is down. It comes back by itself. */
  down(): void;
  message(topic: string, payload: Buffer, retained: boolean): void;
  /** Why the broker cannot be reached or turned us away; told again only when the reason changes. */
  failed?(reason: string): void;
};

/** What became of a payload: `congested`: the broker does not keep up, so it was dropped. */
export type Published = "sent" | "notConnected" | "congested";

const keepAliveSeconds = 1;
const connectTimeoutMs = 1_000;
const reconnectPeriodMs = 200;
const usualWaitingBytesMax = 4 * 1024 * 1024;

const closedWithoutAWord =
  "the broker closed the connection before it took us in; with keys, that is how it turns away whom it does not know";

/** See the head of this file. */
export class Connection {
  readonly #settings: ConnectionSettings;
  readonly #client: MqttClient;
  readonly #subscriptions = new Set<string>();
  #socket: Socket | null = null;
  /** The socket itself, or the one below TLS: only this one can be reset. */
  #tcpSocket: Socket | null = null;
  #connections = 0;
  #isUp = false;
  #lastFailure = "";
  #isFailureTold = false;

  /** Begins to connect. @throws {RangeError} for an `mqtts` address without keys: nothing is sent there in the clear. */
  constructor(settings: ConnectionSettings) {
    if (settings.keys === null && new URL(settings.url).protocol === "mqtts:") {
      throw new RangeError(
        `${settings.url} is reached with keys only: give keys, or an address that starts with mqtt://.`,
      );
    }
    this.#settings = settings;
    this.#client = new MqttClient((client) => this.#openSocket(client), this.#options());
    this.#client.on("connect", () => this.#onConnect());
    this.#client.on("close", () => this.#onClose());
    this.#client.on("error", (error) => this.#onError(error));
    this.#client.on("message", (topic, payload, packet) => settings.handlers.message(topic, payload, packet.retain));
  }

  get isUp(): boolean {
    return this.#isUp;
  }

  /** Sends at QoS 0, now or never. */
  publish(topic: string, payload: string | Buffer, retain = false): Published {
    if (!this.#isUp || this.#socket === null) return "notConnected";
    if (this.waitingBytes > (this.#settings.waitingBytesMax ?? usualWaitingBytesMax)) return "congested";
    this.#client.publish(topic, payload, { qos: 0, retain });
    return "sent";
  }

  /** Bytes that the socket has not taken yet. */
  get waitingBytes(): number {
    return this.#socket?.writableLength ?? 0;
  }

  /** From now on, also after a reconnection. `done` is told when the broker, if it is up, has acknowledged it. */
  subscribe(filter: string, done: () => void = () => {}): void {
    this.#subscriptions.add(filter);
    if (this.#isUp) this.#client.subscribe(filter, { qos: 0 }, done);
    else done();
  }

  unsubscribe(filter: string): void {
    this.#subscriptions.delete(filter);
    if (this.#isUp) this.#client.unsubscribe(filter);
  }

  /** Says farewell, so that no will is published; waits for what was published before, but not for ever. */
  async close(withinMs = 500): Promise<void> {
    const socket = this.#tcpSocket;
    const wasUp = this.#isUp;
    const timer = setTimeout(() => socket?.resetAndDestroy(), withinMs);
    await new Promise<void>((resolve) => this.#client.end(!wasUp, () => resolve()));
    clearTimeout(timer);
  }

  /** Ends the connection as a process that dies does. */
  destroy(): void {
    this.#client.end(true);
    this.#tcpSocket?.resetAndDestroy();
  }

  #options(): IClientOptions {
    const { name, will } = this.#settings;
    return {
      clientId: `${name}-${randomBytes(6).toString("hex")}`,
      protocolVersion: 4,
      clean: true,
      keepalive: keepAliveSeconds,
      reschedulePings: false,
      connectTimeout: connectTimeoutMs,
      reconnectPeriod: reconnectPeriodMs,
      queueQoSZero: false,
      resubscribe: false,
      // A cache of all 65,536 numbers that a length can be: 6 MB in every process, and a slow first packet.
      writeCache: false,
      ...(will === undefined ? {} : { will: { ...this.#willNow(will), qos: 0, retain: true } }),
    };
  }

  #willNow(will: () => Publication): { topic: string; payload: Buffer } {
    const { topic, payload } = will();
    return { topic, payload: Buffer.from(payload) };
  }

  #openSocket(client: MqttClient): Socket {
    const { url, keys, will } = this.#settings;
    const { hostname, port, protocol } = new URL(url);
    const host = hostname.replace(/^\[(.*)\]$/, "$1");
    if (will !== undefined) client.options.will = { ...this.#willNow(will), qos: 0, retain: true };
    this.#isFailureTold = false;
    const isSecure = protocol === "mqtts:";
    const tcpSocket = connectTcp({ host, port: Number(port || (isSecure ? 8883 : 1883)), noDelay: true });
    const socket =
      keys !== null && isSecure
        ? connectTls({
            socket: tcpSocket,
            host,
            ca: keys.authority,
            cert: keys.certificate,
            key: keys.privateKey,
            minVersion: "TLSv1.2",
          })
        : tcpSocket;
    // MQTT.js keeps most of what goes wrong in a socket to itself, such as a certificate that is not believed.
    socket.on("error", (error) => this.#onError(error));
    this.#tcpSocket?.resetAndDestroy();
    this.#tcpSocket = tcpSocket;
    this.#socket = socket;
    return socket;
  }

  #onConnect(): void {
    this.#isUp = true;
    this.#lastFailure = "";
    this.#connections += 1;
    if (this.#subscriptions.size > 0) this.#client.subscribe([...this.#subscriptions], { qos: 0 });
    this.#settings.handlers.up(this.#connections);
  }

  #onClose(): void {
    // MQTT.js ends a silent connection gently; what the kernel still holds of it must not arrive after a heal.
    this.#tcpSocket?.resetAndDestroy();
    if (!this.#isUp) {
      if (!this.#isFailureTold && !this.#client.disconnecting) this.#onError(new Error(closedWithoutAWord));
      return;
    }
    this.#isUp = false;
    this.#settings.handlers.down();
  }

  #onError(error: Error): void {
    this.#isFailureTold = true;
    const reason = error.message || String(error);
    if (reason === this.#lastFailure) return;
    this.#lastFailure = reason;
    this.#settings.handlers.failed?.(reason);
  }
}
