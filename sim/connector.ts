/** Endpoints that have no connection try to make one, again and again. */

import type { Connection } from "./connection.ts";
import type { ConnectionTimers } from "./connection-timers.ts";
import type { RangeUs } from "./mqtt-timing.ts";
import { connectTimeoutUs, firstConnectUs, reconnectUs } from "./mqtt-timing.ts";
import type { NetworkSetup } from "./network-interface.ts";
import type { Payloads } from "./network-types.ts";
import type { EventHandler } from "./queue.ts";
import { noTicket } from "./queue.ts";

/** Makes the connections of all endpoints. */
export class Connector<P extends Payloads> {
  private readonly timers: ConnectionTimers<P>;
  /** A round trip to open the TCP connection, and one from CONNECT to CONNACK. */
  private readonly handshakeUs: RangeUs;
  private readonly onAttempt: EventHandler;
  private readonly onAttemptEnds: EventHandler;

  /** `established` is told when a CONNACK arrives. */
  constructor(setup: NetworkSetup<P>, timers: ConnectionTimers<P>, established: (connection: Connection<P>) => void) {
    this.timers = timers;
    this.handshakeUs = [2 * setup.options.hopUsMin, 2 * setup.options.hopUsMax];
    this.onAttempt = timers.handler((connection) => this.attempt(connection));
    this.onAttemptEnds = timers.handler((connection) => {
      if (!canConnect(connection)) return this.reconnect(connection);
      connection.connecting = noTicket;
      established(connection);
    });
  }

  /** The process has just started. */
  connect(connection: Connection<P>): void {
    connection.connecting = this.timers.start(firstConnectUs, this.onAttempt, connection);
  }

  /** The connection was lost, or an attempt failed. */
  reconnect(connection: Connection<P>): void {
    connection.connecting = this.timers.start(reconnectUs, this.onAttempt, connection);
  }

  /** The process is gone. */
  giveUp(connection: Connection<P>): void {
    connection.connecting = this.timers.stop(connection.connecting);
  }

  /** Without a path the endpoint learns nothing until its patience ends; without a broker it is refused at once. */
  private attempt(connection: Connection<P>): void {
    const answerUs = canConnect(connection) ? this.handshakeUs : connectTimeoutUs;
    if (isRefused(connection)) this.reconnect(connection);
    else connection.connecting = this.timers.start(answerUs, this.onAttemptEnds, connection);
  }
}

function canConnect<P extends Payloads>(connection: Connection<P>): boolean {
  return isPathWhole(connection) && connection.broker.up && !connection.endpoint.paused;
}

function isRefused<P extends Payloads>(connection: Connection<P>): boolean {
  return isPathWhole(connection) && !connection.broker.up;
}

function isPathWhole<P extends Payloads>({ toBroker, fromBroker }: Connection<P>): boolean {
  return toBroker.pathWhole && fromBroker.pathWhole;
}
