/**
 * An experiment on a real bench, in real time: clients work, faults begin and end by plan, then everything is put right
 * and recovery demanded. The plan, the conductor, the operations and what is recorded are those of the simulator.
 *
 * What boards say is gathered when all is over: what a board believed while it was cut off or dead stands in its flight
 * recorder, and can be asked for only when it is back.
 */

import { createRandom } from "../../device/random.ts";
import type { BoardStatus } from "../../device/transport/envelope.ts";
import type { HistoryEvent } from "../../sim/history.ts";
import type { Violation } from "../../sim/invariants.ts";
import type { LivenessFailure } from "../../sim/liveness.ts";
import { BenchFailure, type Death, type ExperimentBench, type RealKind } from "../bench/bench.ts";
import type { BenchAction } from "./bench-action.ts";
import { type Conductor, createConductor } from "./conductor.ts";
import { flightEvents, mergeEvents } from "./flight-events.ts";
import type { Experiment, FaultKind } from "./model.ts";
import { planExperiment, type Step } from "./plan.ts";
import { demandRecovery, describe, isAgreed } from "./recovery.ts";
import type { LinkEvent, RealRun, RunEvent, StepEvent } from "./run-result.ts";
import { type Time, waitUntil } from "./time.ts";
import { WorkingClient } from "./working-client.ts";

/** How a run in real time is carried out. */
export type RealTimeSettings = {
  /** Decides what clients ask and what targets such as `a follower` mean. */
  readonly seed: number;
  readonly time: Time;
  /** Whether somebody wants the run to end now. */
  readonly isInterrupted: () => boolean;
  /** Hears of each step as it happens. */
  readonly tell?: (event: StepEvent | LinkEvent) => void;
  /** Hears, again and again, for how long the run has been going on; `null` while it waits for a first leader. */
  readonly progress?: (atUs: number | null) => void;
};

/** The run, and what happened in it in the order of time. */
export type RealOutcome = {
  readonly run: RealRun;
  readonly events: readonly RunEvent[];
  /** What the bench could not do, so that the run ended there; mostly `null`. */
  readonly failure: BenchFailure | null;
};

/**
 * Runs an experiment on a bench that has just been started. The bench is left whole, as far as it can be, and running. If it
 * cannot do what a step demands, the run ends there.
 *
 * @throws {BenchFailure} if no leader is elected whom all follow.
 */
export async function runInRealTime(
  experiment: Experiment,
  bench: ExperimentBench,
  settings: RealTimeSettings,
): Promise<RealOutcome> {
  const run = new RealTimeRun(experiment, bench, settings);
  try {
    return await run.carryOut();
  } finally {
    await run.close();
  }
}

/** So long a bench has to elect its first leader. */
const leaderWithinUs = 20_000_000;
const hints: { readonly [Kind in RealKind]: string } = {
  local:
    'Start the same bench with "npx adrift up" and look at its boards with "npx adrift watch"; their logs say what each lacks.',
  netns: 'Try the same bench with "--bench local": if that works, this machine is too busy for namespaces as well.',
  qemu: "Emulated boards take minutes to start: try again with nothing else running.",
  rack: '"npx adrift doctor" looks for the reason, "npx adrift watch --bench FILE" shows what each board says.',
};
/** How often whoever waits looks whether somebody wants the run to end. */
const lookEveryUs = 20_000;

class RealTimeRun {
  readonly #experiment: Experiment;
  readonly #bench: ExperimentBench;
  readonly #settings: RealTimeSettings;
  readonly #conductor: Conductor;
  readonly #history: HistoryEvent[] = [];
  readonly #events: RunEvent[] = [];
  readonly #faults: Partial<Record<FaultKind, number>> = {};
  /** What was demanded of each thing on the bench, in order: one thing does one after the other, several at once. */
  readonly #pending = new Map<string, Promise<void>>();
  #clients: readonly WorkingClient[] = [];
  #closeClients: () => Promise<unknown> = () => Promise.resolve();
  #failure: BenchFailure | null = null;
  #lateUsMax = 0;
  #zeroUs = 0;
  #zeroWallUs = 0;

  constructor(experiment: Experiment, bench: ExperimentBench, settings: RealTimeSettings) {
    this.#experiment = experiment;
    this.#bench = bench;
    this.#settings = settings;
    this.#conductor = createConductor(bench.bench, createRandom(settings.seed).fork("faults").fork("targets"));
  }

  async carryOut(): Promise<RealOutcome> {
    const { time } = this.#settings;
    let goesOn = await this.#awaitLeader();
    await this.#connectClients();
    this.#zeroUs = time.nowUs();
    this.#zeroWallUs = time.wallUs();
    this.#bench.watchLinks?.((cable, up) => this.#noteLink(cable, up));
    for (const client of this.#clients) client.startWork();
    for (const step of planExperiment(this.#experiment)) {
      goesOn = goesOn && (await this.#passUntil(step.atUs));
      if (goesOn) this.#perform(step);
    }
    goesOn = goesOn && (await this.#passUntil(this.#experiment.durationUs));
    await this.#putRight();
    goesOn = goesOn && this.#failure === null;
    const liveness = goesOn ? await this.#demandRecovery() : null;
    for (const client of this.#clients) client.stopWork();
    return this.#conclude(liveness, !goesOn || this.#settings.isInterrupted());
  }

  close(): Promise<unknown> {
    for (const client of this.#clients) client.stopWork();
    return this.#closeClients();
  }

  /** Time since the run began, in whole microseconds. */
  get #nowUs(): number {
    return Math.max(0, this.#settings.time.nowUs() - this.#zeroUs);
  }

  async #awaitLeader(): Promise<boolean> {
    const { time, isInterrupted, progress } = this.#settings;
    let statuses: ReadonlyMap<string, BoardStatus> = new Map();
    const isLed = async (): Promise<boolean> => {
      progress?.(null);
      if (isInterrupted()) return true;
      statuses = await this.#bench.statuses();
      return isAgreed(statuses);
    };
    if (await waitUntil(isLed, leaderWithinUs, time)) return !isInterrupted();
    throw new BenchFailure(
      `The boards of the ${this.#bench.kind} bench did not elect a leader that all of them follow within ` +
        `${leaderWithinUs / 1_000_000} s: ${describe(statuses)}. ${hints[this.#bench.kind]}`,
    );
  }

  async #connectClients(): Promise<void> {
    const { workload } = this.#experiment;
    const random = createRandom(this.#settings.seed).fork("clients");
    const names = Array.from({ length: workload.clients }, (_, index) => `c${index + 1}`);
    const connected = await Promise.all(names.map((name) => this.#bench.connectClient(name, workload)));
    this.#closeClients = () => Promise.all(connected.map((client) => client.close()));
    this.#clients = connected.map((client, index) => {
      const name = `c${index + 1}`;
      const record = (event: Omit<HistoryEvent, "atUs">): void =>
        void this.#history.push({ ...event, atUs: this.#nowUs });
      return new WorkingClient({
        name,
        client,
        workload,
        random: random.fork(name),
        time: this.#settings.time,
        record,
      });
    });
  }

  /** Lets time pass, as far as nobody minds and the bench does what it should. */
  async #passUntil(untilUs: number): Promise<boolean> {
    const { time, isInterrupted, progress } = this.#settings;
    for (;;) {
      if (this.#failure !== null || isInterrupted()) return false;
      const leftUs = untilUs - this.#nowUs;
      if (leftUs <= 0) return true;
      progress?.(this.#nowUs);
      const wakeUs = this.#nowUs + Math.min(leftUs, lookEveryUs);
      await time.sleep(wakeUs - this.#nowUs);
      this.#lateUsMax = Math.max(this.#lateUsMax, this.#nowUs - wakeUs);
    }
  }

  #perform(step: Step): void {
    const { fault } = step.occurrence;
    const { actions, ...hit } = this.#conductor.perform(step, this.#bench.view());
    const { targets } = hit;
    if (step.kind === "begin" && targets.length > 0) this.#faults[fault.kind] = (this.#faults[fault.kind] ?? 0) + 1;
    const isWhole = this.#conductor.isWhole();
    const told = { atUs: this.#nowUs, kind: "step", step: step.kind, fault, ...hit, isWhole } as const;
    this.#events.push(told);
    this.#settings.tell?.(told);
    for (const action of actions) this.#demand(action);
  }

  #noteLink(cable: string, up: boolean): void {
    const event = { atUs: this.#nowUs, kind: "link", cable, up } as const;
    this.#events.push(event);
    this.#settings.tell?.(event);
  }

  #demand(action: BenchAction): void {
    const subject = subjectOf(action);
    const before = this.#pending.get(subject) ?? Promise.resolve();
    const done = before
      .then(() => this.#bench.carryOut(action))
      .then((refusal) => void this.#events.push({ atUs: this.#nowUs, kind: "done", action, refusal }))
      .catch((error: unknown) => {
        const why = error instanceof Error ? error.message : String(error);
        this.#failure ??= new BenchFailure(
          `The ${this.#bench.kind} bench could not do what the experiment demands (${action.kind} ${subjectOf(action)}): ${why}`,
          { cause: error },
        );
      });
    this.#pending.set(subject, done);
  }

  async #putRight(): Promise<void> {
    for (const action of this.#conductor.endAll()) this.#demand(action);
    await Promise.all(this.#pending.values());
  }

  #demandRecovery(): Promise<LivenessFailure | null> {
    const { time, isInterrupted } = this.#settings;
    return demandRecovery({ bench: this.#bench, clients: this.#clients, time, isInterrupted });
  }

  async #conclude(liveness: LivenessFailure | null, interrupted: boolean): Promise<RealOutcome> {
    const { seed } = this.#settings;
    const durationUs = this.#nowUs;
    const records = await this.#bench.flightRecords();
    const flight = flightEvents(records, {
      zeroUs: this.#zeroUs,
      zeroWallUs: this.#zeroWallUs,
      durationUs,
      place: this.#bench.place ?? null,
    });
    const deaths = this.#bench.deaths().map((death) => ({ ...death, atUs: Math.max(0, death.atUs - this.#zeroUs) }));
    const run: RealRun = {
      kind: this.#bench.kind,
      seed,
      durationUs,
      // What ended meanwhile came after the end.
      history: this.#history.filter(({ atUs }) => atUs <= durationUs),
      violation: violationIn(flight),
      liveness,
      elections: countElections(flight),
      faults: this.#faults,
      interrupted,
      deaths: deaths.filter((death) => !isAnnounced(death, flight)),
      lateUsMax: this.#lateUsMax,
    };
    const died = deaths.map((death): RunEvent => ({ kind: "died", ...death }));
    return { run, events: mergeEvents([...this.#events, ...died], flight), failure: this.#failure };
  }
}

/** What an action changes: of one thing the bench does one after the other. */
function subjectOf(action: BenchAction): string {
  if ("board" in action && action.kind !== "transferLeadership") return `board ${action.board}`;
  if ("from" in action) return `pair ${action.from} ${action.to}`;
  if ("cable" in action) return `cable ${action.cable}`;
  if ("switch" in action) return `switch ${action.switch}`;
  if ("broker" in action) return `broker ${action.broker}`;
  return action.kind === "setNoise" ? "noise" : "members";
}

/** The first board that found itself in an impossible state, and stopped. */
function violationIn(events: readonly RunEvent[]): Violation | null {
  for (const event of events) {
    if (event.kind !== "board" || event.event.type !== "stopped" || event.event.invariant === null) continue;
    const { invariant, reason } = event.event;
    return { invariant, board: event.board, atUs: event.atUs, detail: reason };
  }
  return null;
}

/** Whether a board said before it died that it had to stop: its disk is full, say. */
function isAnnounced({ name, atUs }: Death, events: readonly RunEvent[]): boolean {
  return events.some(
    (event) =>
      event.kind === "board" &&
      event.board === name &&
      event.event.type === "stopped" &&
      Math.abs(event.atUs - atUs) < announcedWithinUs,
  );
}

const announcedWithinUs = 5_000_000;

/** How many terms had a leader in the run; of those that ended before it began, which are all told as of 0, only the last. */
function countElections(events: readonly RunEvent[]): number {
  const terms = new Set<number>();
  let before = 0;
  for (const event of events) {
    if (event.kind !== "board" || event.event.type !== "role" || event.event.role !== "leader") continue;
    if (event.atUs > 0) terms.add(event.event.term);
    else before = Math.max(before, event.event.term);
  }
  if (before > 0) terms.add(before);
  return terms.size;
}
