/**
 * The state of endpoints, brokers, and the connections between them. An MQTT connection has two ends, and what each
 * believes can differ for a while: that is where the habits of a real network come from. `router.ts` carries packets
 * over connections, `lifecycle.ts` makes and ends them.
 */

import type { BrokerIndex, EndpointIndex, Payloads } from "./network-types.ts";
import type { Packet } from "./packet.ts";
import { PacketBuffer } from "./packet.ts";
import type { Ticket } from "./queue.ts";
import { noTicket } from "./queue.ts";
import type { NodeIndex } from "./topology.ts";

/** One direction of a TCP connection. */
export class Stream<P extends Payloads> {
  /** What is written now goes straight through: nothing is in the way and nothing waits before it. */
  open = false;
  pathWhole = true;
  /** TCP has met a cut, and has not yet tried again since the heal. */
  stalled = false;
  /** What was written while the stream was not open. */
  readonly waiting = new PacketBuffer<P>();
  /** TCP's next try after a heal. */
  resuming: Ticket = noTicket;
  /** The next waiting packet's turn. */
  draining: Ticket = noTicket;
}

/** What one endpoint and one broker have of each other. It outlives the TCP connections made one after the other. */
export class Connection<P extends Payloads> {
  /** Its place in the list of all connections. */
  readonly index: number;
  readonly endpoint: Endpoint<P>;
  readonly broker: Broker<P>;
  /** Counts the TCP connections. What follows is about the latest one. */
  generation = 0;
  /** What the endpoint believes: it has its CONNACK, and nothing has told it of an end. */
  endpointUp = false;
  /** What the broker believes. */
  brokerUp = false;
  readonly toBroker = new Stream<P>();
  readonly fromBroker = new Stream<P>();
  /** The session at the broker: it has the endpoint's own topics, and those of requests. */
  subscribed = false;
  subscribedToRequests = false;
  /** The boot number in the will that the broker holds. */
  willBoot = 0;
  /** What waited on an earlier TCP connection and will still arrive. */
  readonly staleToBroker = new PacketBuffer<P>();
  readonly staleFromBroker = new PacketBuffer<P>();
  /** The endpoint's next attempt to connect, or the CONNACK that is under way. */
  connecting: Ticket = noTicket;
  /** When an end that hears nothing gives up. */
  endpointWatch: Ticket = noTicket;
  brokerWatch: Ticket = noTicket;

  constructor(index: number, endpoint: Endpoint<P>, broker: Broker<P>) {
    this.index = index;
    this.endpoint = endpoint;
    this.broker = broker;
  }
}

/** A board's process or a client. */
export class Endpoint<P extends Payloads> {
  readonly index: EndpointIndex;
  readonly node: NodeIndex;
  readonly isBoard: boolean;
  /** The connections that it keeps up. */
  readonly connections: Connection<P>[] = [];
  running = false;
  paused = false;
  boot = 0;
  wantsRequests = false;
  /** What it publishes on every new connection. */
  status: Packet<P> | null = null;

  constructor(index: EndpointIndex, node: NodeIndex, isBoard: boolean) {
    this.index = index;
    this.node = node;
    this.isBoard = isBoard;
  }
}

/** A broker's process. */
export class Broker<P extends Payloads> {
  readonly index: BrokerIndex;
  readonly name: string;
  readonly node: NodeIndex;
  up = true;
  /** By endpoint: also those of endpoints that never connect here. */
  readonly connections: Connection<P>[] = [];
  /** By board: the last status published here, or the will. */
  retained: (Packet<P> | undefined)[] = [];

  constructor(index: BrokerIndex, name: string, node: NodeIndex) {
    this.index = index;
    this.name = name;
    this.node = node;
  }
}
