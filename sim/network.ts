/**
 * The simulated network: the bench's cables, switches and brokers with MQTT's real habits, in virtual time.
 *
 * This file turns what the world says, in names and numbers, into what `topology.ts` (who reaches whom), `lifecycle.ts`
 * (connections made and ended) and `router.ts` (packets carried) do.
 */

import type { NodeName } from "../hardware/model.ts";
import { Broker, Connection, Endpoint } from "./connection.ts";
import { Lifecycle } from "./lifecycle.ts";
import type { Network, NetworkSetup } from "./network-interface.ts";
import type {
  BoardIndex,
  BrokerIndex,
  BrokerLosses,
  ClientIndex,
  CutDirection,
  EndpointIndex,
  NetworkCounters,
  Noise,
  Payloads,
} from "./network-types.ts";
import { createNetworkCounters } from "./network-types.ts";
import type { Packet } from "./packet.ts";
import { toSubscribers } from "./packet.ts";
import { Router } from "./router.ts";
import { Topology } from "./topology.ts";

/** A network on which nothing is broken, no board has power yet, and the clients are about to connect. */
export function createNetwork<P extends Payloads>(setup: NetworkSetup<P>): Network<P> {
  return new BenchNetwork(setup);
}

class BenchNetwork<P extends Payloads> implements Network<P> {
  readonly counters: NetworkCounters = createNetworkCounters();

  private readonly topology: Topology;
  private readonly endpoints: readonly Endpoint<P>[];
  private readonly brokers: readonly Broker<P>[];
  private readonly router: Router<P>;
  private readonly lifecycle: Lifecycle<P>;
  private readonly boardNames: readonly NodeName[];
  /** By board: the broker of its inbox, and the brokers that run on it. */
  private readonly inboxes: readonly Broker<P>[];
  private readonly brokersOn: readonly (readonly Broker<P>[])[];

  constructor(setup: NetworkSetup<P>) {
    const { bench } = setup;
    const topology = new Topology(bench);
    const nodes = [...bench.boards.map((board) => board.name), ...setup.clientNodes];
    this.topology = topology;
    this.boardNames = bench.boards.map((board) => board.name);
    this.endpoints = nodes.map(
      (node, index) => new Endpoint<P>(index, topology.indexOf(node), index < bench.boards.length),
    );
    this.brokers = bench.brokers.map(({ name, node }, index) => new Broker<P>(index, name, topology.indexOf(node)));
    this.inboxes = bench.boards.map((board) => this.brokerNamed(board.inbox));
    this.brokersOn = bench.boards.map(({ name }) => this.brokers.filter((_, at) => bench.brokers[at]?.node === name));

    const connections = this.connectAll();
    this.router = new Router(setup, connections, bench.boards.length, this.counters);
    this.lifecycle = new Lifecycle(setup, topology, connections, this.router, this.counters);
    for (const endpoint of this.endpoints) {
      if (endpoint.isBoard) this.loseMachine(endpoint);
      else this.lifecycle.start(endpoint);
    }
  }

  sendRaft(from: BoardIndex, to: BoardIndex, message: P["raft"]): void {
    const connection = this.inboxOf(to).connections[from];
    if (connection === undefined) throw new RangeError(`There is no board ${from}.`);
    const fromBoot = connection.endpoint.boot;
    this.router.publish(connection, { kind: "raft", from, fromBoot, to, body: message });
  }

  publishRequest(client: ClientIndex, request: P["request"]): void {
    const packet: Packet<P> = { kind: "request", from: client, fromBoot: 0, to: toSubscribers, body: request };
    for (const connection of this.endpoint(client).connections) this.router.publish(connection, packet);
  }

  publishRequestTo(client: ClientIndex, board: BoardIndex, request: P["request"]): void {
    const connection = this.connection(client, this.inboxOf(board).index);
    this.router.publish(connection, { kind: "request", from: client, fromBoot: 0, to: board, body: request });
  }

  subscribeRequests(board: BoardIndex, wanted: boolean): void {
    const endpoint = this.endpoint(board);
    if (endpoint.wantsRequests === wanted) return;
    endpoint.wantsRequests = wanted;
    for (const connection of endpoint.connections) {
      if (connection.endpointUp) this.lifecycle.subscribe(connection, "requests", wanted);
    }
  }

  reply(board: BoardIndex, broker: BrokerIndex, client: ClientIndex, reply: P["reply"]): void {
    const connection = this.connection(board, broker);
    const fromBoot = connection.endpoint.boot;
    this.router.publish(connection, { kind: "reply", from: board, fromBoot, to: client, body: reply });
  }

  publishStatus(board: BoardIndex, status: P["status"]): void {
    const endpoint = this.endpoint(board);
    const packet: Packet<P> = {
      kind: "status",
      from: board,
      fromBoot: endpoint.boot,
      to: toSubscribers,
      body: status,
    };
    endpoint.status = packet;
    for (const connection of endpoint.connections) {
      if (connection.endpointUp) this.router.publish(connection, packet);
    }
  }

  isConnected(endpoint: EndpointIndex, broker: BrokerIndex): boolean {
    return this.connection(endpoint, broker).endpointUp;
  }

  boardStarted(board: BoardIndex, boot: number): void {
    const endpoint = this.endpoint(board);
    if (endpoint.running) throw new Error(`Board ${board} was started, but its process runs already.`);
    this.topology.setPower(endpoint.node, true);
    for (const broker of this.brokersOn[board] ?? []) broker.up = true;
    this.lifecycle.pathsChanged();
    endpoint.boot = boot;
    this.lifecycle.start(endpoint);
  }

  processDied(board: BoardIndex): void {
    const endpoint = this.endpoint(board);
    if (endpoint.running) this.lifecycle.stop(endpoint);
  }

  powerCut(board: BoardIndex): void {
    this.loseMachine(this.endpoint(board));
  }

  setPaused(board: BoardIndex, paused: boolean): void {
    const endpoint = this.endpoint(board);
    if (endpoint.running && endpoint.paused !== paused) this.lifecycle.setPaused(endpoint, paused);
  }

  cutCable(cable: string, direction: CutDirection): void {
    this.topology.cut(cable, direction);
    this.lifecycle.pathsChanged();
  }

  healCable(cable: string): void {
    this.topology.heal(cable);
    this.lifecycle.pathsChanged();
  }

  switchOff(name: NodeName): void {
    this.topology.setPower(this.topology.switchNamed(name), false);
    this.lifecycle.pathsChanged();
  }

  switchOn(name: NodeName): void {
    this.topology.setPower(this.topology.switchNamed(name), true);
    this.lifecycle.pathsChanged();
  }

  crashBroker(name: NodeName, losses: BrokerLosses): void {
    const broker = this.brokerNamed(name);
    if (broker.up) this.lifecycle.brokerCrashed(broker, losses);
  }

  restartBroker(name: NodeName): void {
    this.brokerNamed(name).up = true;
  }

  setWithheld(from: NodeName, to: NodeName, withheld: boolean): void {
    this.router.setWithheld(this.boardNamed(from), this.boardNamed(to), withheld);
  }

  setNoise(noise: Noise | null): void {
    this.router.noise = noise;
  }

  reaches(endpoint: EndpointIndex, broker: BrokerIndex): boolean {
    const { toBroker, fromBroker, broker: state } = this.connection(endpoint, broker);
    return state.up && toBroker.pathWhole && fromBroker.pathWhole;
  }

  /** Makes a connection for each endpoint and broker, and has endpoints keep up those that they need. */
  private connectAll(): readonly Connection<P>[] {
    const connections: Connection<P>[] = [];
    for (const broker of this.brokers) {
      for (const endpoint of this.endpoints) {
        const connection = new Connection(connections.length, endpoint, broker);
        connections.push(connection);
        broker.connections.push(connection);
        // A board needs its own inbox and those of the others; a client may find the leader on any broker.
        if (!endpoint.isBoard || this.inboxes.includes(broker)) endpoint.connections.push(connection);
      }
    }
    return connections;
  }

  /** The machine has no power: nobody is told. */
  private loseMachine(endpoint: Endpoint<P>): void {
    this.topology.setPower(endpoint.node, false);
    this.lifecycle.pathsChanged();
    this.lifecycle.stop(endpoint);
    this.lifecycle.forgetStale(endpoint);
    for (const broker of this.brokersOn[endpoint.index] ?? []) {
      if (broker.up) this.lifecycle.brokerCrashed(broker, { losesSessions: true, losesRetained: true });
    }
  }

  private endpoint(index: EndpointIndex): Endpoint<P> {
    const endpoint = this.endpoints[index];
    if (endpoint === undefined)
      throw new RangeError(`There is no endpoint ${index}: there are ${this.endpoints.length}.`);
    return endpoint;
  }

  private connection(endpoint: EndpointIndex, broker: BrokerIndex): Connection<P> {
    const connection = this.brokers[broker]?.connections[endpoint];
    if (connection === undefined) throw new RangeError(`There is no endpoint ${endpoint} at a broker ${broker}.`);
    return connection;
  }

  private inboxOf(board: BoardIndex): Broker<P> {
    const inbox = this.inboxes[board];
    if (inbox === undefined) throw new RangeError(`There is no board ${board}: there are ${this.inboxes.length}.`);
    return inbox;
  }

  private boardNamed(name: NodeName): BoardIndex {
    const board = this.boardNames.indexOf(name);
    if (board === -1) throw new RangeError(`There is no board ${name} on this bench.`);
    return board;
  }

  private brokerNamed(name: NodeName): Broker<P> {
    const broker = this.brokers.find((each) => each.name === name);
    if (broker === undefined) {
      const names = this.brokers.map((each) => each.name).join(", ");
      throw new RangeError(`There is no broker ${name} on this bench: it has ${names}.`);
    }
    return broker;
  }
}
