import { describe, expect, test } from "vitest";
import { createRandom, type Random } from "../random.ts";
import { simpleConfiguration } from "./configuration.ts";
import type { ReadId } from "./effects.ts";
import { type Rules, rules } from "./rules.ts";
import { type Board, Cluster } from "./testing/cluster.ts";
import type { Entry, LogIndex, MemberId, Term } from "./types.ts";

/** What must hold whatever is delivered, lost, repeated, reordered, crashed or saved late (Figure 3 of the paper). */
class Checks {
  readonly #leaders = new Map<Term, MemberId>();
  /** Every entry that some board applied, and in which term it did so first. */
  readonly #applied: { readonly entry: Entry; readonly term: Term }[] = [];
  readonly #appliedBy = new Map<MemberId, number>();
  /** What was committed anywhere when each read was asked, and how many results each board gave. */
  readonly #committedAtRead = new Map<ReadId, LogIndex>();
  readonly #readsBy = new Map<MemberId, number>();

  /** A read is about to be asked. */
  beforeRead(cluster: Cluster, read: ReadId): void {
    this.#committedAtRead.set(read, Math.max(...[...cluster.boards.values()].map(({ raft }) => raft.commitIndex)));
  }

  after(cluster: Cluster): void {
    for (const board of cluster.boards.values()) {
      if (!board.running) continue;
      this.#electionSafety(board);
      this.#stateMachineSafety(board);
      this.#linearizableReads(board);
    }
  }

  /** At most one leader is elected in a term, and it has everything that was committed in earlier ones. */
  #electionSafety({ id, raft }: Board): void {
    if (raft.role !== "leader") return;
    const known = this.#leaders.get(raft.term);
    if (known === id) return;
    expect(known, `${id} leads term ${raft.term}`).toBe(undefined);
    this.#leaders.set(raft.term, id);
    for (const { entry, term: committedBy } of this.#applied) {
      const term = raft.termAt(entry.index);
      if (committedBy >= raft.term || (term === null && entry.index <= raft.snapshotIndex)) continue;
      expect(term, `${id} leads term ${raft.term} without entry ${entry.index}`).toBe(entry.term);
    }
  }

  /** Boards that apply an entry at an index apply the same entry there. */
  #stateMachineSafety({ id, applied, raft }: Board): void {
    for (let place = this.#appliedBy.get(id) ?? 0; place < applied.length; place += 1) {
      const entry = applied[place];
      if (entry === undefined) continue;
      const before = this.#applied[entry.index - 1]?.entry;
      if (before === undefined) this.#applied[entry.index - 1] = { entry, term: raft.term };
      else if (JSON.stringify(entry) !== JSON.stringify(before)) expect(entry).toEqual(before);
    }
    this.#appliedBy.set(id, applied.length);
  }

  /** A read sees everything that was committed anywhere when it was asked (§6.4). */
  #linearizableReads({ id, reads }: Board): void {
    for (const result of reads.slice(this.#readsBy.get(id) ?? 0)) {
      if (result.ready) expect(result.index).toBeGreaterThanOrEqual(this.#committedAtRead.get(result.id) ?? 0);
    }
    this.#readsBy.set(id, reads.length);
  }

  /** If two logs have an entry with the same index and term, they agree up to there. */
  logMatching(cluster: Cluster): void {
    const boards = [...cluster.boards.values()];
    for (const left of boards) {
      for (const right of boards) {
        let agreeFrom = Number.POSITIVE_INFINITY;
        for (let index = Math.min(left.raft.lastIndex, right.raft.lastIndex); index > 0; index -= 1) {
          const [one, other] = [left.raft.termAt(index), right.raft.termAt(index)];
          if (one === null || other === null) break;
          if (one === other) agreeFrom = index;
          else expect(agreeFrom, `${left.id} and ${right.id} agree again after ${index}`).toBe(Infinity);
        }
      }
    }
  }
}

/** Runs a random schedule and then a calm one; `steps` of trouble. */
function runSchedule(
  seed: string,
  size: 3 | 5,
  steps: number,
  followed: Rules = rules,
): { readonly leaders: number; readonly applied: number } {
  const random = createRandom(seed);
  const ids = ["a", "b", "c", "d", "e"].slice(0, size);
  const cluster = new Cluster({
    initial: simpleConfiguration(ids),
    slowDisks: ids,
    recorded: false,
    rules: followed,
    random: (id) => createRandom(`${seed}/${id}`),
    options: { snapshotChunkBytes: 16, inFlightAppendsMax: 3, appendEntriesMax: 4 },
  });
  const checks = new Checks();
  let commands = 0;
  let reads = 0;
  const calm = random.chance(1, 4);
  for (let step = 0; step < steps; step += 1) {
    const id = random.pick(ids);
    const board = cluster.board(id);
    const place = random.between(0, Math.max(1, cluster.queue.length));
    const dice = random.between(0, 100);
    if (!board.running) {
      if (dice < 20) cluster.restart(id);
    } else if (dice < 50) deliverSome(cluster, random);
    else if (dice < 53) cluster.deliverAt(place, true);
    else if (dice < (calm ? 53 : 56)) disturbNetwork(cluster, random, id);
    else if (dice < 76) cluster.saved(id);
    else if (dice < 83) cluster.pass(id, random.between(1, 120));
    else if (dice < 85) cluster.timeout(id);
    else if (dice < 89) {
      commands += 1;
      cluster.propose(id, `${commands}`);
    } else if (dice < 94) {
      reads += 1;
      checks.beforeRead(cluster, reads);
      cluster.read(id, reads);
    } else if (dice < 95) cluster.transfer(id, random.pick(ids));
    else if (dice < 97) compact(cluster, board, random.between(0, 3));
    else if (dice < 98) cluster.crash(id);
    else if (board.raft.role === "leader") {
      const voters = ids.filter(() => random.chance(3, 4));
      cluster.changeMembers(id, { voters, learners: ids.filter((other) => !voters.includes(other)) });
    }
    checks.after(cluster);
  }
  checks.logMatching(cluster);
  recover(cluster, checks);
  const applied = Math.max(...ids.map((id) => cluster.board(id).raft.appliedIndex));
  return { leaders: new Set(leadersOf(cluster)).size, applied };
}

/** Delivers a handful of messages, most of them in order. */
function deliverSome(cluster: Cluster, random: Random): void {
  const count = random.between(1, 3 * cluster.boards.size);
  for (let each = 0; each < count && cluster.queue.length > 0; each += 1) {
    cluster.deliverAt(random.chance(3, 4) ? 0 : random.between(0, cluster.queue.length));
  }
}

/** Cuts a board off, heals everything, or loses one message. */
function disturbNetwork(cluster: Cluster, random: Random, id: MemberId): void {
  const dice = random.between(0, 6);
  if (dice === 0) cluster.isolate(id);
  else if (dice < 3) cluster.heal();
  else cluster.dropAt(random.between(0, Math.max(1, cluster.queue.length)));
}

/** A snapshot of what was applied; it waits for the saves before it, as a disk would have it. */
function compact(cluster: Cluster, { id, raft, disk }: Board, trailing: number): void {
  while (disk.pending.length > 0) cluster.saved(id);
  if (raft.appliedIndex > raft.snapshotIndex) cluster.compact(id, trailing);
}

/** All is well again: everybody runs, nothing is lost. Then a leader must serve, and all must reach the same state. */
function recover(cluster: Cluster, checks: Checks): void {
  cluster.heal();
  for (const { id, running } of cluster.boards.values()) if (!running) cluster.restart(id);
  for (let step = 0; step < 200; step += 1) {
    for (const { id } of cluster.boards.values()) cluster.pass(id, 20);
    for (let round = 0; round < 4; round += 1) {
      for (const { id, disk } of cluster.boards.values()) while (disk.pending.length > 0) cluster.saved(id);
      cluster.deliver();
      checks.after(cluster);
    }
    if (step % 20 === 19 && isServing(cluster, `recovered ${step}`)) return;
  }
  expect.unreachable("no leader serves after everything is healed");
}

/** Whether a command proposed some time ago by this test is applied everywhere that matters, with one state for all. */
function isServing(cluster: Cluster, command: string): boolean {
  const leader = [...cluster.boards.values()].find(({ raft }) => raft.role === "leader");
  if (leader === undefined) return false;
  const members = [...leader.raft.configuration.voters, ...leader.raft.configuration.learners];
  const states = members.map((id) => cluster.board(id).state.join(";"));
  if (states.every((state) => state.includes("recovered") && state === states[0])) return true;
  cluster.propose(leader.id, command);
  return false;
}

function* leadersOf(cluster: Cluster): Generator<string> {
  for (const { id, events } of cluster.boards.values()) {
    for (const event of events) if (event.type === "role" && event.role === "leader") yield `${event.term} ${id}`;
  }
}

describe("given boards under random delivery, loss, repetition, reordering, crashes, changes of members and slow disks", () => {
  test("when three of them run, then no term has two leaders, nothing committed is lost, and in the end all agree", () => {
    const results = seeds(100).map((seed) => runSchedule(`three ${seed}`, 3, 1000));
    expect(total(results, ({ leaders }) => leaders)).toBeGreaterThan(300);
    expect(total(results, ({ applied }) => applied)).toBeGreaterThan(1000);
  });

  test("when five of them run, then no term has two leaders, nothing committed is lost, and in the end all agree", () => {
    const results = seeds(60).map((seed) => runSchedule(`five ${seed}`, 5, 1200));
    expect(total(results, ({ leaders }) => leaders)).toBeGreaterThan(150);
    expect(total(results, ({ applied }) => applied)).toBeGreaterThan(600);
  });

  test("when the same schedule is run again, then the same happens", () => {
    const once = seeds(10).map((seed) => runSchedule(`again ${seed}`, 3, 600));
    expect(seeds(10).map((seed) => runSchedule(`again ${seed}`, 3, 600))).toEqual(once);
  });

  test.each([
    ["voters do not look at the log", { isLogUpToDate: () => true }],
    ["voters vote twice", { isVoteFree: () => true }],
    ["nothing waits for the disk", { mustBeDurableFirst: () => false }],
    ["the leader counts itself before its disk does", { leaderMatchIndex: (_durable: number, last: number) => last }],
    ["followers skip the consistency check", { isConsistent: () => true }],
    ["reads are answered without asking", { isReadConfirmed: () => true }],
    ["half is a majority", { majorityOf: (count: number) => Math.max(1, Math.floor(count / 2)) }],
  ] satisfies [string, Partial<Rules>][])("when %s, then some schedule shows that it matters", (_name, broken) => {
    expect(() => {
      for (const seed of seeds(400)) runSchedule(`broken ${seed}`, 3, 1000, { ...rules, ...broken });
    }).toThrow();
  });
});

function seeds(count: number): readonly number[] {
  return Array.from({ length: count }, (_, seed) => seed);
}

function total<Item>(items: readonly Item[], count: (item: Item) => number): number {
  return items.reduce((sum, item) => sum + count(item), 0);
}
