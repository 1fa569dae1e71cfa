/** Timers of connections: something happens to one connection after a time that is drawn. */

import type { Random } from "../device/random.ts";
import type { Connection } from "./connection.ts";
import type { RangeUs } from "./mqtt-timing.ts";
import type { NetworkSetup } from "./network-interface.ts";
import type { Payloads } from "./network-types.ts";
import type { EventHandler, EventQueue, Ticket } from "./queue.ts";
import { noTicket } from "./queue.ts";

/** The moments that lie ahead of connections. */
export class ConnectionTimers<P extends Payloads> {
  private readonly queue: EventQueue;
  private readonly random: Random;
  private readonly connections: readonly Connection<P>[];

  constructor(setup: NetworkSetup<P>, connections: readonly Connection<P>[]) {
    this.queue = setup.queue;
    this.random = setup.random;
    this.connections = connections;
  }

  /** A handler for `start`. Make it once, not per timer. */
  handler(happening: (connection: Connection<P>) => void): EventHandler {
    return (index) => {
      const connection = this.connections[index];
      if (connection === undefined) throw new RangeError(`There is no connection ${index}.`);
      happening(connection);
    };
  }

  /** Has `handler` happen to the connection after a time between the two bounds. */
  start([minUs, maxUs]: RangeUs, handler: EventHandler, connection: Connection<P>): Ticket {
    const waitUs = this.random.between(minUs, maxUs + 1);
    return this.queue.schedule(this.queue.nowUs + waitUs, handler, connection.index, 0);
  }

  /** Stops a timer if it runs. Gives `noTicket`, to stand in the place of the one that was stopped. */
  stop(ticket: Ticket): Ticket {
    this.queue.cancel(ticket);
    return noTicket;
  }
}
