/** The TCP connections of a broker: how many there may be, and which goes first when there are too many. */

import type { Socket } from "node:net";
import { brokerLimits } from "./broker-limits.ts";

/** See the head of this file. A TLS socket is found by the TCP socket below it, with which it shares its address. */
export class BrokerConnections {
  readonly #all = new Map<string, Socket>();
  /** Those of which nobody has said who they are, the oldest first. */
  readonly #halfOpen = new Map<string, Socket>();
  readonly #tell: (happening: string) => void;

  constructor(tell: (happening: string) => void) {
    this.#tell = tell;
  }

  /** Takes in a socket that has just been accepted. Whoever floods a broker with silence displaces his own kind. */
  arrive(socket: Socket): void {
    const key = keyOf(socket);
    socket.on("error", () => {});
    socket.once("close", () => {
      this.#all.delete(key);
      this.#halfOpen.delete(key);
    });
    this.#all.set(key, socket);
    this.#halfOpen.set(key, socket);
    if (this.#all.size - this.#halfOpen.size >= brokerLimits.connectionsMax) {
      this.cutOff(socket, `there are ${brokerLimits.connectionsMax} connections already`);
      return;
    }
    if (this.#halfOpen.size <= brokerLimits.halfOpenMax) return;
    const [oldest] = this.#halfOpen.values();
    if (oldest !== undefined) this.cutOff(oldest, "it said nothing, and its place was needed");
  }

  /** Somebody has said who they are. */
  welcome(socket: Socket): void {
    this.#halfOpen.delete(keyOf(socket));
  }

  /** Ends a connection such that nothing arrives any more of what the kernel still holds of it, once a cut is healed. */
  cutOff(socket: Socket, reason: string): void {
    const key = keyOf(socket);
    const tcp = this.#all.get(key);
    if (tcp === undefined) return;
    this.#all.delete(key);
    this.#halfOpen.delete(key);
    this.#tell(`${key} is cut off: ${reason}`);
    tcp.resetAndDestroy();
  }

  cutOffAll(): void {
    for (const tcp of this.#all.values()) tcp.resetAndDestroy();
    this.#all.clear();
    this.#halfOpen.clear();
  }
}

function keyOf(socket: Socket): string {
  return `${socket.remoteAddress}:${socket.remotePort}`;
}
