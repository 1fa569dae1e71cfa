/**
 * Makes connections and ends them: what TCP and MQTT do when paths are cut, machines fall silent and processes die.
 *
 * Nothing here happens while all is well. `connector.ts` makes attempts to connect, `keep-alive.ts` notices silence,
 * `paths.ts` stops and resumes the streams of packets; what follows for the ends of a connection stands here.
 */

import type { Broker, Connection, Endpoint, Stream } from "./connection.ts";
import { ConnectionTimers } from "./connection-timers.ts";
import { Connector } from "./connector.ts";
import { KeepAlive } from "./keep-alive.ts";
import { staleReplayUs } from "./mqtt-timing.ts";
import type { NetworkSetup } from "./network-interface.ts";
import type { BrokerLosses, NetworkCounters, NetworkOptions, Payloads } from "./network-types.ts";
import type { PacketBuffer } from "./packet.ts";
import { toSubscribers } from "./packet.ts";
import { Paths } from "./paths.ts";
import type { EventHandler } from "./queue.ts";
import type { Router } from "./router.ts";
import type { Topology } from "./topology.ts";

/** The lives of all connections of a bench. */
export class Lifecycle<P extends Payloads> {
  private readonly options: NetworkOptions;
  private readonly router: Router<P>;
  private readonly counters: NetworkCounters;
  private readonly timers: ConnectionTimers<P>;
  private readonly connector: Connector<P>;
  private readonly keepAlive: KeepAlive<P>;
  private readonly paths: Paths<P>;
  private readonly onStaleReplay: EventHandler;

  constructor(
    setup: NetworkSetup<P>,
    topology: Topology,
    connections: readonly Connection<P>[],
    router: Router<P>,
    counters: NetworkCounters,
  ) {
    this.options = setup.options;
    this.router = router;
    this.counters = counters;
    const timers = new ConnectionTimers(setup, connections);
    this.timers = timers;
    this.connector = new Connector(setup, timers, (connection) => this.establish(connection));
    this.keepAlive = new KeepAlive(
      timers,
      (connection) => this.giveUpAtEndpoint(connection),
      (connection) => this.giveUpAtBroker(connection),
    );
    this.paths = new Paths(topology, connections, router, counters, timers, {
      settle: (connection) => this.settle(connection),
      endAtBroker: (connection) => this.endAtBroker(connection),
      noticeEnd: (connection) => this.noticeEnd(connection),
    });
    this.onStaleReplay = timers.handler((connection) => this.replayStale(connection));
  }

  /** The endpoint's process runs, and connects. */
  start(endpoint: Endpoint<P>): void {
    endpoint.running = true;
    for (const connection of endpoint.connections) this.connector.connect(connection);
  }

  /** The endpoint's process is gone; its kernel closes what it had open. */
  stop(endpoint: Endpoint<P>): void {
    endpoint.running = false;
    endpoint.paused = false;
    endpoint.wantsRequests = false;
    endpoint.status = null;
    for (const connection of endpoint.connections) {
      this.connector.giveUp(connection);
      if (connection.endpointUp) this.endAtEndpoint(connection);
    }
  }

  /** The endpoint's process stands still, or goes on and finds what its kernel received meanwhile. */
  setPaused(endpoint: Endpoint<P>, paused: boolean): void {
    endpoint.paused = paused;
    for (const connection of endpoint.connections) {
      this.settle(connection);
      if (!paused) this.paths.readOn(connection);
    }
  }

  /** Cables, switches or power have changed. */
  pathsChanged(): void {
    this.paths.changed();
  }

  /** The broker's process is gone. Endpoints that it can still reach learn that at once; no wills are published. */
  brokerCrashed(broker: Broker<P>, losses: BrokerLosses): void {
    broker.up = false;
    if (losses.losesRetained) broker.retained = [];
    for (const connection of broker.connections) {
      connection.brokerUp = false;
      this.abandon(connection.fromBroker, null);
      this.counters.lost.connectionEnded += connection.staleFromBroker.clear();
      if (losses.losesSessions || !this.options.persistentSessions) endSession(connection);
      this.settle(connection);
    }
    for (const connection of broker.connections) this.noticeEnd(connection);
  }

  /** What waits in the endpoint's machine to be replayed is gone with its power. */
  forgetStale(endpoint: Endpoint<P>): void {
    for (const connection of endpoint.connections) {
      this.counters.lost.connectionEnded += connection.staleToBroker.clear();
    }
  }

  // Connecting.

  private establish(connection: Connection<P>): void {
    const { endpoint } = connection;
    if (connection.brokerUp) {
      this.counters.takeovers += 1;
      this.endAtBroker(connection);
    }
    this.counters.connects += 1;
    connection.generation += 1;
    this.reset(connection.toBroker);
    this.reset(connection.fromBroker);
    connection.endpointUp = true;
    connection.brokerUp = true;
    connection.willBoot = endpoint.boot;
    this.settle(connection);
    this.renewSubscriptions(connection);
    if (endpoint.status !== null) this.router.publish(connection, endpoint.status);
    if (connection.staleToBroker.length + connection.staleFromBroker.length > 0) {
      this.timers.start(staleReplayUs, this.onStaleReplay, connection);
    }
    this.router.tellConnection(connection, true);
  }

  /** Subscribes to what the session at the broker does not have. */
  private renewSubscriptions(connection: Connection<P>): void {
    if (!connection.subscribed) this.subscribe(connection, "own", true);
    const wanted = connection.endpoint.wantsRequests;
    if (connection.subscribedToRequests !== wanted) this.subscribe(connection, "requests", wanted);
  }

  /** Sends a SUBSCRIBE, or an UNSUBSCRIBE. */
  subscribe(connection: Connection<P>, topics: "own" | "requests", wanted: boolean): void {
    const { index, boot } = connection.endpoint;
    const body = { topics, wanted };
    this.router.publish(connection, { kind: "subscribe", from: index, fromBoot: boot, to: toSubscribers, body });
  }

  private replayStale(connection: Connection<P>): void {
    // What the connection loses again before its turn waits for the next one.
    if (!connection.endpointUp || !connection.brokerUp) return;
    const { staleToBroker, staleFromBroker } = connection;
    for (let packet = staleToBroker.shift(); packet !== undefined; packet = staleToBroker.shift()) {
      // A subscription belongs to the connection on which it was sent.
      if (packet.kind === "subscribe") continue;
      this.counters.stale += 1;
      this.router.route(connection, packet);
    }
    for (let packet = staleFromBroker.shift(); packet !== undefined; packet = staleFromBroker.shift()) {
      this.counters.stale += 1;
      this.router.replay(connection, packet);
    }
  }

  // Ending.

  /** The endpoint's end is gone: it gave up, was told, or died. The broker hears of it if the path is whole. */
  private endAtEndpoint(connection: Connection<P>): void {
    const { endpoint, toBroker, fromBroker } = connection;
    connection.endpointUp = false;
    this.abandon(toBroker, connection.staleToBroker);
    this.abandon(fromBroker, connection.staleFromBroker);
    this.settle(connection);
    if (connection.brokerUp && !toBroker.stalled) this.endAtBroker(connection);
    if (!endpoint.running) return;
    this.connector.reconnect(connection);
    this.router.tellConnection(connection, false);
  }

  private giveUpAtEndpoint(connection: Connection<P>): void {
    this.counters.endpointTimeouts += 1;
    this.endAtEndpoint(connection);
  }

  private giveUpAtBroker(connection: Connection<P>): void {
    this.counters.brokerTimeouts += 1;
    this.endAtBroker(connection);
  }

  /** The broker's end is gone without a DISCONNECT: the will goes out. The endpoint hears of it if the path is whole. */
  private endAtBroker(connection: Connection<P>): void {
    connection.brokerUp = false;
    if (!this.options.persistentSessions) endSession(connection);
    if (!connection.endpointUp) this.abandon(connection.fromBroker, connection.staleFromBroker);
    this.settle(connection);
    this.publishWill(connection);
    this.noticeEnd(connection);
  }

  private publishWill(connection: Connection<P>): void {
    const { endpoint, willBoot } = connection;
    if (!endpoint.isBoard) return;
    this.counters.wills += 1;
    this.router.route(connection, {
      kind: "status",
      from: endpoint.index,
      fromBoot: willBoot,
      to: toSubscribers,
      body: null,
    });
  }

  /** The endpoint learns that the broker's end is gone, if it can, and after all that was sent before. */
  private noticeEnd(connection: Connection<P>): void {
    const { endpoint, fromBroker } = connection;
    if (!connection.endpointUp || connection.brokerUp) return;
    if (!fromBroker.stalled && !endpoint.paused && fromBroker.waiting.length === 0) this.endAtEndpoint(connection);
  }

  // Streams.

  /** What waited is lost, or kept to be replayed. */
  private abandon(stream: Stream<P>, stale: PacketBuffer<P> | null): void {
    stream.draining = this.timers.stop(stream.draining);
    const lost =
      stale !== null && this.options.staleReplay
        ? stream.waiting.moveTo(stale, this.options.bufferBytesMax)
        : stream.waiting.clear();
    this.counters.lost.connectionEnded += lost;
  }

  /** A new TCP connection on a path that is whole. */
  private reset(stream: Stream<P>): void {
    this.abandon(stream, null);
    stream.stalled = false;
    stream.resuming = this.timers.stop(stream.resuming);
  }

  /** Works out, after any change, which streams are open, and has silence noticed. */
  private settle(connection: Connection<P>): void {
    const { endpoint, endpointUp, brokerUp, toBroker, fromBroker } = connection;
    toBroker.open = endpointUp && brokerUp && !toBroker.stalled && toBroker.waiting.length === 0;
    fromBroker.open = endpointUp && !endpoint.paused && !fromBroker.stalled && fromBroker.waiting.length === 0;
    this.keepAlive.changed(connection);
  }
}

function endSession<P extends Payloads>(connection: Connection<P>): void {
  connection.subscribed = false;
  connection.subscribedToRequests = false;
}
