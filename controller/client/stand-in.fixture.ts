/**
 * Boards that only answer, for tests of what clients do: they share one state, as if every command were replicated in no
 * time, and lead or follow as they are told.
 */

import { createMachineHost, type MachineHost } from "../../device/machine/host.ts";
import { createKeyValue } from "../../device/machine/key-value.ts";
import { encodeCommand } from "../../device/machine/log-command.ts";
import { Connection } from "../../device/mqtt/connection.ts";
import { startBroker } from "../../device/mqtt/embedded-broker.ts";
import type { AnyRequest, BoardStatus } from "../../device/transport/envelope.ts";
import type { Outcome, Reply } from "../../device/transport/protocol.ts";
import { encodeReplies } from "../../device/transport/reply-codec.ts";
import { decodeRequests } from "../../device/transport/request-codec.ts";
import { encodeStatus } from "../../device/transport/status-codec.ts";
import { parseTopic, topicsOf } from "../../device/transport/topics.ts";

/** The state that stand-ins share. */
export class SharedState {
  readonly #machines: MachineHost = createMachineHost({ machines: [createKeyValue()] });
  #index = 0;
  term = 0;

  answer(request: AnyRequest): Outcome {
    switch (request.type) {
      case "register":
        return this.#apply(encodeCommand({ kind: "register", client: request.client, timeMs: 0 }));
      case "command": {
        const { client, session, firstPending, machine, command } = request;
        const wrong = this.#machines.check(machine, command);
        if (wrong !== null) return { kind: "refused", error: wrong };
        const timeMs = 0;
        const number = request.request;
        const entry = {
          kind: "command",
          client,
          session,
          request: number,
          firstPending,
          machine,
          command,
          timeMs,
        } as const;
        return this.#apply(encodeCommand(entry));
      }
      case "query": {
        const result = this.#machines.query(request.machine, request.query);
        return result.ok ? { kind: "ok", value: result.value } : { kind: "refused", error: result.error };
      }
      case "transfer":
      case "changeMembers":
        return { kind: "ok", value: true };
      default:
        return { kind: "refused", error: "This is for a board." };
    }
  }

  get commitIndex(): number {
    return this.#index;
  }

  #apply(data: string): Outcome {
    this.#index += 1;
    return this.#machines.apply(this.#index, data).outcome;
  }
}

/** One of them. */
export class StandInBoard {
  readonly name: string;
  readonly #cluster: string;
  readonly #state: SharedState;
  readonly #connections: readonly Connection[];
  /** All its connections are up. */
  readonly ready: Promise<void>;
  #noteUp: () => void = () => undefined;
  #seq = 0;
  #isLeader = false;
  /** Of what it is asked it answers only this, though it does everything; `null`: it answers all. */
  answersOnly: readonly AnyRequest["type"][] | null = null;
  /** It hears nothing. */
  isDeaf = false;
  /** How many requests it has heard. */
  requestsHeard = 0;
  /** How many payloads of requests it has heard. */
  payloadsHeard = 0;

  constructor(cluster: string, name: string, urls: readonly string[], state: SharedState) {
    this.name = name;
    this.#cluster = cluster;
    this.#state = state;
    this.#connections = urls.map((url) => {
      const connection: Connection = new Connection({
        url,
        name,
        keys: null,
        handlers: {
          up: () => this.#noteUp(),
          down: () => undefined,
          message: (topic, payload) => this.#hear(topic, payload.toString(), connection),
        },
      });
      connection.subscribe(topicsOf(cluster).allRequests);
      connection.subscribe(topicsOf(cluster).boardRequests(name));
      return connection;
    });
    this.ready = new Promise((resolve) => {
      this.#noteUp = () => this.#connections.every(({ isUp }) => isUp) && resolve();
    });
  }

  /** Begins to lead, and says so. */
  lead(): void {
    this.#isLeader = true;
    this.#state.term += 1;
    this.tellStatus();
  }

  follow(): void {
    this.#isLeader = false;
    this.tellStatus();
  }

  /** Hears and says nothing any more, as if its process were gone. */
  die(): void {
    this.isDeaf = true;
    this.#isLeader = false;
  }

  tellStatus(): void {
    this.#seq += 1;
    const payload = encodeStatus({ from: this.name, boot: 1, seq: this.#seq, online: true, status: this.#status() });
    for (const connection of this.#connections)
      connection.publish(topicsOf(this.#cluster).status(this.name), payload, true);
  }

  async close(): Promise<void> {
    await Promise.all(this.#connections.map((connection) => connection.close()));
  }

  #hear(topic: string, payload: string, connection: Connection): void {
    const parsed = parseTopic(this.#cluster, topic);
    if (this.isDeaf || (parsed?.kind !== "request" && parsed?.kind !== "boardRequest")) return;
    const decoded = decodeRequests(payload, parsed);
    if (!decoded.ok) throw new Error(`The client said what no board can read: ${decoded.detail}`);
    const { requests } = decoded.value;
    this.payloadsHeard += 1;
    this.requestsHeard += requests.length;
    const replies = requests.flatMap((request): readonly Reply[] => {
      const outcome = parsed.kind === "boardRequest" ? this.#answerForItself(request) : this.#answer(request);
      const isHeard = this.answersOnly === null || this.answersOnly.includes(request.type);
      return isHeard ? [{ client: parsed.client, request: request.request, outcome }] : [];
    });
    if (replies.length === 0) return;
    this.#seq += 1;
    connection.publish(
      topicsOf(this.#cluster).reply(parsed.client),
      encodeReplies({ from: this.name, boot: 1, seq: this.#seq, replies }),
    );
  }

  #answer(request: AnyRequest): Outcome {
    return this.#isLeader ? this.#state.answer(request) : { kind: "retry", error: "It does not lead.", leader: null };
  }

  #answerForItself(request: AnyRequest): Outcome {
    if (request.type === "status") return { kind: "ok", value: this.#status() };
    return { kind: "ok", value: { records: [], last: 0 } };
  }

  #status(): BoardStatus {
    return {
      member: this.name,
      role: this.#isLeader ? "leader" : "follower",
      term: this.#state.term,
      leader: this.#isLeader ? this.name : null,
      commitIndex: this.#state.commitIndex,
      appliedIndex: this.#state.commitIndex,
      lastIndex: this.#state.commitIndex,
      voters: [this.name],
      learners: [],
      version: "0.0.0",
      carrier: null,
    };
  }
}

/** Boards that run, and where they are found. */
export type StandIns = {
  readonly cluster: string;
  readonly urls: readonly string[];
  readonly boards: readonly StandInBoard[];
  close(): Promise<void>;
};

/** Boards on brokers that run already; the first board leads. */
export async function standInsOn(
  cluster: string,
  names: readonly string[],
  urls: readonly string[],
): Promise<StandIns> {
  const state = new SharedState();
  const boards = names.map((name) => new StandInBoard(cluster, name, urls, state));
  await Promise.all(boards.map((board) => board.ready));
  for (const board of boards.slice(1)) board.follow();
  boards[0]?.lead();
  return {
    cluster,
    urls,
    boards,
    async close() {
      await Promise.all(boards.map((board) => board.close()));
    },
  };
}

/** Some brokers in this process, on free ports, and boards on all of them; the first board leads. */
export async function startStandIns(
  names: readonly string[],
  brokers = 1,
): Promise<StandIns & { /** Ends the broker of this place. */ stopBroker(at: number): Promise<void> }> {
  const cluster = "bench";
  const place = { host: "127.0.0.1", port: 0, webSocketPort: null, keys: null, cluster, boards: names };
  const running = await Promise.all(
    Array.from({ length: brokers }, (_, at) => startBroker({ ...place, name: `broker-${at}` })),
  );
  const urls = running.map(({ port }) => `mqtt://127.0.0.1:${port}`);
  const standIns = await standInsOn(cluster, names, urls);
  return {
    ...standIns,
    stopBroker: async (at) => running[at]?.close(),
    async close() {
      await standIns.close();
      await Promise.all(running.map((broker) => broker.close()));
    },
  };
}
