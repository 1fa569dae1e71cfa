/** What travels between endpoints and brokers, and where it waits. */

import type { BoardIndex, EndpointIndex, Payloads } from "./network-types.ts";

/** Whoever is subscribed, instead of one endpoint. */
export const toSubscribers = -1;

/**
 * A published message or a subscription. All kinds have the same fields in the same order, so that they are one shape to
 * the machine: this is the most travelled road of the simulator.
 */
export type Packet<P extends Payloads> =
  | Travelling<"raft", BoardIndex, P["raft"]>
  | Travelling<"request", BoardIndex | typeof toSubscribers, P["request"]>
  | Travelling<"reply", EndpointIndex, P["reply"]>
  /** `null` is the will: the board is offline. */
  | Travelling<"status", typeof toSubscribers, P["status"] | null>
  | Travelling<"subscribe", typeof toSubscribers, Subscription>;

type Travelling<Kind, To, Body> = {
  readonly kind: Kind;
  readonly from: EndpointIndex;
  /** The boot number of the sender when it sent this. */
  readonly fromBoot: number;
  readonly to: To;
  readonly body: Body;
};

/** `own`: what each endpoint always wants (its inbox or replies, and the statuses); `requests`: what leaders want. */
export type Subscription = { readonly topics: "own" | "requests"; readonly wanted: boolean };

/** Packets that wait, first in, first out, up to a number of bytes. */
export class PacketBuffer<P extends Payloads> {
  private packets: Packet<P>[] = [];
  private sizes: number[] = [];
  private first = 0;
  private bytes = 0;

  get length(): number {
    return this.packets.length - this.first;
  }

  /** False if it does not fit any more. */
  push(packet: Packet<P>, sizeBytes: number, bytesMax: number): boolean {
    if (this.bytes + sizeBytes > bytesMax) return false;
    this.packets.push(packet);
    this.sizes.push(sizeBytes);
    this.bytes += sizeBytes;
    return true;
  }

  /** The packet that waited longest. */
  shift(): Packet<P> | undefined {
    const packet = this.packets[this.first];
    this.bytes -= this.sizes[this.first] ?? 0;
    this.first += 1;
    if (this.first >= this.packets.length) this.clear();
    return packet;
  }

  /** Empties the buffer and says how many packets were in it. */
  clear(): number {
    const count = Math.max(0, this.length);
    this.packets = [];
    this.sizes = [];
    this.first = 0;
    this.bytes = 0;
    return count;
  }

  /** Moves everything to the end of `other`, as far as it fits there; says how many packets did not. */
  moveTo(other: PacketBuffer<P>, bytesMax: number): number {
    let lost = 0;
    for (let index = this.first; index < this.packets.length; index += 1) {
      const packet = this.packets[index];
      if (packet !== undefined && !other.push(packet, this.sizes[index] ?? 0, bytesMax)) lost += 1;
    }
    this.clear();
    return lost;
  }
}
