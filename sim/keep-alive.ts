/**
 * Notices silence. While both ends hear each other nothing happens here, and pings cost no events: when an end begins to
 * hear nothing (its path was cut, or the process at the other end stands still), it is given the moment at which it will
 * give up, and that moment is taken back if it hears again before.
 */

import type { Connection } from "./connection.ts";
import type { ConnectionTimers } from "./connection-timers.ts";
import { brokerGivesUpUs, endpointGivesUpUs } from "./mqtt-timing.ts";
import type { Payloads } from "./network-types.ts";
import type { EventHandler } from "./queue.ts";
import { noTicket } from "./queue.ts";

/** Gives up connections whose other end is silent. */
export class KeepAlive<P extends Payloads> {
  private readonly timers: ConnectionTimers<P>;
  private readonly onEndpointGivesUp: EventHandler;
  private readonly onBrokerGivesUp: EventHandler;

  constructor(
    timers: ConnectionTimers<P>,
    endpointGivesUp: (connection: Connection<P>) => void,
    brokerGivesUp: (connection: Connection<P>) => void,
  ) {
    this.timers = timers;
    this.onEndpointGivesUp = timers.handler((connection) => {
      connection.endpointWatch = noTicket;
      endpointGivesUp(connection);
    });
    this.onBrokerGivesUp = timers.handler((connection) => {
      connection.brokerWatch = noTicket;
      brokerGivesUp(connection);
    });
  }

  /** To be told after every change of what an end hears, or of whether it runs. */
  changed(connection: Connection<P>): void {
    const { endpoint, endpointUp, brokerUp, toBroker, fromBroker } = connection;
    const endpointRuns = endpointUp && !endpoint.paused;

    // The endpoint hears the answers to its pings: they take both ways.
    const endpointHears = brokerUp && !toBroker.stalled && !fromBroker.stalled;
    if (!endpointRuns || endpointHears) connection.endpointWatch = this.timers.stop(connection.endpointWatch);
    else if (connection.endpointWatch === noTicket) {
      connection.endpointWatch = this.timers.start(endpointGivesUpUs, this.onEndpointGivesUp, connection);
    }

    const brokerHears = endpointRuns && !toBroker.stalled;
    if (!brokerUp || brokerHears) connection.brokerWatch = this.timers.stop(connection.brokerWatch);
    else if (connection.brokerWatch === noTicket) {
      connection.brokerWatch = this.timers.start(brokerGivesUpUs, this.onBrokerGivesUp, connection);
    }
  }
}
