/**
 * What a bench with real brokers needs beside its cables to be experimented on: clients, and an eye on the boards. Both go
 * over MQTT, as anybody's would, by the brokers that the controller reaches.
 */

import { keyValueCall } from "../../device/client/key-value-call.ts";
import type { Json } from "../../device/json.ts";
import {
  type ConnectedClient,
  connect,
  DefiniteError,
  IndefiniteError,
  type Inquiry,
} from "../../device/mqtt/client.ts";
import { Connection } from "../../device/mqtt/connection.ts";
import type { Keys } from "../../device/mqtt/keys.ts";
import { boardOf } from "../../device/replica/identity.ts";
import type { BoardStatus, BoardTime, StatusEnvelope } from "../../device/transport/envelope.ts";
import { decodeEvent } from "../../device/transport/event-codec.ts";
import { parseTopic, topicsOf } from "../../device/transport/topics.ts";
import type { Bench } from "../../hardware/bench.ts";
import { readHappening } from "../experiment/flight-events.ts";
import type { ExperimentWorkload } from "../experiment/model.ts";
import type { ClusterView } from "../experiment/resolve.ts";
import type { BenchClient, BoardRecord } from "./bench.ts";
import { readFlightAnswer, readStatusAnswer, readTimeAnswer } from "./board-answers.ts";
import { BoardClocks, type BoardMoment, type PlacedMoment } from "./board-clocks.ts";

/** Where the cluster is. */
export type OverMqttSettings = {
  readonly bench: Bench;
  /** `mqtt://host:port` of each broker, as the controller reaches it. */
  readonly brokers: readonly string[];
  readonly keys: Keys | null;
  /**
   * The controller's time line, on which the boards' clocks are placed as long as this is open; left out where boards have
   * the controller's own clock.
   */
  readonly nowUs?: () => number;
};

/** So long a client may take to reach its first broker. */
const connectWithinMs = 5_000;
/** So long one board may take to answer. */
const answerWithinMs = 1_500;
/** How often the boards' clocks are compared with the controller's. */
const compareClocksEveryMs = 2_000;

/** See the head of this file. */
export class OverMqtt {
  readonly #settings: OverMqttSettings;
  readonly #client: ConnectedClient;
  readonly #listeners: readonly Connection[];
  readonly #heard: BoardRecord[] = [];
  /** What each board said last; what another broker retained of it may be older. */
  readonly #statuses = new Map<string, StatusEnvelope>();
  /** The carriers of boards' interfaces, as far as boards could tell. */
  readonly #carriers = new Map<string, boolean>();
  readonly #clocks: BoardClocks | null;
  readonly #comparing: NodeJS.Timeout | null;
  /** The boards whose clocks are being compared. */
  readonly #compared = new Set<string>();
  #leader: { readonly board: string; readonly term: number } | null = null;

  /** Connects. @throws {ConnectError} if no broker can be reached. */
  static async connect(settings: OverMqttSettings): Promise<OverMqtt> {
    const { bench, brokers, keys } = settings;
    const client = await connect({
      cluster: bench.cluster,
      brokers,
      deadlineMs: answerWithinMs,
      connectWithinMs,
      ...(keys === null ? {} : { keys }),
    });
    return new OverMqtt(settings, client);
  }

  private constructor(settings: OverMqttSettings, client: ConnectedClient) {
    this.#settings = settings;
    this.#client = client;
    client.onStatus((envelope) => this.#take(envelope));
    this.#listeners = settings.brokers.map((url) => this.#listenTo(url));
    const { nowUs } = settings;
    this.#clocks = nowUs === undefined ? null : new BoardClocks({ ask: (board) => this.#askTime(board), nowUs });
    this.#comparing = nowUs === undefined ? null : setInterval(() => void this.#compareClocks(), compareClocksEveryMs);
    void this.#compareClocks();
  }

  /** The cluster as far as it is known, with the boards whose processes run. */
  view(boards: readonly string[]): ClusterView {
    const leader = this.#leader?.board ?? null;
    const voters = this.#latest()?.voters.map(boardOf) ?? [];
    return { boards, leader, voters: voters.length === 0 ? this.#boards() : voters };
  }

  /** Whether the brokers have the board; `null` if nothing was heard of it yet. */
  isOnline(board: string): boolean | null {
    return this.#statuses.get(board)?.online ?? null;
  }

  /** Whether an interface of the board has its carrier, as it said last; `null` if it has said nothing of it. */
  hasCarrier(board: string, networkInterface: string): boolean | null {
    return this.#carriers.get(`${board} ${networkInterface}`) ?? null;
  }

  /** Asks every board how it takes part; who does not answer is missing. */
  async statuses(): Promise<ReadonlyMap<string, BoardStatus>> {
    const answers = await Promise.all(
      this.#boards().map(async (board) => [board, await this.#askStatus(board)] as const),
    );
    return new Map(answers.filter((answer): answer is [string, BoardStatus] => answer[1] !== null));
  }

  /** Where a moment of a board's own clock lies on the controller's time line; `null`: nobody can tell. */
  place(board: string, moment: BoardMoment): PlacedMoment | null {
    return this.#clocks?.place(board, moment) ?? null;
  }

  /** All that flight recorders hold and that was heard of them; a record may be there twice. */
  async flightRecords(): Promise<readonly BoardRecord[]> {
    // What a board noted since it was last asked then lies between two answers.
    await this.#compareClocks();
    const fetched = await Promise.all(this.#boards().map((board) => this.#fetchFlight(board)));
    return [...this.#heard, ...fetched.flat()];
  }

  /** A client of its own. */
  async connectClient(name: string, { timeoutUs, retryAfterUs, readMode }: ExperimentWorkload): Promise<BenchClient> {
    const { bench, brokers, keys } = this.#settings;
    const client = await connect({
      cluster: bench.cluster,
      brokers,
      deadlineMs: timeoutUs / 1_000,
      retryAfterMs: retryAfterUs / 1_000,
      connectWithinMs,
      // With keys a certificate says the name.
      ...(keys === null ? { name } : { keys }),
    });
    return {
      perform: (operation) => client.submit(keyValueCall(operation, readMode)),
      close: () => client.close(),
    };
  }

  async close(): Promise<void> {
    if (this.#comparing !== null) clearInterval(this.#comparing);
    await Promise.all([this.#client.close(), ...this.#listeners.map((listener) => listener.close())]);
  }

  #boards(): readonly string[] {
    return this.#settings.bench.boards.map(({ name }) => name);
  }

  /** What is known of the cluster by whoever knows most: the latest term, and in it the longest log. */
  #latest(): BoardStatus | null {
    const statuses = [...this.#statuses.values()].flatMap(({ status }) => status ?? []);
    const [latest = null] = statuses.toSorted(
      (one, other) => other.term - one.term || other.commitIndex - one.commitIndex,
    );
    return latest;
  }

  #take(envelope: StatusEnvelope): void {
    const { from, status } = envelope;
    const known = this.#statuses.get(from);
    if (known === undefined || isNewer(envelope, known)) this.#statuses.set(from, envelope);
    if (status !== null && status.leader !== null && status.term > (this.#leader?.term ?? 0)) {
      this.#leader = { board: boardOf(status.leader), term: status.term };
    }
  }

  #listenTo(url: string): Connection {
    const { bench, keys } = this.#settings;
    const topics = topicsOf(bench.cluster);
    const connection = new Connection({
      url,
      name: "events",
      keys,
      handlers: {
        up: () => undefined,
        down: () => undefined,
        message: (topic, payload) => this.#hear(topic, payload.toString("utf8")),
      },
    });
    connection.subscribe(topics.allEvents);
    return connection;
  }

  #hear(topic: string, payload: string): void {
    const parsed = parseTopic(this.#settings.bench.cluster, topic);
    if (parsed?.kind !== "event") return;
    const decoded = decodeEvent(payload, parsed);
    if (!decoded.ok) return;
    const { record } = decoded.value;
    this.#heard.push({ board: parsed.board, record });
    const happening = readHappening(record.happening);
    if (happening?.kind === "carrier") this.#carriers.set(`${parsed.board} ${happening.interface}`, happening.up);
  }

  /** A board that is slow to answer keeps no other from being asked. */
  async #compareClocks(): Promise<void> {
    const clocks = this.#clocks;
    if (clocks === null) return;
    const idle = this.#boards().filter((board) => !this.#compared.has(board));
    await Promise.all(
      idle.map(async (board) => {
        this.#compared.add(board);
        await clocks.sample(board);
        this.#compared.delete(board);
      }),
    );
  }

  async #askTime(board: string): Promise<BoardTime | null> {
    const answer = await this.#ask(board, { type: "time" });
    return answer === null ? null : readTimeAnswer(answer);
  }

  async #askStatus(board: string): Promise<BoardStatus | null> {
    const answer = await this.#ask(board, { type: "status" });
    return answer === null ? null : readStatusAnswer(answer);
  }

  async #fetchFlight(board: string): Promise<readonly BoardRecord[]> {
    const records: BoardRecord[] = [];
    for (let after = 0; ; ) {
      const answer = await this.#ask(board, { type: "flight", after });
      const flight = answer === null ? null : readFlightAnswer(answer);
      const newest = flight?.records.at(-1);
      if (flight === null || newest === undefined) return records;
      records.push(...flight.records.map((record) => ({ board, record })));
      after = newest.number;
      if (after >= flight.last) return records;
    }
  }

  /** The answer of one board, if it comes soon. */
  async #ask(board: string, ask: BoardQuestion): Promise<Json | null> {
    return await this.#client.inquire({ board, ask }).catch((error: unknown) => {
      if (isNoAnswer(error)) return null;
      throw error;
    });
  }
}

function isNewer(one: StatusEnvelope, other: StatusEnvelope): boolean {
  return one.boot > other.boot || (one.boot === other.boot && one.seq > other.seq);
}

type BoardQuestion = Extract<Inquiry, { readonly board: string }>["ask"];

function isNoAnswer(error: unknown): boolean {
  return error instanceof DefiniteError || error instanceof IndefiniteError;
}
