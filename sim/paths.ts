/**
 * What TCP does when a path is cut and healed: what was written meanwhile waits, and goes on, late and in order, once
 * TCP tries again. What is closed meanwhile is heard of then.
 */

import type { Connection, Stream } from "./connection.ts";
import type { ConnectionTimers } from "./connection-timers.ts";
import { drainPeriodUs, retransmitUs } from "./mqtt-timing.ts";
import type { NetworkCounters, Payloads } from "./network-types.ts";
import type { EventHandler } from "./queue.ts";
import { noTicket } from "./queue.ts";
import type { Router } from "./router.ts";
import type { Topology } from "./topology.ts";

/** What follows from a change of paths at the ends of a connection. */
export type Ends<P extends Payloads> = {
  /** Something has changed that decides what is open. */
  settle(connection: Connection<P>): void;
  /** The endpoint's FIN has reached the broker. */
  endAtBroker(connection: Connection<P>): void;
  /** All that the broker sent has been read: if it has closed the connection, that is what the endpoint hears next. */
  noticeEnd(connection: Connection<P>): void;
};

/** What waits for a path, and when it goes on. */
export class Paths<P extends Payloads> {
  private readonly topology: Topology;
  private readonly connections: readonly Connection<P>[];
  private readonly router: Router<P>;
  private readonly counters: NetworkCounters;
  private readonly timers: ConnectionTimers<P>;
  private readonly ends: Ends<P>;
  private readonly onResumeToBroker: EventHandler;
  private readonly onResumeFromBroker: EventHandler;
  private readonly onDrainToBroker: EventHandler;
  private readonly onDrainFromBroker: EventHandler;

  constructor(
    topology: Topology,
    connections: readonly Connection<P>[],
    router: Router<P>,
    counters: NetworkCounters,
    timers: ConnectionTimers<P>,
    ends: Ends<P>,
  ) {
    this.topology = topology;
    this.connections = connections;
    this.router = router;
    this.counters = counters;
    this.timers = timers;
    this.ends = ends;
    this.onResumeToBroker = timers.handler((connection) => this.resumeToBroker(connection));
    this.onResumeFromBroker = timers.handler((connection) => this.resumeFromBroker(connection));
    this.onDrainToBroker = timers.handler((connection) => this.drainToBroker(connection));
    this.onDrainFromBroker = timers.handler((connection) => this.drainFromBroker(connection));
  }

  /** Cables, switches or power have changed. */
  changed(): void {
    for (const connection of this.connections) {
      const { endpoint, broker, toBroker, fromBroker } = connection;
      const there = this.topology.reaches(endpoint.node, broker.node);
      const back = this.topology.reaches(broker.node, endpoint.node);
      if (there === toBroker.pathWhole && back === fromBroker.pathWhole) continue;
      this.setPath(connection, toBroker, there, this.onResumeToBroker);
      this.setPath(connection, fromBroker, back, this.onResumeFromBroker);
      this.ends.settle(connection);
    }
  }

  /** The endpoint's process goes on after a pause, and reads what its kernel received meanwhile. */
  readOn(connection: Connection<P>): void {
    this.drain(connection, connection.fromBroker, this.onDrainFromBroker);
  }

  private setPath(connection: Connection<P>, stream: Stream<P>, whole: boolean, onResume: EventHandler): void {
    if (stream.pathWhole === whole) return;
    stream.pathWhole = whole;
    stream.resuming = this.timers.stop(stream.resuming);
    if (!whole) stream.stalled = true;
    else stream.resuming = this.timers.start(retransmitUs, onResume, connection);
  }

  /** After a heal, TCP gets through to the broker again, with what waited or with the endpoint's FIN. */
  private resumeToBroker(connection: Connection<P>): void {
    connection.toBroker.stalled = false;
    connection.toBroker.resuming = noTicket;
    this.ends.settle(connection);
    if (connection.brokerUp && !connection.endpointUp) this.ends.endAtBroker(connection);
    else this.drain(connection, connection.toBroker, this.onDrainToBroker);
  }

  /** After a heal, TCP gets through to the endpoint again, with what waited and then with the broker's FIN. */
  private resumeFromBroker(connection: Connection<P>): void {
    connection.fromBroker.stalled = false;
    connection.fromBroker.resuming = noTicket;
    this.ends.settle(connection);
    this.drain(connection, connection.fromBroker, this.onDrainFromBroker);
  }

  /** Has what waits go on, one packet after the other; if nothing waits, the broker's FIN is next. */
  private drain(connection: Connection<P>, stream: Stream<P>, onDrain: EventHandler): void {
    if (stream.waiting.length === 0) this.ends.noticeEnd(connection);
    else if (stream.draining === noTicket) stream.draining = this.timers.start(drainPeriodUs, onDrain, connection);
  }

  private drainToBroker(connection: Connection<P>): void {
    const stream = connection.toBroker;
    stream.draining = noTicket;
    if (!connection.endpointUp || !connection.brokerUp || stream.stalled) return;
    const packet = stream.waiting.shift();
    this.ends.settle(connection);
    if (packet !== undefined) {
      this.counters.late += 1;
      this.router.route(connection, packet);
    }
    this.drain(connection, stream, this.onDrainToBroker);
  }

  private drainFromBroker(connection: Connection<P>): void {
    const stream = connection.fromBroker;
    stream.draining = noTicket;
    if (!connection.endpointUp || connection.endpoint.paused || stream.stalled) return;
    const packet = stream.waiting.shift();
    this.ends.settle(connection);
    if (packet !== undefined) {
      this.counters.late += 1;
      this.router.hand(connection, packet);
    }
    this.drain(connection, stream, this.onDrainFromBroker);
  }
}
