/** Storage on the simulated disk: long random lives with every fault, against a model that forgets nothing. */

import { describe, expect, test } from "vitest";
import type { Entry, HardState, LogIndex, Snapshot, Term } from "../device/raft/types.ts";
import { createRandom, type Random } from "../device/random.ts";
import {
  formatStorage,
  type Opened,
  openStorage,
  type Recovered,
  type SaveBatch,
  type Storage,
} from "../device/storage/index.ts";
import { goodDiskTiming, SimDisk } from "./disk.ts";
import { EventQueue } from "./queue.ts";

describe("a member's storage lives through random faults", () => {
  test("given power cuts, crashes, stalls and full disks at any moment, then nothing acknowledged is ever missing", () => {
    const seen = { boots: 0, tornTails: 0, compactions: 0, installations: 0, failures: 0, unacknowledgedKept: 0 };
    for (let seed = 0; seed < 150; seed += 1) {
      const life = new Life(`faults ${seed}`);
      life.boot();
      for (let step = 0; step < 80; step += 1) life.step();
      life.boot();
      for (const [what, times] of Object.entries(life.seen)) seen[what as keyof typeof seen] += times;
    }
    for (const [what, times] of Object.entries(seen)) expect(times, `${what} happened`).toBeGreaterThan(100);
  });

  test("given a rotten bit in what was long durable, then it is damage and named, or nothing is missing", () => {
    const outcomes = { damaged: 0, ready: 0 };
    for (let seed = 0; seed < 150; seed += 1) {
      const life = new Life(`rot ${seed}`);
      life.boot();
      for (let step = 0; step < 40; step += 1) life.step();
      life.boot();
      for (let step = 0; step < 5; step += 1) {
        life.save();
        life.settle();
      }
      const rotten = life.disk.rot();
      if (life.random.chance(1, 2)) life.save();
      life.disk.cutPower();
      const opened = life.open();
      if (opened.kind === "ready") life.compare(opened.recovered);
      else expect(opened).toMatchObject({ kind: "damaged", damage: { file: rotten?.file } });
      outcomes[opened.kind === "ready" ? "ready" : "damaged"] += 1;
    }
    expect(outcomes.damaged).toBeGreaterThan(100);
  });

  test("given a bit that is read wrongly, then it is taken for damage, or nothing is missing", () => {
    for (let seed = 0; seed < 100; seed += 1) {
      const life = new Life(`misread ${seed}`);
      life.boot();
      for (let step = 0; step < 20; step += 1) life.step();
      life.disk.cutPower();
      life.disk.corruptNextRead();
      const opened = life.open();
      if (opened.kind === "ready") life.compare(opened.recovered);
      else expect(opened.kind).toBe("damaged");
    }
  });
});

/** What a member's durable state is after each record: the log from `floor` on, where nothing before can be known. */
type State = {
  readonly hardState: HardState;
  readonly floor: LogIndex;
  readonly floorTerm: Term;
  /** The entries after `floor`. */
  readonly entries: readonly Entry[];
};

/** One disk, the storages on it boot after boot, and what they must hold. */
class Life {
  readonly random: Random;
  readonly disk: SimDisk;
  readonly seen = { boots: 0, tornTails: 0, compactions: 0, installations: 0, failures: 0, unacknowledgedKept: 0 };
  readonly #queue = new EventQueue();
  #storage: Storage | null = null;
  /** The last state that was acknowledged, and for each save since then the states that it went through. */
  #acknowledged: State = { hardState: { term: 0, votedFor: null }, floor: 0, floorTerm: 0, entries: [] };
  #asked: State[][] = [];
  /** Entries up to here are committed: never replaced. */
  #committed: LogIndex = 0;
  readonly #snapshots = new Map<LogIndex, string>();
  #commands = 0;

  constructor(seed: string) {
    this.random = createRandom(seed);
    this.disk = new SimDisk({
      schedule: (delayUs, completion) => this.#queue.at(this.#queue.nowUs + delayUs, completion),
      random: this.random.fork("disk"),
      timing: goodDiskTiming,
    });
    formatStorage(this.disk.mount(), owner, (result) => expect(result.ok).toBe(true));
    this.settle();
  }

  settle(): void {
    while (this.#queue.step());
  }

  /** Ends the boot that is, by chance in one way or the other, and starts the next one, which must find everything. */
  boot(): void {
    this.#heal();
    if (this.random.chance(1, 2)) this.disk.cutPower();
    else this.disk.crashProcess();
    this.#bootInterrupted();
    const opened = this.open();
    if (opened.kind !== "ready") throw new Error(`The disk cannot be used: ${JSON.stringify(opened)}`);
    this.seen.boots += 1;
    if (opened.recovered.tornTail !== null) this.seen.tornTails += 1;
    this.compare(opened.recovered);
    this.#storage = opened.storage;
  }

  /** Sometimes the power goes again while the disk is being recovered. */
  #bootInterrupted(): void {
    if (!this.random.chance(1, 3)) return;
    openStorage(this.disk.mount(), owner, options, () => {});
    for (let step = this.random.between(0, 12); step > 0; step -= 1) this.#queue.step();
    this.disk.cutPower();
  }

  #heal(): void {
    this.disk.resume();
    this.disk.setFull(false);
  }

  open(): Opened {
    this.#heal();
    const results: Opened[] = [];
    openStorage(this.disk.mount(), owner, options, (opened) => results.push(opened));
    this.settle();
    const [opened] = results;
    if (opened === undefined) throw new Error("Opening never ended.");
    return opened;
  }

  step(): void {
    const choice = this.random.between(0, 20);
    if (choice < 10) this.save();
    else if (choice < 14) this.#queue.runUntil(this.#queue.nowUs + this.random.between(0, 3_000));
    else if (choice < 16) this.#compact();
    else if (choice === 16) this.disk.stall();
    else if (choice === 17) this.disk.resume();
    else if (choice === 18 && this.random.chance(1, 4)) this.disk.setFull(true);
    else this.boot();
  }

  save(): void {
    const before = this.#asked.at(-1)?.at(-1) ?? this.#acknowledged;
    const { batch, states } = this.random.chance(1, 12) ? this.#installation(before) : this.#addition(before);
    this.#asked.push(states);
    this.#storage?.save(batch, (result) => {
      if (!result.ok) {
        this.seen.failures += 1;
        return;
      }
      this.#acknowledged = this.#asked.shift()?.at(-1) ?? this.#acknowledged;
    });
  }

  /** What was found must be a state at or after the last acknowledged one; from now on it is the acknowledged one. */
  compare(recovered: Recovered): void {
    const later = this.#asked.flat();
    const found = [this.#acknowledged, ...later].find((state) => this.#isState(recovered, state));
    expect(found, `a state since the last acknowledged one, not ${JSON.stringify(recovered)}`).toBeDefined();
    if (found === undefined) return;
    if (later.includes(found)) this.seen.unacknowledgedKept += 1;
    this.#acknowledged = found;
    this.#asked = [];
    this.#committed = Math.max(found.floor, Math.min(this.#committed, lastIndexOf(found)));
  }

  #isState({ hardState, entries, snapshot }: Recovered, state: State): boolean {
    const first = entries[0]?.index ?? lastIndexOf(state) + 1;
    const last = entries.at(-1)?.index ?? snapshot?.index ?? 0;
    return (
      JSON.stringify(hardState) === JSON.stringify(state.hardState) &&
      last === lastIndexOf(state) &&
      first > state.floor &&
      entries.every(
        (entry) => JSON.stringify(entry) === JSON.stringify(state.entries[entry.index - state.floor - 1]),
      ) &&
      (snapshot === null ? first === 1 : this.#isSnapshot(snapshot, state) && first <= snapshot.index + 1)
    );
  }

  #isSnapshot(snapshot: Snapshot, state: State): boolean {
    return (
      snapshot.index >= state.floor &&
      snapshot.term === termAt(state, snapshot.index) &&
      snapshot.data === this.#snapshots.get(snapshot.index)
    );
  }

  /** Some hard state and some entries, which may replace uncommitted ones. */
  #addition(before: State): { batch: SaveBatch; states: State[] } {
    const states: State[] = [];
    let state = before;
    let hardState: HardState | null = null;
    if (this.random.chance(1, 3)) {
      hardState = { term: state.hardState.term + 1, votedFor: this.random.pick(["ada", "grace", null]) };
      state = { ...state, hardState };
      states.push(state);
    }
    const last = lastIndexOf(state);
    const start = this.random.chance(1, 4)
      ? this.random.between(Math.max(this.#committed, state.floor), last + 1)
      : last;
    const entries = this.#entriesAfter(start, state.hardState.term, this.random.between(hardState === null ? 1 : 0, 5));
    return { batch: { hardState, entries, snapshot: null }, states: [...states, ...statesWith(state, entries)] };
  }

  /** A snapshot from a leader, somewhere after everything committed, and entries that follow it. */
  #installation(before: State): { batch: SaveBatch; states: State[] } {
    this.seen.installations += 1;
    const term = before.hardState.term + 1;
    const floor = Math.max(this.#committed, before.floor) + this.random.between(1, 10);
    const hardState = { term, votedFor: null };
    const snapshot = this.#snapshotAt(floor, term);
    const installed: State = { hardState, floor, floorTerm: term, entries: [] };
    const entries = this.#entriesAfter(floor, term, this.random.between(0, 3));
    this.#committed = floor;
    const states = [{ ...before, hardState }, installed, ...statesWith(installed, entries)];
    return { batch: { hardState, snapshot, entries }, states };
  }

  #compact(): void {
    const state = this.#asked.at(-1)?.at(-1) ?? this.#acknowledged;
    const last = lastIndexOf(state);
    const least = Math.max(this.#committed, state.floor + 1);
    if (least > last) return;
    this.seen.compactions += 1;
    const index = this.random.between(least, last + 1);
    this.#committed = index;
    this.#storage?.compact(this.#snapshotAt(index, termAt(state, index)), this.random.between(0, 6), () => {});
  }

  #snapshotAt(index: LogIndex, term: Term): Snapshot {
    const data = this.#snapshots.get(index) ?? `state ${index} `.repeat(this.random.between(1, 100));
    this.#snapshots.set(index, data);
    return { index, term, configuration, data };
  }

  #entriesAfter(index: LogIndex, term: Term, count: number): Entry[] {
    return Array.from({ length: count }, (_, position) => {
      this.#commands += 1;
      const data = `command ${this.#commands} `.repeat(this.random.between(1, 12));
      return { kind: "command", index: index + 1 + position, term, data };
    });
  }
}

const owner = { cluster: "bench", board: "ada", member: "ada" };
const options = { segmentBytesMax: 2_000 };
const configuration = { voters: ["ada"], votersOutgoing: [], learners: [], learnersNext: [], autoLeave: false };

/** The states that a log goes through as entries are added to it one by one. */
function statesWith(state: State, entries: readonly Entry[]): State[] {
  return entries.map((entry, position) => {
    const kept = state.entries.slice(0, (entries[0]?.index ?? entry.index) - state.floor - 1);
    return { ...state, entries: [...kept, ...entries.slice(0, position + 1)] };
  });
}

function lastIndexOf(state: State): LogIndex {
  return state.floor + state.entries.length;
}

function termAt(state: State, index: LogIndex): Term {
  return index === state.floor ? state.floorTerm : (state.entries[index - state.floor - 1]?.term ?? 0);
}
