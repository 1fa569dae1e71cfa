/**
 * Carries packets: from an endpoint to a broker, and on to everyone there who is subscribed.
 *
 * A message that meets no fault costs one event, its delivery: at the publish the router looks whether the way to the
 * broker is open and who is subscribed there, and at the delivery whether the way from the broker is. Two packets from
 * the same sender to the same receiver over the same broker never overtake each other, as TCP has it. What finds its
 * way closed waits on the connection; `lifecycle.ts` sends it on.
 */

import type { Random } from "../device/random.ts";
import type { Connection, Stream } from "./connection.ts";
import type { Fingerprint } from "./fingerprint.ts";
import type { NetworkSetup } from "./network-interface.ts";
import type {
  BoardIndex,
  BrokerIndex,
  NetworkCounters,
  NetworkListener,
  NetworkOptions,
  Noise,
  Payloads,
} from "./network-types.ts";
import type { Packet, Subscription } from "./packet.ts";
import { toSubscribers } from "./packet.ts";
import type { EventHandler, EventQueue } from "./queue.ts";

/** Carries packets from endpoint to broker to endpoint. */
export class Router<P extends Payloads> {
  /** Faults beyond TCP, if any. */
  noise: Noise | null = null;

  private readonly queue: EventQueue;
  private readonly random: Random;
  private readonly fingerprint: Fingerprint;
  private readonly listener: NetworkListener<P>;
  private readonly options: NetworkOptions;
  private readonly sizeBytes: (payload: P[keyof P]) => number;
  private readonly counters: NetworkCounters;
  private readonly connections: readonly Connection<P>[];
  private readonly boardCount: number;

  /** What boards say to each other that brokers withhold: at `from * boards + to`. */
  private readonly withheld = new Set<number>();

  /** When the last packet from one connection to another arrives: at `sender * connections + receiver`. */
  private readonly lastArrivalUs: Float64Array;

  // What is under way, each in a slot that is used again.
  private readonly packets: (Packet<P> | undefined)[] = [];
  private readonly generations: number[] = [];
  private readonly freeSlots: number[] = [];

  constructor(
    setup: NetworkSetup<P>,
    connections: readonly Connection<P>[],
    boardCount: number,
    counters: NetworkCounters,
  ) {
    this.queue = setup.queue;
    this.random = setup.random;
    this.fingerprint = setup.fingerprint;
    this.listener = setup.listener;
    this.options = setup.options;
    this.sizeBytes = setup.sizeBytes;
    this.counters = counters;
    this.connections = connections;
    this.boardCount = boardCount;
    this.lastArrivalUs = new Float64Array(connections.length * connections.length);
  }

  /** From now on brokers withhold what one board says to the other, or no longer. */
  setWithheld(from: BoardIndex, to: BoardIndex, withheld: boolean): void {
    const pair = from * this.boardCount + to;
    if (withheld) this.withheld.add(pair);
    else this.withheld.delete(pair);
  }

  /** An endpoint writes a packet to its connection. */
  publish(sender: Connection<P>, packet: Packet<P>): void {
    if (packet.kind !== "subscribe") this.counters.published += 1;
    if (sender.toBroker.open) this.route(sender, packet);
    else if (!sender.endpointUp) this.counters.lost.notConnected += 1;
    else if (!sender.brokerUp && !sender.toBroker.stalled) this.counters.lost.connectionEnded += 1;
    else this.wait(sender.toBroker, packet);
  }

  /** A packet reaches the broker. */
  route(sender: Connection<P>, packet: Packet<P>): void {
    const connections = sender.broker.connections;
    switch (packet.kind) {
      case "raft":
        if (this.withheld.size > 0 && this.withheld.has(packet.from * this.boardCount + packet.to)) {
          this.counters.lost.withheld += 1;
          return;
        }
        this.carry(sender, connections[packet.to], packet);
        return;
      case "reply":
        this.carry(sender, connections[packet.to], packet);
        return;
      case "request":
        if (packet.to === toSubscribers) this.carryToLeaders(sender, packet);
        else this.carry(sender, connections[packet.to], packet);
        return;
      case "status":
        sender.broker.retained[packet.from] = packet;
        for (const reader of connections) {
          if (reader.endpoint.index !== packet.from && isSubscribed(reader)) this.carry(sender, reader, packet);
        }
        return;
      case "subscribe":
        this.schedule(this.inOrder(sender, sender, this.queue.nowUs + this.hopUs()), this.onSubscribe, sender, packet);
        return;
      default:
        packet satisfies never;
    }
  }

  /** A packet that had waited at the broker on an earlier connection of the endpoint comes by the present one. */
  replay(receiver: Connection<P>, packet: Packet<P>): void {
    this.schedule(this.queue.nowUs + this.hopUs(), this.onArrival, receiver, packet);
  }

  /** The endpoint reads a packet from its connection. */
  hand(receiver: Connection<P>, packet: Packet<P>): void {
    const { listener } = this;
    const reader = receiver.endpoint.index;
    const broker = receiver.broker.index;
    this.counters.delivered += 1;
    switch (packet.kind) {
      case "raft":
        this.mix(1, packet.from, reader, broker);
        listener.onRaft(reader, packet.from, packet.body, packet.fromBoot);
        return;
      case "request":
        this.mix(2, packet.from, reader, broker);
        listener.onRequest(reader, broker, packet.from, packet.body);
        return;
      case "reply":
        this.mix(3, packet.from, reader, broker);
        listener.onReply(reader, broker, packet.from, packet.body, packet.fromBoot);
        return;
      case "status":
        this.mix(packet.body === null ? 4 : 5, packet.from, reader, broker);
        listener.onStatus(reader, broker, packet.from, packet.body, packet.fromBoot);
        return;
      case "subscribe":
        throw new Error(`A subscription was about to be delivered to endpoint ${reader}: brokers keep them.`);
      default:
        packet satisfies never;
    }
  }

  /** Tells an endpoint of its connection. */
  tellConnection(connection: Connection<P>, up: boolean): void {
    const { endpoint, broker } = connection;
    this.mix(up ? 6 : 7, endpoint.index, endpoint.index, broker.index);
    this.listener.onConnection(endpoint.index, broker.index, up);
  }

  /** Keeps a packet until the stream is open again. */
  private wait(stream: Stream<P>, packet: Packet<P>): void {
    const sizeBytes = packet.kind === "subscribe" || packet.body === null ? 0 : this.sizeBytes(packet.body);
    if (!stream.waiting.push(packet, sizeBytes, this.options.bufferBytesMax)) this.counters.lost.bufferFull += 1;
  }

  private carryToLeaders(sender: Connection<P>, packet: Packet<P>): void {
    const connections = sender.broker.connections;
    let heard = false;
    for (let board = 0; board < this.boardCount; board += 1) {
      const receiver = connections[board];
      if (receiver === undefined || !receiver.subscribedToRequests || !receiver.brokerUp) continue;
      heard = true;
      this.carry(sender, receiver, packet);
    }
    if (!heard) this.counters.lost.nobodyListens += 1;
  }

  /** From the broker to one endpoint, if it is subscribed. */
  private carry(sender: Connection<P>, receiver: Connection<P> | undefined, packet: Packet<P>): void {
    if (receiver === undefined || !isSubscribed(receiver)) {
      this.counters.lost.nobodyListens += 1;
      return;
    }
    const atUs = this.queue.nowUs + this.hopUs();
    if (this.noise !== null) {
      if (this.happens(this.noise.lossPpm)) {
        this.counters.lost.noise += 1;
        return;
      }
      if (this.happens(this.noise.duplicationPpm)) {
        this.counters.duplicated += 1;
        this.schedule(atUs + this.hopUs(), this.onArrival, receiver, packet);
      }
      if (this.happens(this.noise.delayPpm)) {
        this.counters.delayed += 1;
        this.schedule(atUs + this.random.between(1, this.noise.delayUsMax + 1), this.onArrival, receiver, packet);
        return;
      }
    }
    this.schedule(this.inOrder(sender, receiver, atUs), this.onArrival, receiver, packet);
  }

  /** `atUs`, or later: not before what the same connection sent to the same receiver earlier. */
  private inOrder(sender: Connection<P>, receiver: Connection<P>, atUs: number): number {
    const pair = sender.index * this.connections.length + receiver.index;
    const lastUs = this.lastArrivalUs[pair] ?? 0;
    if (lastUs > atUs) return lastUs;
    this.lastArrivalUs[pair] = atUs;
    return atUs;
  }

  private schedule(atUs: number, handler: EventHandler, connection: Connection<P>, packet: Packet<P>): void {
    const slot = this.freeSlots.pop() ?? this.packets.length;
    this.packets[slot] = packet;
    this.generations[slot] = connection.generation;
    this.queue.schedule(atUs, handler, slot, connection.index);
  }

  /** A packet reaches the endpoint's machine, if its connection is still the same. */
  private readonly onArrival: EventHandler = (slot, index) => {
    const receiver = this.connections[index];
    const packet = this.packets[slot];
    const generation = this.generations[slot];
    this.release(slot);
    if (receiver === undefined || packet === undefined) throw new Error("A packet arrived that nobody sent.");
    if (receiver.generation !== generation) this.counters.lost.connectionEnded += 1;
    else if (receiver.fromBroker.open) this.hand(receiver, packet);
    else if (receiver.endpointUp || receiver.brokerUp) this.wait(receiver.fromBroker, packet);
    else this.counters.lost.connectionEnded += 1;
  };

  /** A subscription reaches the broker, which answers with what it retains. */
  private readonly onSubscribe: EventHandler = (slot, index) => {
    const reader = this.connections[index];
    const packet = this.packets[slot];
    const generation = this.generations[slot];
    this.release(slot);
    if (reader === undefined || packet?.kind !== "subscribe") throw new Error("A subscription came that nobody sent.");
    if (reader.generation === generation && reader.brokerUp) this.subscribe(reader, packet.body);
  };

  private subscribe(reader: Connection<P>, subscription: Subscription): void {
    if (subscription.topics === "requests") {
      reader.subscribedToRequests = subscription.wanted;
      return;
    }
    reader.subscribed = subscription.wanted;
    const { connections, retained } = reader.broker;
    for (const packet of retained) {
      if (packet === undefined || packet.from === reader.endpoint.index) continue;
      this.carry(connections[packet.from] ?? reader, reader, packet);
    }
  }

  private release(slot: number): void {
    this.packets[slot] = undefined;
    this.freeSlots.push(slot);
  }

  private hopUs(): number {
    return this.random.between(this.options.hopUsMin, this.options.hopUsMax + 1);
  }

  private happens(ppm: number): boolean {
    return ppm > 0 && this.random.chance(ppm, 1_000_000);
  }

  private mix(what: number, from: number, to: number, broker: BrokerIndex): void {
    this.fingerprint.mixNumber(this.queue.nowUs);
    this.fingerprint.mixNumber(what + 8 * (from + 1024 * (to + 1024 * broker)));
  }
}

function isSubscribed<P extends Payloads>(connection: Connection<P>): boolean {
  return connection.brokerUp && connection.subscribed;
}
