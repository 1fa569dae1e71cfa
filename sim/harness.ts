/**
 * A bench in virtual time for your own tests: break what you like, say what you expect.
 *
 * ```ts
 * import { simulate } from "adrift-raft";
 *
 * const bench = simulate({ boards: 5, seed: 1 });
 * const first = bench.expectOneLeader();
 * bench.expectAnswer({ op: "write", key: "x", value: 1 });
 *
 * bench.cut(first.board);
 * const second = bench.expectOneLeader({ among: bench.others(first.board), within: "3s" });
 * const value = bench.expectAnswer({ op: "read", key: "x" }); // 1: what was acknowledged is not lost
 *
 * bench.healAll();
 * bench.expectAgreement(); // the old leader has caught up, byte for byte
 * ```
 *
 * Nothing here really waits: virtual time passes in `advance`, `submit`, `outcome`, `rest`, verbs that begin with
 * `expect`, and those that ask the leader for something. All the while every rule of Raft is checked; a broken one is thrown as a `ScenarioFailure` that names it, the
 * seed and the moment. The same calls with the same seed give the same run, to the byte.
 */

import type { CallOutcome } from "../device/client/client.ts";
import type { KeyValueOperation } from "../device/client/key-value-call.ts";
import type { Json } from "../device/json.ts";
import type { Status } from "../device/replica/host.ts";
import { BreakableBench, ScenarioFailure } from "./harness-faults.ts";
import { type Duration, durationUs, type SimulateOptions, worldSettings } from "./harness-settings.ts";
import { agree, areMembers, describe, isReady, type LoggedEntry, logOf } from "./harness-views.ts";
import type { HistoryEvent } from "./history.ts";
import type { SimBoard } from "./sim-board.ts";
import { World } from "./world.ts";

export type { NoiseSettings } from "./harness-faults.ts";
export { ScenarioFailure } from "./harness-faults.ts";
export type { CallOutcome, Duration, HistoryEvent, KeyValueOperation, LoggedEntry, SimulateOptions, Status };

/** A bench in virtual time, all of its boards just started. See the head of this file. */
export function simulate(options: SimulateOptions = {}): SimulatedBench {
  return new SimulatedBench(options);
}

/** Who leads, and in which term. */
export type Leader = { readonly board: string; readonly term: number };

/** An operation that a client has begun; `outcome` is there once it has ended. */
export type Pending = {
  readonly client: string;
  readonly operation: KeyValueOperation;
  readonly outcome: CallOutcome | null;
};

/** Which client does it; by default one that has no operation open. */
export type ByClient = { readonly client?: string };

/** How long to wait for it at most. */
export type Within = { readonly within?: Duration };

/** Of which boards something is expected. */
export type Among = { readonly among?: readonly string[] };

/** A bench under test: what is done to it, what clients do on it, and what is expected of it. */
export class SimulatedBench extends BreakableBench {
  /** What the clients saw, in the form of `history.jsonl`: ready for `checkHistory` of `adrift-raft/check`. */
  readonly history: readonly HistoryEvent[];

  constructor(options: SimulateOptions) {
    const history: HistoryEvent[] = [];
    const settings = worldSettings(options);
    super(new World({ ...settings, record: (event) => history.push(event) }), settings.seed);
    this.history = history;
    this.world.powerOn();
  }

  // Looking

  /** Virtual microseconds since the start. */
  get nowUs(): number {
    return this.world.nowUs;
  }

  /** A hash over everything that has happened: two runs with the same one went the same way. */
  get fingerprint(): string {
    return this.world.fingerprint;
  }

  /** How a board takes part; `null` while its process is gone. */
  status(board: string): Status | null {
    return this.world.board(board).status;
  }

  /** What a board's log holds after its snapshot. */
  log(board: string): readonly LoggedEntry[] {
    return logOf(this.world.board(board));
  }

  /** What of a board's log the board knows to be committed, after its snapshot. */
  committedEntries(board: string): readonly LoggedEntry[] {
    return this.log(board).filter((entry) => entry.committed);
  }

  /** The clients' commands among them, in order: such as `{ op: "write", key: "x", value: 1 }`. */
  committedCommands(board: string): readonly Json[] {
    return this.committedEntries(board).flatMap(({ kind, command }) => (kind === "command" ? [command] : []));
  }

  /** What a board's own copy of the state holds under a key, up to date or not; `null` if nothing. */
  peek(board: string, key: string): Json {
    const answer = this.world.board(board).replica?.machines?.query("kv", { op: "read", key });
    return answer?.ok ? answer.value : null;
  }

  // Time

  /** Lets virtual time pass. */
  advance(duration: Duration): void {
    this.world.runFor(durationUs(duration));
    this.expectLawful();
  }

  // Clients

  /** A client begins an operation; nobody waits for it. */
  begin(operation: KeyValueOperation, { client }: ByClient = {}): Pending {
    const free = this.world.clients.find((each) => (client ?? each.name) === each.name && each.openSinceUs === null);
    if (free === undefined) {
      const names = this.world.clients.map(({ name }) => name).join(", ");
      throw new RangeError(
        `${client ?? "Every client"} has an operation open, or is not there (there are ${names}): give \`simulate\` more clients, or wait for the outcome.`,
      );
    }
    const pending: { -readonly [Key in keyof Pending]: Pending[Key] } = { client: free.name, operation, outcome: null };
    free.begin(operation, (outcome) => {
      pending.outcome = outcome;
    });
    return pending;
  }

  /**
   * Waits for the end of an operation: `ok` with its result; `fail`, it surely had no effect; `info`, nobody knows. A
   * client gives up by itself after its timeout.
   */
  outcome(pending: Pending, { within }: Within = {}): CallOutcome {
    this.#await(
      () => pending.outcome !== null,
      within ?? untilClientsGiveUpUs,
      () => `${phrase(pending)} got no answer`,
    );
    if (pending.outcome === null) throw this.#failure(`${phrase(pending)} has no outcome`);
    return pending.outcome;
  }

  /** A client does an operation; its end is waited for. */
  submit(operation: KeyValueOperation, options: ByClient & Within = {}): CallOutcome {
    return this.outcome(this.begin(operation, options), options);
  }

  /** A client does an operation, which must be answered. Gives the result. */
  expectAnswer(operation: KeyValueOperation, options: ByClient & Within = {}): Json {
    const pending = this.begin(operation, options);
    const outcome = this.outcome(pending, options);
    if (outcome.type === "ok") return outcome.result;
    throw this.#failure(`${phrase(pending)} ended as ${outcome.type}: ${outcome.error} ${describe(this.world)}`);
  }

  /** All clients begin to work: one operation after the other, drawn by the workload. */
  work(): void {
    for (const client of this.world.clients) client.startWork();
  }

  /** The clients begin nothing new, and what they have begun is waited for. */
  rest(): void {
    for (const client of this.world.clients) client.stopWork();
    const isQuiet = (): boolean => this.world.clients.every((client) => client.openSinceUs === null);
    this.#await(isQuiet, untilClientsGiveUpUs, () => "The clients did not come to rest");
  }

  // Expectations. Each waits for what it says to come true, and throws if that takes too long.

  /**
   * Exactly one of these boards (by default: of all that run) leads. A leader that was just cut off leads on until it
   * notices: to hear of its successor, name the other boards.
   */
  expectOneLeader({ among, within = "5s" }: Among & Within = {}): Leader {
    this.#await(
      () => this.#leaders(among).length === 1,
      within,
      () => `Not exactly one of ${list(among)} leads`,
    );
    const [leader] = this.#leaders(among);
    if (leader === undefined) throw this.#failure("Nobody leads");
    return { board: leader.name, term: leader.status?.term ?? 0 };
  }

  /** Somebody leads and can serve, and all boards and clients are connected to the brokers: what to begin with. */
  expectReady({ within = "10s" }: Within = {}): Leader {
    this.#await(
      () => isReady(this.world),
      within,
      () => "The bench was not ready",
    );
    return this.expectOneLeader();
  }

  /** In the end none of these boards (by default: of all that run) leads, and it stays so for a while. */
  expectNoLeader({
    among,
    within = "3s",
    lasting = "2s",
  }: Among & Within & { readonly lasting?: Duration } = {}): void {
    const isNone = (): boolean => this.#leaders(among).length === 0;
    this.#await(isNone, within, () => `One of ${list(among)} leads`);
    if (this.world.runUntilTrue(() => !isNone(), durationUs(lasting))) {
      throw this.#failure(`One of ${list(among)} leads again: ${describe(this.world)}`);
    }
    this.expectLawful();
  }

  /** These boards (by default: all that run) have applied everything that is committed by now. */
  expectCommitted(boards: readonly string[] = this.#running(), { within = "5s" }: Within = {}): void {
    const index = this.world.invariants.committedIndex;
    const isApplied = (): boolean => boards.every((board) => (this.status(board)?.appliedIndex ?? 0) >= index);
    this.#await(isApplied, within, () => `${list(boards)} have not all applied entry ${index}`);
  }

  /** These boards (by default: all that run) have the same log, applied, and the same state, byte for byte. */
  expectAgreement(boards: readonly string[] = this.#running(), { within = "10s" }: Within = {}): void {
    const all = boards.map((board) => this.world.board(board));
    this.#await(
      () => agree(all),
      within,
      () => `${list(boards)} do not agree`,
    );
  }

  /** These boards and no others are voters, nobody is learning, and that is committed. */
  expectMembers(boards: readonly string[], { within = "10s" }: Within = {}): void {
    this.#await(
      () => areMembers(this.world, boards),
      within,
      () => `The members are not ${list(boards)}`,
    );
  }

  // Helpers

  #await(condition: () => boolean, within: Duration, complaint: () => string): void {
    const isTrue = this.world.runUntilTrue(condition, durationUs(within));
    this.expectLawful();
    if (!isTrue) throw this.#failure(`${complaint()} within ${formatted(within)}: ${describe(this.world)}`);
  }

  #failure(what: string): ScenarioFailure {
    return new ScenarioFailure(what, this.seed, this.nowUs);
  }

  #running(): readonly string[] {
    return this.world.boards.filter(({ state }) => state === "running").map(({ name }) => name);
  }

  #leaders(among: readonly string[] = this.boards): readonly SimBoard[] {
    return among
      .map((name) => this.world.board(name))
      .filter((board) => board.state === "running" && board.replica?.raft?.role === "leader");
  }
}

/** Longer than any client waits for an answer. */
const untilClientsGiveUpUs = 3_600_000_000;

function phrase({ client, operation }: Pending): string {
  return `${client}'s ${JSON.stringify(operation)}`;
}

function list(boards: readonly string[] | undefined): string {
  return boards === undefined ? "the boards" : boards.join(", ");
}

function formatted(duration: Duration): string {
  return typeof duration === "string" ? duration : `${duration} µs`;
}
