/**
 * Makes connections and ends them: what TCP and MQTT do when paths are cut, machines fall silent and processes die.
 *
 * Nothing here happens while all is well. Keep-alive pings in particular cost no events: when a path is cut (or a board
 * stands still), each end that will hear nothing more is given the moment at which it gives up, and that moment is taken
 * back if it hears again before.
 */

import type { Random } from "../device/random.ts";
import type { Broker, Connection, Endpoint, Stream } from "./connection.ts";
import type { RangeUs } from "./mqtt-timing.ts";
import {
  brokerGivesUpUs,
  connectTimeoutUs,
  drainPeriodUs,
  endpointGivesUpUs,
  firstConnectUs,
  reconnectUs,
  retransmitUs,
  staleReplayUs,
} from "./mqtt-timing.ts";
import type { NetworkSetup } from "./network-interface.ts";
import type { BrokerLosses, NetworkCounters, NetworkOptions, Payloads } from "./network-types.ts";
import type { PacketBuffer } from "./packet.ts";
import { toSubscribers } from "./packet.ts";
import type { EventHandler, EventQueue, Ticket } from "./queue.ts";
import { noTicket } from "./queue.ts";
import type { Router } from "./router.ts";
import type { Topology } from "./topology.ts";

export class Lifecycle<P extends Payloads> {
  private readonly queue: EventQueue;
  private readonly random: Random;
  private readonly options: NetworkOptions;
  private readonly topology: Topology;
  private readonly connections: readonly Connection<P>[];
  private readonly router: Router<P>;
  private readonly counters: NetworkCounters;

  constructor(
    setup: NetworkSetup<P>,
    topology: Topology,
    connections: readonly Connection<P>[],
    router: Router<P>,
    counters: NetworkCounters,
  ) {
    this.queue = setup.queue;
    this.random = setup.random;
    this.options = setup.options;
    this.topology = topology;
    this.connections = connections;
    this.router = router;
    this.counters = counters;
  }

  /** The endpoint's process runs, and connects. */
  start(endpoint: Endpoint<P>): void {
    endpoint.running = true;
    for (const connection of endpoint.connections) this.connectLater(connection, firstConnectUs);
  }

  /** The endpoint's process is gone; its kernel closes what it had open. */
  stop(endpoint: Endpoint<P>): void {
    endpoint.running = false;
    endpoint.paused = false;
    endpoint.wantsRequests = false;
    endpoint.status = null;
    for (const connection of endpoint.connections) {
      connection.connecting = this.cancelled(connection.connecting);
      if (connection.endpointUp) this.endAtEndpoint(connection);
    }
  }

  /** The endpoint's process stands still, or goes on and finds what its kernel received meanwhile. */
  setPaused(endpoint: Endpoint<P>, paused: boolean): void {
    endpoint.paused = paused;
    for (const connection of endpoint.connections) {
      this.settle(connection);
      if (!paused) this.drain(connection, connection.fromBroker, this.onDrainFromBroker);
    }
  }

  /** Cables, switches or power have changed. */
  pathsChanged(): void {
    for (const connection of this.connections) {
      const { endpoint, broker } = connection;
      const there = this.topology.reaches(endpoint.node, broker.node);
      const back = this.topology.reaches(broker.node, endpoint.node);
      if (there === connection.toBroker.pathWhole && back === connection.fromBroker.pathWhole) continue;
      this.setPath(connection, connection.toBroker, there, this.onResumeToBroker);
      this.setPath(connection, connection.fromBroker, back, this.onResumeFromBroker);
      this.settle(connection);
    }
  }

  /** The broker's process is gone. Endpoints that it can still reach learn that at once; no wills are published. */
  brokerCrashed(broker: Broker<P>, losses: BrokerLosses): void {
    broker.up = false;
    if (losses.losesRetained) broker.retained = [];
    for (const connection of broker.connections) {
      connection.brokerUp = false;
      this.abandon(connection.fromBroker, null);
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

  private connectLater(connection: Connection<P>, range: RangeUs): void {
    connection.connecting = this.queue.schedule(
      this.queue.nowUs + this.draw(range),
      this.onConnect,
      connection.index,
      0,
    );
  }

  /** The endpoint tries to connect. Without a path it learns nothing until its patience ends. */
  private readonly onConnect: EventHandler = (index) => {
    const connection = this.connectionAt(index);
    const { broker, endpoint } = connection;
    if (!endpoint.paused && this.isPathWhole(connection) && !broker.up) {
      this.connectLater(connection, reconnectUs);
      return;
    }
    const { hopUsMin, hopUsMax } = this.options;
    const answered = !endpoint.paused && this.isPathWhole(connection);
    // A round trip to open the TCP connection, and one from CONNECT to CONNACK.
    const waitUs = answered ? this.draw([2 * hopUsMin, 2 * hopUsMax]) : connectTimeoutUs;
    connection.connecting = this.queue.schedule(this.queue.nowUs + waitUs, this.onConnectEnds, index, 0);
  };

  /** The CONNACK arrives, or patience ends. */
  private readonly onConnectEnds: EventHandler = (index) => {
    const connection = this.connectionAt(index);
    const { broker, endpoint } = connection;
    if (endpoint.paused || !broker.up || !this.isPathWhole(connection)) this.connectLater(connection, reconnectUs);
    else this.establish(connection);
  };

  private establish(connection: Connection<P>): void {
    const { endpoint } = connection;
    if (connection.brokerUp) {
      this.counters.takeovers += 1;
      this.endAtBroker(connection);
    }
    this.counters.connects += 1;
    connection.connecting = noTicket;
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
      this.queue.schedule(this.queue.nowUs + this.draw(staleReplayUs), this.onStaleReplay, connection.index, 0);
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

  private readonly onStaleReplay: EventHandler = (index) => {
    const connection = this.connectionAt(index);
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
  };

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
    this.connectLater(connection, reconnectUs);
    this.router.tellConnection(connection, false);
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

  // Paths.

  private setPath(connection: Connection<P>, stream: Stream<P>, whole: boolean, onResume: EventHandler): void {
    if (stream.pathWhole === whole) return;
    stream.pathWhole = whole;
    stream.resuming = this.cancelled(stream.resuming);
    if (!whole) stream.stalled = true;
    else
      stream.resuming = this.queue.schedule(this.queue.nowUs + this.draw(retransmitUs), onResume, connection.index, 0);
  }

  /** After a heal, TCP gets through to the broker again, with what waited or with the endpoint's FIN. */
  private readonly onResumeToBroker: EventHandler = (index) => {
    const connection = this.connectionAt(index);
    connection.toBroker.stalled = false;
    connection.toBroker.resuming = noTicket;
    this.settle(connection);
    if (connection.brokerUp && !connection.endpointUp) this.endAtBroker(connection);
    else this.drain(connection, connection.toBroker, this.onDrainToBroker);
  };

  /** After a heal, TCP gets through to the endpoint again, with what waited and then with the broker's FIN. */
  private readonly onResumeFromBroker: EventHandler = (index) => {
    const connection = this.connectionAt(index);
    connection.fromBroker.stalled = false;
    connection.fromBroker.resuming = noTicket;
    this.settle(connection);
    this.drain(connection, connection.fromBroker, this.onDrainFromBroker);
  };

  /** Has what waits go on, one packet after the other; if nothing waits, the broker's FIN is next. */
  private drain(connection: Connection<P>, stream: Stream<P>, onDrain: EventHandler): void {
    if (stream.waiting.length === 0) this.noticeEnd(connection);
    else if (stream.draining === noTicket) {
      stream.draining = this.queue.schedule(this.queue.nowUs + drainPeriodUs, onDrain, connection.index, 0);
    }
  }

  private readonly onDrainToBroker: EventHandler = (index) => {
    const connection = this.connectionAt(index);
    const stream = connection.toBroker;
    stream.draining = noTicket;
    if (!connection.endpointUp || !connection.brokerUp || stream.stalled) return;
    const packet = stream.waiting.shift();
    if (packet !== undefined) {
      this.counters.late += 1;
      this.router.route(connection, packet);
    }
    this.settle(connection);
    this.drain(connection, stream, this.onDrainToBroker);
  };

  private readonly onDrainFromBroker: EventHandler = (index) => {
    const connection = this.connectionAt(index);
    const stream = connection.fromBroker;
    stream.draining = noTicket;
    if (!connection.endpointUp || connection.endpoint.paused || stream.stalled) return;
    const packet = stream.waiting.shift();
    this.settle(connection);
    if (packet !== undefined) {
      this.counters.late += 1;
      this.router.hand(connection, packet);
    }
    this.drain(connection, stream, this.onDrainFromBroker);
  };

  /** What waited is lost, or kept to be replayed. */
  private abandon(stream: Stream<P>, stale: PacketBuffer<P> | null): void {
    stream.draining = this.cancelled(stream.draining);
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
    stream.resuming = this.cancelled(stream.resuming);
  }

  // Silence.

  /** Works out, after any change, what is open, and which end hears nothing and will give up. */
  private settle(connection: Connection<P>): void {
    const { endpoint, endpointUp, brokerUp, toBroker, fromBroker } = connection;
    const running = endpointUp && !endpoint.paused;
    toBroker.open = endpointUp && brokerUp && !toBroker.stalled && toBroker.waiting.length === 0;
    fromBroker.open = running && !fromBroker.stalled && fromBroker.waiting.length === 0;

    const endpointHears = brokerUp && !toBroker.stalled && !fromBroker.stalled;
    connection.endpointWatch =
      running && !endpointHears
        ? this.watched(connection.endpointWatch, endpointGivesUpUs, this.onEndpointGivesUp, connection)
        : this.cancelled(connection.endpointWatch);

    const brokerHears = running && !toBroker.stalled;
    connection.brokerWatch =
      brokerUp && !brokerHears
        ? this.watched(connection.brokerWatch, brokerGivesUpUs, this.onBrokerGivesUp, connection)
        : this.cancelled(connection.brokerWatch);
  }

  private watched(ticket: Ticket, range: RangeUs, onSilence: EventHandler, connection: Connection<P>): Ticket {
    if (ticket !== noTicket) return ticket;
    return this.queue.schedule(this.queue.nowUs + this.draw(range), onSilence, connection.index, 0);
  }

  private readonly onEndpointGivesUp: EventHandler = (index) => {
    const connection = this.connectionAt(index);
    connection.endpointWatch = noTicket;
    this.counters.endpointTimeouts += 1;
    this.endAtEndpoint(connection);
  };

  private readonly onBrokerGivesUp: EventHandler = (index) => {
    const connection = this.connectionAt(index);
    connection.brokerWatch = noTicket;
    this.counters.brokerTimeouts += 1;
    this.endAtBroker(connection);
  };

  // Helpers.

  private isPathWhole(connection: Connection<P>): boolean {
    return connection.toBroker.pathWhole && connection.fromBroker.pathWhole;
  }

  private connectionAt(index: number): Connection<P> {
    const connection = this.connections[index];
    if (connection === undefined) throw new RangeError(`There is no connection ${index}.`);
    return connection;
  }

  private draw([minUs, maxUs]: RangeUs): number {
    return this.random.between(minUs, maxUs + 1);
  }

  private cancelled(ticket: Ticket): Ticket {
    if (ticket !== noTicket) this.queue.cancel(ticket);
    return noTicket;
  }
}

function endSession<P extends Payloads>(connection: Connection<P>): void {
  connection.subscribed = false;
  connection.subscribedToRequests = false;
}
