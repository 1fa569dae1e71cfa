/**
 * The broker that Adrift brings along: aedes, without delay on its sockets, within limits, and with keys only for those
 * who are certified and only for what is theirs (`permissions.ts`).
 *
 * Nothing that comes from outside may end the process, slow down the others or fill the memory.
 */

import { createServer as createHttpServer, type Server as HttpServer } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { createServer as createTlsServer, TLSSocket, type TlsOptions } from "node:tls";
import { Aedes, type Client } from "aedes";
import { createWebSocketStream, WebSocketServer } from "ws";
import { parseTopic, topicsOf } from "../transport/topics.ts";
import { decodeWithhold, encodeWithheld } from "../transport/withhold-codec.ts";
import { BrokerError, type BrokerSettings, type RunningBroker } from "./broker.ts";
import { BrokerConnections } from "./broker-connections.ts";
import { brokerLimits, holdToLimits } from "./broker-limits.ts";
import { gatherWrites } from "./gathered-writes.ts";
import type { Keys } from "./keys.ts";
import { refuseOpenDoor } from "./loopback.ts";
import { mayPublish, maySubscribe, type Party } from "./permissions.ts";
import { Withholding } from "./withholding.ts";

/**
 * Starts a broker; it can be reached when the promise is fulfilled.
 *
 * @throws {BrokerError} where it cannot listen, or must not: without keys on an address that others can reach.
 */
export async function startBroker(settings: BrokerSettings): Promise<RunningBroker> {
  refuseOpenDoor(settings, settings.keys !== null);
  const broker = new EmbeddedBroker(settings, await Aedes.createBroker(aedesOptions));
  try {
    return await broker.start();
  } catch (error) {
    await broker.close();
    throw error;
  }
}

const aedesOptions = {
  /** A message goes out at once, however many are on their way; what may wait is bounded for each reader. */
  concurrency: 0,
  connectTimeout: brokerLimits.connectTimeoutMs,
  maxInflightInbound: brokerLimits.inFlightMax,
  maxTopicLevels: 16,
};

class EmbeddedBroker {
  readonly #settings: BrokerSettings;
  readonly #aedes: Aedes;
  readonly #servers: Server[] = [];
  readonly #connections: BrokerConnections;
  /** Who is behind a client; only with keys. */
  readonly #parties = new WeakMap<Client, Party>();
  readonly #sockets = new WeakMap<Client, Socket>();
  readonly #withholding = new Withholding(() => this.#tellWithheld(null));
  #isClosing = false;

  constructor(settings: BrokerSettings, aedes: Aedes) {
    this.#settings = settings;
    this.#aedes = aedes;
    this.#connections = new BrokerConnections((happening) => this.#tell(happening));
    this.#setHooks();
  }

  async start(): Promise<RunningBroker> {
    const { host, port, webSocketPort } = this.#settings;
    await this.#takeWithholdRequests();
    return {
      port: await this.#listen(this.#tcpServer(), host, port),
      webSocketPort: webSocketPort === null ? null : await this.#listen(this.#webSocketServer(), host, webSocketPort),
      close: () => this.close(),
    };
  }

  /** As if the process had died: nobody's will is published, and nobody is waited for. */
  async close(): Promise<void> {
    if (this.#isClosing) return;
    this.#isClosing = true;
    this.#withholding.close();
    const closed = this.#servers.map((server) => new Promise((resolve) => server.close(resolve)));
    this.#connections.cutOffAll();
    await Promise.all([...closed, new Promise<void>((resolve) => this.#aedes.close(resolve))]);
  }

  #tcpServer(): Server {
    const { keys } = this.#settings;
    const receive = (socket: Socket): void => this.#receive(socket, socket);
    if (keys === null) return createTcpServer({ noDelay: true }, receive);
    const server = createTlsServer({ noDelay: true, ...tlsOptions(keys) }, receive);
    return server.on("tlsClientError", this.#onUnproven);
  }

  #webSocketServer(): HttpServer {
    const { keys } = this.#settings;
    const times = {
      headersTimeout: brokerLimits.connectTimeoutMs,
      requestTimeout: brokerLimits.connectTimeoutMs,
      connectionsCheckingInterval: brokerLimits.connectTimeoutMs / 2,
    };
    const server =
      keys === null
        ? createHttpServer({ noDelay: true, ...times })
        : createHttpsServer({ noDelay: true, ...times, ...tlsOptions(keys) }).on("tlsClientError", this.#onUnproven);
    server.on("request", (_request, response) => {
      response.writeHead(426, { connection: "close", "content-type": "text/plain" });
      response.end("Here speaks an MQTT broker: open a WebSocket with the subprotocol mqtt.\n");
    });
    const webSockets = new WebSocketServer({
      server,
      maxPayload: 2 * brokerLimits.packetBytesMax,
      perMessageDeflate: false,
      handleProtocols: (offered) => (offered.has("mqtt") ? "mqtt" : false),
    });
    // What goes wrong with the server itself is heard where it listens.
    webSockets.on("error", () => {});
    webSockets.on("connection", (webSocket, request) =>
      this.#receive(createWebSocketStream(webSocket), request.socket),
    );
    return server;
  }

  async #listen(server: Server, host: string, port: number): Promise<number> {
    server.on("connection", (socket: Socket) => this.#connections.arrive(socket));
    await new Promise<void>((resolve, reject) => {
      server.once("error", (error) => reject(whyNotListening(error, this.#settings.name, host, port)));
      server.listen({ host, port }, resolve);
    });
    server.on("error", (error) => this.#tell(error.message));
    this.#servers.push(server);
    return (server.address() as AddressInfo).port;
  }

  /** Takes in somebody who speaks MQTT through a stream that rests on a socket. */
  #receive(stream: Duplex, socket: Socket): void {
    const { cluster, boards, keys } = this.#settings;
    stream.on("error", () => {});
    gatherWrites(stream);
    holdToLimits(stream, (overrun) => this.#connections.cutOff(socket, overrun));
    const client = this.#aedes.handle(stream);
    if (keys !== null) this.#parties.set(client, { cluster, boards, name: certifiedName(socket) });
    client.once("connected", () => {
      this.#connections.welcome(socket);
      this.#tell(`${client.id} is connected`);
    });
    this.#sockets.set(client, socket);
  }

  readonly #onUnproven = (error: Error, socket: TLSSocket): void => {
    this.#tell(`somebody is turned away who proves no name: ${socket.authorizationError ?? error.message}`);
  };

  #tell(happening: string): void {
    this.#settings.tell?.(happening);
  }

  #setHooks(): void {
    const { keys } = this.#settings;
    const aedes = this.#aedes;
    // An error without a listener would end the process.
    aedes.addListener("error", (error: Error) => this.#tell(error.message));
    aedes.on("clientError", (client, error) => this.#tell(`${client.id} is cut off: ${error.message}`));
    aedes.on("connectionError", (_client, error) => this.#tell(`somebody is turned away: ${error.message}`));
    aedes.on("keepaliveTimeout", (client) => this.#cutOff(client, "nothing was heard of it"));
    // Sessions are not kept: a board wants nothing of what was said while it was away.
    aedes.preConnect = (_client, packet, callback) => {
      packet.clean = true;
      callback(null, true);
    };
    aedes.authorizePublish = (client, packet, callback) => {
      const isForbidden =
        this.#isClosing || (client !== null && !this.#mayPublish(client, packet.topic, packet.retain));
      callback(isForbidden ? new Error(`may not publish to ${packet.topic}`) : null);
    };
    aedes.authorizeSubscribe = (client, subscription, callback) => {
      const party = this.#parties.get(client);
      const isPermitted = keys === null || (party !== undefined && maySubscribe(party, subscription.topic));
      if (!isPermitted) this.#tell(`${client.id} may not subscribe to ${subscription.topic}`);
      callback(null, isPermitted ? subscription : null);
    };
  }

  /** What the controller wants withheld: see `withhold-codec.ts`. */
  async #takeWithholdRequests(): Promise<void> {
    const { name, cluster } = this.#settings;
    const take = (packet: { readonly payload: string | Buffer }, done: () => void): void => {
      const request = decodeWithhold(packet.payload.toString());
      if (request.ok) {
        this.#withholding.obey(request.value);
        this.#tellWithheld(request.value.number);
      } else {
        this.#tell(`a request to withhold something is dropped: ${request.detail}`);
      }
      done();
    };
    await new Promise<void>((resolve) => this.#aedes.subscribe(topicsOf(cluster).withhold(name), take, resolve));
    this.#aedes.authorizeForward = (_client, packet) => (this.#isWithheld(packet.topic) ? null : packet);
  }

  #isWithheld(topic: string): boolean {
    if (this.#withholding.isEmpty) return false;
    const parsed = parseTopic(this.#settings.cluster, topic);
    return parsed?.kind === "raft" && this.#withholding.withholds(parsed.from, parsed.to);
  }

  #tellWithheld(answers: number | null): void {
    if (this.#isClosing) return;
    const { name, cluster } = this.#settings;
    const payload = encodeWithheld({ from: name, answers, pairs: this.#withholding.pairs() });
    const topic = topicsOf(cluster).withheld(name);
    this.#aedes.publish({ cmd: "publish", qos: 0, dup: false, retain: true, topic, payload }, () => {});
  }

  #cutOff(client: Client, reason: string): void {
    const socket = this.#sockets.get(client);
    if (socket !== undefined) this.#connections.cutOff(socket, reason);
  }

  #mayPublish(client: Client, topic: string, retained: boolean): boolean {
    if (topic.startsWith("$")) return false;
    if (this.#settings.keys === null) return true;
    const party = this.#parties.get(client);
    return party !== undefined && mayPublish(party, topic, retained);
  }
}

/** Only who is certified by the bench's own authority gets in. */
function tlsOptions(keys: Keys): TlsOptions {
  return {
    ca: keys.authority,
    cert: keys.certificate,
    key: keys.privateKey,
    requestCert: true,
    rejectUnauthorized: true,
    minVersion: "TLSv1.2",
    handshakeTimeout: brokerLimits.connectTimeoutMs,
  };
}

/** The common name; empty, which is nobody's, where a certificate has none or several. */
function certifiedName(socket: Socket): string {
  const name: unknown = socket instanceof TLSSocket ? socket.getPeerCertificate().subject?.CN : undefined;
  return typeof name === "string" ? name : "";
}

function whyNotListening(error: Error, name: string, host: string, port: number): BrokerError {
  const code = "code" in error ? error.code : undefined;
  const what = `broker ${name} cannot listen on ${host} port ${port}`;
  if (code === "EADDRINUSE")
    return new BrokerError(`${what}: another program has taken it. End that program, or choose another port.`);
  if (code === "EADDRNOTAVAIL")
    return new BrokerError(`${what}: no network interface of this machine has this address. Look at \`ip address\`.`);
  if (code === "EACCES")
    return new BrokerError(`${what}: ports below 1024 need rights of their own. Choose one of 1024 to 65535.`);
  if (code === "ENOTFOUND") return new BrokerError(`${what}: nobody knows this name. Write the address as numbers.`);
  return new BrokerError(`${what}: ${error.message}`);
}
