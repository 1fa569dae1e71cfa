/** What the simulated network carries, tells and counts: the words between `network.ts` and the world around it. */

/** A board's place in the bench's list of boards. Boards are the first endpoints, so this is an `EndpointIndex` too. */
export type BoardIndex = number;

/** A client's `EndpointIndex`: the number of boards plus its place in the list of clients. */
export type ClientIndex = number;

/** Whoever holds connections to brokers: the boards in the bench's order, then the clients. */
export type EndpointIndex = number;

/** A broker's place in the bench's list of brokers. */
export type BrokerIndex = number;

/** What travels in each kind of message. The network hands these on untouched, so they must be immutable. */
export type Payloads = {
  readonly raft: unknown;
  readonly request: unknown;
  readonly reply: unknown;
  readonly status: unknown;
};

/** What the network tells the world, in virtual time. Each call happens within one event; it may send at once. */
export type NetworkListener<P extends Payloads> = {
  /** `fromBoot` is the boot number under which the sender sent it: older ones can come late. */
  onRaft(to: BoardIndex, from: BoardIndex, message: P["raft"], fromBoot: number): void;
  /** A request came by this broker; the reply must go back the same way. The same request may come by several brokers. */
  onRequest(board: BoardIndex, broker: BrokerIndex, client: ClientIndex, request: P["request"]): void;
  onReply(client: ClientIndex, broker: BrokerIndex, board: BoardIndex, reply: P["reply"], fromBoot: number): void;
  /** What a broker knows of a board; `null` is the will of its connection to that broker: offline since this boot. */
  onStatus(
    reader: EndpointIndex,
    broker: BrokerIndex,
    board: BoardIndex,
    status: P["status"] | null,
    boot: number,
  ): void;
  /** The endpoint has its connection to this broker (CONNACK arrived), or knows that it has lost it. */
  onConnection(endpoint: EndpointIndex, broker: BrokerIndex, up: boolean): void;
};

/** How the network behaves. Times in microseconds of virtual time. */
export type NetworkOptions = {
  /** From a publish to its delivery, over the broker, when nothing is in the way: drawn per message. */
  readonly hopUsMin: number;
  readonly hopUsMax: number;
  /** Bytes that wait on one connection in one direction while its path is cut; what comes on top is lost. */
  readonly bufferBytesMax: number;
  /** Brokers keep the subscriptions of clients that are away. */
  readonly persistentSessions: boolean;
  /** What waited on a connection that was given up still arrives, after the reconnect. */
  readonly staleReplay: boolean;
};

/** A broker on a Raspberry Pi, reached over a LAN; clean sessions; sockets that are reset rather than closed. */
export const defaultNetworkOptions: NetworkOptions = {
  hopUsMin: 150,
  hopUsMax: 600,
  bufferBytesMax: 128 * 1024,
  persistentSessions: false,
  staleReplay: false,
};

/** Faults that TCP rules out, for those who want to see Raft bear them. Chances in parts per million, per delivery. */
export type Noise = {
  readonly lossPpm: number;
  readonly duplicationPpm: number;
  /** Held back by up to `delayUsMax`, so that later messages overtake it. */
  readonly delayPpm: number;
  readonly delayUsMax: number;
};

/** Which way of a cable is cut. The names are those of the cable's two ends in the bench: `ends[0]`, `ends[1]`. */
export type CutDirection = "both" | "fromFirstEnd" | "fromSecondEnd";

/** What a crashed broker forgets. */
export type BrokerLosses = { readonly losesSessions: boolean; readonly losesRetained: boolean };

/** Why a message did not arrive. */
export type LossReason =
  /** The sender had no connection to the broker. */
  | "notConnected"
  /** Nobody was subscribed at the broker at that moment. */
  | "nobodyListens"
  /** Too much waited already on a connection whose path is cut, or for a paused board. */
  | "bufferFull"
  /** It was under way or waiting when its connection ended. */
  | "connectionEnded"
  /** By `Noise`. */
  | "noise"
  /** The broker withheld what one board said to another. */
  | "withheld";

/** How often each thing really happened, so that a campaign can show what it exercised. */
export type NetworkCounters = {
  /** Messages that endpoints published. */
  published: number;
  /** Deliveries to endpoints; one publish can have several, or none. */
  delivered: number;
  /** Went on after having waited: for a heal, or for a paused board to go on. */
  late: number;
  /** Went on after having waited on an earlier connection (`staleReplay`). */
  stale: number;
  duplicated: number;
  /** Held back by `Noise`. */
  delayed: number;
  lost: Record<LossReason, number>;
  /** Connections made, and those given up by the endpoint or the broker for silence. */
  connects: number;
  endpointTimeouts: number;
  brokerTimeouts: number;
  /** Connections that a new one of the same endpoint replaced at the broker. */
  takeovers: number;
  /** Wills that brokers published. */
  wills: number;
};

/** Counters that stand at zero. */
export function createNetworkCounters(): NetworkCounters {
  return {
    published: 0,
    delivered: 0,
    late: 0,
    stale: 0,
    duplicated: 0,
    delayed: 0,
    lost: { notConnected: 0, nobodyListens: 0, bufferFull: 0, connectionEnded: 0, noise: 0, withheld: 0 },
    connects: 0,
    endpointTimeouts: 0,
    brokerTimeouts: 0,
    takeovers: 0,
    wills: 0,
  };
}
