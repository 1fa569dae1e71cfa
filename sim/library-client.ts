/** A place for the client library on a simulated bench: the wire, the clock and the timer of one of its clients. */

import type { ClientPort } from "../device/client/port.ts";
import type { AnyRequest } from "../device/transport/envelope.ts";
import type { Reply, Request } from "../device/transport/protocol.ts";
import { noTicket, type Ticket } from "./queue.ts";
import type { World } from "./world.ts";

/** See the head of this file. Time passes only as the world is run. */
export class SimulatedClientPort implements ClientPort {
  readonly #world: World;
  readonly #publish: (request: Request) => void;
  #wake: Ticket = noTicket;

  /** In the place of the client of this name, which must not be used for anything else; `hear` gets its replies. */
  constructor(world: World, name: string, hear: (reply: Reply) => void) {
    const client = world.clients.find((each) => each.name === name);
    if (client === undefined) throw new RangeError(`There is no client ${name} on this bench.`);
    this.#world = world;
    this.#publish = client.lend(hear);
  }

  /** Calls alone: simulated boards are looked at through the world. */
  publish(requests: readonly AnyRequest[]): void {
    for (const request of requests) {
      if (request.type === "register" || request.type === "command" || request.type === "query") this.#publish(request);
    }
  }

  nowUs(): number {
    return this.#world.nowUs;
  }

  wakeAt(atUs: number, wake: () => void): void {
    const { queue } = this.#world;
    queue.cancel(this.#wake);
    this.#wake = queue.at(Math.max(atUs, queue.nowUs), wake);
  }

  /** Later in this microsecond. */
  afterThisTurn(callback: () => void): void {
    this.#world.queue.at(this.#world.nowUs, callback);
  }
}
