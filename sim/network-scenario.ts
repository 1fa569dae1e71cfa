/** For the network's own tests: a network on a bench, with everything that it tells its endpoints written down. */

import { createRandom } from "../device/random.ts";
import type { Bench } from "../hardware/bench.ts";
import { Fingerprint } from "./fingerprint.ts";
import { createNetwork } from "./network.ts";
import type { Network } from "./network-interface.ts";
import type { BoardIndex, BrokerIndex, ClientIndex, EndpointIndex, NetworkOptions } from "./network-types.ts";
import { defaultNetworkOptions } from "./network-types.ts";
import { EventQueue } from "./queue.ts";

type Texts = { readonly raft: string; readonly request: string; readonly reply: string; readonly status: string };

/** Something that an endpoint was told. */
export type Told = { readonly atUs: number; readonly who: EndpointIndex; readonly what: string };

/** A network on a bench whose endpoints write down what they are told. */
export class NetworkScenario {
  readonly queue = new EventQueue();
  readonly fingerprint = new Fingerprint();
  readonly network: Network<Texts>;
  /** Raft messages as "from>text", requests as "client?text via broker", replies, statuses, connections. */
  readonly told: Told[] = [];
  private readonly boardCount: number;
  private boot = 0;

  /** All boards are started, and everybody has connected. */
  constructor(bench: Bench, options: Partial<NetworkOptions> = {}, seed: string | number = 1) {
    const tell = (who: EndpointIndex, what: string) => this.told.push({ atUs: this.queue.nowUs, who, what });
    this.network = createNetwork<Texts>({
      bench,
      clientNodes: ["controller"],
      queue: this.queue,
      random: createRandom(seed),
      fingerprint: this.fingerprint,
      listener: {
        onRaft: (to, from, message) => tell(to, `${from}>${message}`),
        onRequest: (board: BoardIndex, broker: BrokerIndex, client: ClientIndex, request) =>
          tell(board, `${client}?${request} via ${broker}`),
        onReply: (client, broker, board, reply) => tell(client, `${board}!${reply} via ${broker}`),
        onStatus: (reader, broker, board, status, boot) =>
          tell(reader, `${board} is ${status ?? "offline"} since boot ${boot} via ${broker}`),
        onConnection: (endpoint, broker, up) => tell(endpoint, `${up ? "up" : "down"} ${broker}`),
      },
      options: { ...defaultNetworkOptions, ...options },
      sizeBytes: (payload) => payload.length,
    });
    this.boardCount = bench.boards.length;
    for (let board = 0; board < this.boardCount; board += 1) this.start(board);
    this.run(0.1);
    this.told.length = 0;
  }

  /** The first client's number. */
  get client(): ClientIndex {
    return this.boardCount;
  }

  start(board: BoardIndex): void {
    this.boot += 1;
    this.network.boardStarted(board, this.boot);
  }

  /** Lets so many seconds of virtual time pass. */
  run(seconds: number): void {
    this.queue.runUntil(this.queue.nowUs + Math.round(seconds * 1_000_000));
  }

  /** What this endpoint was told, as far as it contains `part`. */
  heard(who: EndpointIndex, part = ""): string[] {
    return this.told.filter((each) => each.who === who && each.what.includes(part)).map((each) => each.what);
  }

  /** When this endpoint was first told something that contains `part`; `NaN` if it never was. */
  firstUs(who: EndpointIndex, part: string): number {
    return this.told.find((each) => each.who === who && each.what.includes(part))?.atUs ?? Number.NaN;
  }
}
