/**
 * The driver `broker`: Adrift's own brokers withhold what boards say to each other, so that any partition can be made that
 * no cable can make. A cable with this cutter is cut for the boards alone: whoever it parts no longer hears each other.
 *
 * Each pair is a lease that the broker itself lets run out.
 */

import { randomInt } from "node:crypto";
import { Connection } from "../../device/mqtt/connection.ts";
import type { Keys } from "../../device/mqtt/keys.ts";
import { topicsOf } from "../../device/transport/topics.ts";
import {
  decodeWithheld,
  encodeWithhold,
  type WithheldEnvelope,
  type WithholdRequest,
} from "../../device/transport/withhold-codec.ts";
import type { Bench, Cable } from "../../hardware/bench.ts";
import type { CutDirection } from "../../sim/network-types.ts";
import { Topology } from "../../sim/topology.ts";
import { type BoardPair, type CircuitState, CutterFailure, type CutterIdentity, type PairCutter } from "./cutter.ts";

/** Where the brokers are. */
export type BrokerCutterSettings = {
  readonly bench: Bench;
  readonly brokers: readonly { readonly name: string; readonly url: string }[];
  /** The controller's: nobody else may ask a broker to withhold anything. */
  readonly keys: Keys | null;
};

const answerMsMax = 2_000;

/** Opens it. Connects in the background: a broker that is away is told of when it is needed. */
export function openBrokerCutter(settings: BrokerCutterSettings): PairCutter {
  return new BrokerCutter(settings);
}

class BrokerCutter implements PairCutter {
  readonly name = "broker";
  readonly healsByItself = true;
  readonly cutsOneWay = true;
  readonly #bench: Bench;
  readonly #lines: ReadonlyMap<string, BrokerLine>;
  /** What was asked for here. How it is, only the brokers say. */
  readonly #cuts = new Map<Cable, CutDirection>();

  constructor({ bench, brokers, keys }: BrokerCutterSettings) {
    this.#bench = bench;
    this.#lines = new Map(brokers.map(({ name, url }) => [name, new BrokerLine(name, url, bench.cluster, keys)]));
  }

  async cut(cable: Cable, direction: CutDirection, leaseMs: number): Promise<void> {
    const pairs = this.#pairsParted(cable, direction);
    const others =
      direction === "both" ? [] : this.#pairsParted(cable, "both").filter((pair) => !includes(pairs, pair));
    this.#cuts.set(cable, direction);
    await this.#ask([...withLease(pairs, leaseMs), ...withLease(this.#unlessCutElsewhere(cable, others), 0)]);
  }

  async heal(cable: Cable): Promise<void> {
    await this.#ask(withLease(this.#unlessCutElsewhere(cable, this.#pairsParted(cable, "both")), 0));
    this.#cuts.delete(cable);
  }

  async read(cable: Cable): Promise<CircuitState> {
    return this.#stateOf(cable, await this.readPairs());
  }

  async withhold(from: string, to: string, leaseMs: number): Promise<void> {
    await this.#ask([{ from, to, leaseMs }]);
  }

  async deliver(from: string, to: string): Promise<void> {
    await this.#ask([{ from, to, leaseMs: 0 }]);
  }

  async readPairs(): Promise<readonly BoardPair[]> {
    const answers = await Promise.all([...this.#lines.values()].map((line) => line.ask([])));
    return answers.flatMap(({ pairs }) => pairs.map(({ from, to }) => ({ from, to })));
  }

  async identify(): Promise<CutterIdentity> {
    const answers = await Promise.all([...this.#lines.values()].map((line) => line.ask([])));
    return {
      device: `Adrift's brokers ${answers.map(({ from }) => from).join(", ")}`,
      remarks: ["boards no longer hear each other, but clients reach all of them: no cable is opened"],
    };
  }

  async close(): Promise<void> {
    await Promise.all([...this.#lines.values()].map((line) => line.close()));
  }

  /** A cable is cut as far as all that went over it is withheld. */
  #stateOf(cable: Cable, withheld: readonly BoardPair[]): CircuitState {
    const isCut = (direction: CutDirection): boolean => {
      const pairs = this.#pairsParted(cable, direction);
      return pairs.length > 0 && pairs.every((pair) => includes(withheld, pair));
    };
    return directions.find(isCut) ?? "whole";
  }

  /** The pairs that no other cable parts which was cut here: of cables that share a pair, healing one leaves the other. */
  #unlessCutElsewhere(cable: Cable, pairs: readonly BoardPair[]): readonly BoardPair[] {
    const kept = [...this.#cuts].flatMap(([other, way]) => (other === cable ? [] : this.#pairsParted(other, way)));
    return pairs.filter((pair) => !includes(kept, pair));
  }

  /** Each pair is asked of the broker of the listener's inbox. */
  async #ask(pairs: WithholdRequest["pairs"]): Promise<void> {
    const inboxes = new Map(this.#bench.boards.map(({ name, inbox }) => [name, inbox]));
    await Promise.all(
      [...this.#lines].map(async ([broker, line]) => {
        const wanted = pairs.filter(({ to }) => inboxes.get(to) === broker);
        if (wanted.length > 0) checkAnswer(await line.ask(wanted), wanted);
      }),
    );
  }

  /** What boards say to each other that goes over the cable in the directions that would be cut. */
  #pairsParted(cable: Cable, direction: CutDirection): readonly BoardPair[] {
    const { boards, brokers } = this.#bench;
    const topology = new Topology(this.#bench);
    topology.cut(cable.name, direction);
    const nodes = new Map(brokers.map(({ name, node }) => [name, topology.indexOf(node)]));
    return boards.flatMap(({ name: from }) =>
      boards
        .filter(({ name: to, inbox }) => {
          const node = nodes.get(inbox);
          if (to === from || node === undefined) return false;
          return !topology.reaches(topology.indexOf(from), node) || !topology.reaches(node, topology.indexOf(to));
        })
        .map(({ name: to }) => ({ from, to })),
    );
  }
}

/** The widest first. */
const directions: readonly CutDirection[] = ["both", "fromFirstEnd", "fromSecondEnd"];

function checkAnswer({ from: broker, pairs }: WithheldEnvelope, wanted: WithholdRequest["pairs"]): void {
  for (const { from, to, leaseMs } of wanted) {
    if (includes(pairs, { from, to }) === leaseMs > 0) continue;
    const what = leaseMs > 0 ? "does not withhold" : "still withholds";
    throw new CutterFailure(`The broker ${broker} ${what} what ${from} says to ${to}. Is another controller at work?`);
  }
}

function includes(pairs: readonly BoardPair[], { from, to }: BoardPair): boolean {
  return pairs.some((pair) => pair.from === from && pair.to === to);
}

function withLease(pairs: readonly BoardPair[], leaseMs: number): WithholdRequest["pairs"] {
  return pairs.map((pair) => ({ ...pair, leaseMs }));
}

/** The connection to one broker, over which requests are answered. */
class BrokerLine {
  readonly #broker: string;
  readonly #cluster: string;
  readonly #url: string;
  readonly #connection: Connection;
  /** Requests that are not answered yet, by their numbers. */
  readonly #waiting = new Map<number, { readonly text: string; answer(envelope: WithheldEnvelope): void }>();
  /** Answers go to all who listen: another controller's numbers should not be the same. */
  #lastNumber = randomInt(2 ** 40);

  constructor(broker: string, url: string, cluster: string, keys: Keys | null) {
    this.#broker = broker;
    this.#cluster = cluster;
    this.#url = url;
    this.#connection = new Connection({
      url,
      name: "cutter",
      keys,
      handlers: {
        up: () => this.#sendWaiting(),
        down: () => undefined,
        message: (_topic, payload) => this.#hear(payload.toString("utf8")),
      },
    });
    this.#connection.subscribe(topicsOf(cluster).withheld(broker));
  }

  /** Asks for these pairs; resolves with all that the broker then withholds. @throws {CutterFailure} without an answer. */
  async ask(pairs: WithholdRequest["pairs"]): Promise<WithheldEnvelope> {
    this.#lastNumber += 1;
    const number = this.#lastNumber;
    let timer: NodeJS.Timeout | undefined;
    try {
      return await new Promise<WithheldEnvelope>((resolve, reject) => {
        this.#waiting.set(number, { text: encodeWithhold({ number, pairs }), answer: resolve });
        timer = setTimeout(() => reject(this.#silence()), answerMsMax);
        if (this.#connection.isUp) this.#sendWaiting();
      });
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(number);
    }
  }

  close(): Promise<void> {
    return this.#connection.close();
  }

  /** Also what was sent already, in its order: to be asked twice changes nothing. */
  #sendWaiting(): void {
    for (const { text } of this.#waiting.values()) {
      this.#connection.publish(topicsOf(this.#cluster).withhold(this.#broker), text);
    }
  }

  #hear(text: string): void {
    const decoded = decodeWithheld(text, { broker: this.#broker });
    if (decoded.ok && decoded.value.answers !== null) this.#waiting.get(decoded.value.answers)?.answer(decoded.value);
  }

  #silence(): CutterFailure {
    return new CutterFailure(
      this.#connection.isUp
        ? `The broker ${this.#broker} (${this.#url}) does not answer: only Adrift's own brokers ("npx adrift broker") withhold messages, and with keys only for the controller.`
        : `The broker ${this.#broker} (${this.#url}) cannot be reached. Is it running? Is the controller's cable in?`,
    );
  }
}
