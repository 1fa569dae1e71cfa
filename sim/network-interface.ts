/** The simulated network as the world uses it: what endpoints send, and what happens to cables and machines. */

import type { Random } from "../device/random.ts";
import type { Bench, NodeName } from "../hardware/model.ts";
import type { Fingerprint } from "./fingerprint.ts";
import type {
  BoardIndex,
  BrokerIndex,
  BrokerLosses,
  ClientIndex,
  CutDirection,
  EndpointIndex,
  NetworkCounters,
  NetworkListener,
  NetworkOptions,
  Noise,
  Payloads,
} from "./network-types.ts";
import type { EventQueue } from "./queue.ts";

/** What a network is made of. Clients connect at once; boards are without power until `boardStarted`. */
export type NetworkSetup<P extends Payloads> = {
  readonly bench: Bench;
  /** The node at which each client stands: the controller, a board, a broker's machine, or a switch. */
  readonly clientNodes: readonly NodeName[];
  readonly queue: EventQueue;
  /** The network's own generator (a fork). */
  readonly random: Random;
  readonly fingerprint: Fingerprint;
  readonly listener: NetworkListener<P>;
  readonly options: NetworkOptions;
  /** How many bytes a message would have as JSON; asked only for a message that has to wait. */
  readonly sizeBytes: (payload: P[keyof P]) => number;
};

/** A network in virtual time. Names that the bench does not have are errors; what is so already changes nothing. */
export interface Network<P extends Payloads> {
  readonly counters: NetworkCounters;

  // What endpoints do. Nothing arrives within the call. What cannot be sent is lost, and counted.

  /** A board publishes to the inbox of another. */
  sendRaft(from: BoardIndex, to: BoardIndex, message: P["raft"]): void;
  /** A client publishes to whichever boards take requests, on every broker that it is connected to. */
  publishRequest(client: ClientIndex, request: P["request"]): void;
  /** A client publishes to one board, on that board's inbox. */
  publishRequestTo(client: ClientIndex, board: BoardIndex, request: P["request"]): void;
  /** A board subscribes to requests, or no longer, on every broker that it is connected to: what leaders do. */
  subscribeRequests(board: BoardIndex, wanted: boolean): void;
  /** A board answers on the broker by which the request came. */
  reply(board: BoardIndex, broker: BrokerIndex, client: ClientIndex, reply: P["reply"]): void;
  /**
   * A board's status, retained by every broker that it is connected to, and again after each of its reconnects until
   * its process ends. Every other endpoint on those brokers gets it: for what changes seldom.
   */
  publishStatus(board: BoardIndex, status: P["status"]): void;
  /** Whether the endpoint believes that it has its connection to the broker. */
  isConnected(endpoint: EndpointIndex, broker: BrokerIndex): boolean;

  // What happens to boards.

  /** The board has power and its process runs, under this boot number; so do the brokers on it. It connects. */
  boardStarted(board: BoardIndex, boot: number): void;
  /** The process is gone, the machine is not: its kernel closes the connections, wills go out where the path is whole. */
  processDied(board: BoardIndex): void;
  /** The machine is gone, silently, and with it the brokers on it. */
  powerCut(board: BoardIndex): void;
  /** The process stands still: its kernel goes on receiving. It sends no keep-alive, so brokers will give it up. */
  setPaused(board: BoardIndex, paused: boolean): void;

  // What happens to the rest of the bench.

  cutCable(cable: string, direction: CutDirection): void;
  /** Heals both directions. */
  healCable(cable: string): void;
  switchOff(name: NodeName): void;
  switchOn(name: NodeName): void;
  /** The broker's process dies; its machine's kernel resets all connections. */
  crashBroker(broker: NodeName, losses: BrokerLosses): void;
  restartBroker(broker: NodeName): void;
  /** Whether the broker of `to`'s inbox withholds what `from` says to it; what is under way already arrives. */
  setWithheld(from: NodeName, to: NodeName, withheld: boolean): void;
  /** Faults beyond TCP; `null` ends them. */
  setNoise(noise: Noise | null): void;
  /** Whether, by cables, switches and brokers as they are now, the endpoint can talk with the broker both ways. */
  reaches(endpoint: EndpointIndex, broker: BrokerIndex): boolean;
}
