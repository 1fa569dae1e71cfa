/** The operator of a bench of real boards: asks whoever leads for another leader or other members (§3.10, §4). */

import {
  type ConnectedClient,
  connect,
  DefiniteError,
  IndefiniteError,
  type Inquiry,
} from "../../device/mqtt/client.ts";
import type { Keys } from "../../device/mqtt/keys.ts";
import { boardOf } from "../../device/replica/identity.ts";
import type { StatusEnvelope } from "../../device/transport/envelope.ts";
import { controllerName } from "../../device/transport/topics.ts";
import type { BenchAction } from "../experiment/bench-action.ts";
import { BenchFailure } from "./bench.ts";

/** Where the cluster is, and how to be its controller. */
export type OperatorSettings = {
  readonly cluster: string;
  readonly brokers: readonly string[];
  readonly keys: Keys | null;
};

type Ask = Extract<Inquiry, { readonly board: null }>["ask"];

/** Why a change was not begun, as the leader or the client says; `null`: it was, or there was nothing to change. */
export type Refusal = string | null;

const nobodyLeads: Promise<Refusal> = Promise.resolve("No board is known to lead.");

/** So long an operator tries; the leader may be away for a while. */
const deadlineMs = 5_000;
/** How often boards tell their status at least. */
const statusWithinMs = 1_000;

/** What a bench asks of an operator. */
export type OperatorAction = Extract<
  BenchAction,
  { readonly kind: "transferLeadership" | "addMembers" | "removeMembers" }
>;

/** An operator that connects when it is first needed: most benches never need one. */
export class OperatorOnCall {
  readonly #settings: () => OperatorSettings;
  #operator: Promise<Operator> | null = null;

  constructor(settings: () => OperatorSettings) {
    this.#settings = settings;
  }

  /** @throws {BenchFailure} if no broker can be reached. */
  async carryOut(action: OperatorAction): Promise<Refusal> {
    const operator = await this.#connected();
    switch (action.kind) {
      case "transferLeadership":
        return operator.transferLeadership(action.board);
      case "addMembers":
        return operator.addMembers(action.boards);
      case "removeMembers":
        return operator.removeMembers(action.boards);
      default:
        return action satisfies never;
    }
  }

  async close(): Promise<void> {
    const operator = await this.#operator?.catch(() => null);
    await operator?.close();
  }

  async #connected(): Promise<Operator> {
    this.#operator ??= Operator.connect(this.#settings());
    try {
      return await this.#operator;
    } catch (error) {
      this.#operator = null;
      throw new BenchFailure(error instanceof Error ? error.message : String(error));
    }
  }
}

/** The leader may refuse, and there may be none: that is no failure of the bench. */
export class Operator {
  readonly #client: ConnectedClient;
  readonly #latest = new Map<string, StatusEnvelope>();

  /** Connects as the controller. */
  static async connect({ cluster, brokers, keys }: OperatorSettings): Promise<Operator> {
    const identity = keys === null ? { name: controllerName } : { keys };
    const operator = new Operator(await connect({ cluster, brokers, deadlineMs, ...identity }));
    await operator.#hearsOfLeader();
    return operator;
  }

  private constructor(client: ConnectedClient) {
    this.#client = client;
    client.onStatus((status) => {
      const known = this.#latest.get(status.from);
      if (known === undefined || isNewer(status, known)) this.#latest.set(status.from, status);
    });
  }

  /** Asks the leader to hand over to this board. */
  transferLeadership(board: string): Promise<Refusal> {
    return this.#ask({ type: "transfer", to: this.#memberOf(board) });
  }

  /** Has boards join as learners, all in one change; they become voters when they have caught up. */
  addMembers(boards: readonly string[]): Promise<Refusal> {
    const leader = this.#leader();
    if (leader === null) return nobodyLeads;
    const { voters, learners } = leader;
    const isNew = (member: string) => !voters.includes(member) && !learners.includes(member);
    const added = boards.map((board) => this.#memberOf(board)).filter(isNew);
    if (added.length === 0) return Promise.resolve(null);
    // A board that was given a new identity takes part under that one only.
    const stays = (member: string) => !added.some((other) => boardOf(other) === boardOf(member));
    const change = { voters: voters.filter(stays), learners: [...learners.filter(stays), ...added] };
    return this.#ask({ type: "changeMembers", ...change });
  }

  /** Has boards leave the cluster, all in one change. */
  removeMembers(boards: readonly string[]): Promise<Refusal> {
    const leader = this.#leader();
    if (leader === null) return nobodyLeads;
    const stays = (member: string) => !boards.includes(boardOf(member));
    const change = { voters: leader.voters.filter(stays), learners: leader.learners.filter(stays) };
    return this.#ask({ type: "changeMembers", ...change });
  }

  close(): Promise<void> {
    return this.#client.close();
  }

  async #ask(ask: Ask): Promise<Refusal> {
    try {
      await this.#client.inquire({ board: null, ask });
      return null;
    } catch (error) {
      if (error instanceof DefiniteError || error instanceof IndefiniteError) return error.message;
      throw error;
    }
  }

  /** What boards have said of themselves comes a moment after the connection; nobody may lead, so not for ever. */
  async #hearsOfLeader(): Promise<void> {
    let stop = () => {};
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      stop = this.#client.onStatus(() => this.#leader() !== null && resolve());
      timer = setTimeout(resolve, statusWithinMs);
    });
    stop();
    clearTimeout(timer);
  }

  #leader() {
    const statuses = [...this.#latest.values()].flatMap(({ status }) => (status === null ? [] : [status]));
    const leaders = statuses.filter(({ role }) => role === "leader");
    return leaders.toSorted((one, other) => other.term - one.term)[0] ?? null;
  }

  /** The identity under which a board takes part: its name, unless it lost its disk. */
  #memberOf(board: string): string {
    return this.#latest.get(board)?.status?.member ?? board;
  }
}

function isNewer(one: StatusEnvelope, other: StatusEnvelope): boolean {
  return one.boot > other.boot || (one.boot === other.boot && one.seq > other.seq);
}
