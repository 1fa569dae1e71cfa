import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { type Bench, parseBench, YamlFileError } from "../../hardware/bench.ts";
import { defaultWorkload } from "../../sim/workload.ts";
import { checkOnBench } from "./check-on-bench.ts";
import { parseExperiment } from "./experiment.ts";
import type { Fault } from "./model.ts";
import { planExperiment } from "./plan.ts";
import { experimentJsonSchema } from "./schema.ts";

/** What is said of a file that is refused, one line a problem. */
function complaintsAbout(text: string, bench: Bench | null = null): string {
  try {
    const experiment = parseExperiment(text, "mine.yaml");
    if (bench !== null) checkOnBench(experiment, bench, "mine.yaml");
  } catch (error) {
    if (error instanceof YamlFileError) return error.message;
    throw error;
  }
  throw new Error("The file was taken as it is.");
}

/** The fault that one line describes. */
function faultOf(line: string): Fault | undefined {
  return parseExperiment(`duration: 30s\nfaults:\n  - { ${line} }`, "mine.yaml").faults[0]?.fault;
}

function readyBench(name: string): Bench {
  const file = new URL(`../../hardware/benches/${name}.yaml`, import.meta.url);
  return parseBench(readFileSync(file, "utf8"), `${name}.yaml`);
}

describe("an experiment", () => {
  it("given only a duration, then clients work on a bench without faults, and nothing may be lost", () => {
    expect(parseExperiment("duration: 10s", "calm.yaml")).toEqual({
      name: "calm",
      description: "",
      bench: null,
      durationUs: 10_000_000,
      seed: null,
      workload: { ...defaultWorkload, retryAfterUs: 300_000 },
      raft: { leaseReads: false, clockDriftPpmMax: null, snapshotAfterEntries: null, trailingEntries: null },
      faults: [],
      expect: [
        { promise: { kind: "linearizable" }, outcome: "kept" },
        { promise: { kind: "exactly-once" }, outcome: "kept" },
      ],
    });
  });

  it("given settings, then they count, and an operation that the mix leaves out is never drawn", () => {
    const experiment = parseExperiment(
      `
      name: busy
      duration: 1.5m
      seed: 7
      bench: two-switches
      workload: { clients: 9, operationsPerSecond: 0.5, keys: 1, mix: { read: 3, cas: 1 }, readMode: lease, timeout: 900ms, retryAfter: 0.1s }
      raft: { leaseReads: true, clockDriftPercentMax: 2.5, snapshotAfterEntries: 100, trailingEntries: 10 }
      expect: [available within 1.5s of heal, leader within 900ms of fault, fails: linearizable]
      `,
      "other.yaml",
    );
    expect(experiment).toMatchObject({ name: "busy", durationUs: 90_000_000, seed: 7, bench: "two-switches" });
    expect(experiment.workload).toEqual({
      clients: 9,
      operationsPerSecond: 0.5,
      keys: 1,
      mix: { read: 3, write: 0, cas: 1, append: 0, add: 0, delete: 0 },
      readMode: "lease",
      timeoutUs: 900_000,
      retryAfterUs: 100_000,
    });
    expect(experiment.raft.clockDriftPpmMax).toBe(25_000);
    expect(experiment.expect).toEqual([
      { promise: { kind: "available", withinUs: 1_500_000, of: "heal" }, outcome: "kept" },
      { promise: { kind: "leader", withinUs: 900_000, of: "fault" }, outcome: "kept" },
      { promise: { kind: "linearizable" }, outcome: "broken" },
    ]);
  });

  it("given a split, then its groups are the same however they are written", () => {
    const groups = [
      ["a", "b"],
      ["c", "d", "e"],
    ];
    for (const written of [
      "[a, b | c, d, e]",
      '"a, b | c, d, e"',
      '"a,b|c,d,e"',
      "[[a, b], [c, d, e]]",
      '["a, b | c", "d, e"]',
    ]) {
      expect(faultOf(`fault: split, groups: ${written}, at: 1s, for: 1s`)).toEqual({ kind: "split", groups });
    }
  });

  it.each([
    ["fault: cut, target: leader, at: 1s, for: 1s", { kind: "cut", target: { kind: "leader" } }],
    ["fault: isolate, target: [pi-1, pi-2], at: 1s, for: 1s", { target: { kind: "named", names: ["pi-1", "pi-2"] } }],
    ["fault: crash, target: a   follower, at: 1s, for: 1s", { target: { kind: "follower" } }],
    ["fault: pause, target: minority, at: 1s, for: 1s", { target: { kind: "minority" } }],
    ["fault: disk-full, target: majority, at: 1s, for: 1s", { target: { kind: "majority" } }],
    ["fault: power-cut, target: the next board, at: 1s, for: 1s", { target: { kind: "next" } }],
    ["fault: flap, target: pi-1, period: 80ms, at: 1s, for: 1s", { periodUs: 80_000 }],
    ["fault: one-way, target: pi-1, loses: incoming, at: 1s, for: 1s", { loses: "incoming" }],
    ["fault: switch-off, target: all, at: 1s, for: 1s", { target: { kind: "all" } }],
    ["fault: broker-down, target: broker, at: 1s, for: 1s", { loses: ["sessions", "retained"] }],
    ["fault: broker-down, target: broker, loses: [], at: 1s, for: 1s", { loses: [] }],
    ["fault: noise, lossPercent: 0.5, at: 1s, for: 1s", { lossPpm: 5_000, duplicationPpm: 0, delayUsMax: 50_000 }],
    ["fault: disk-slow, target: all, flush: 20ms, at: 1s, for: 1s", { flushUs: 20_000 }],
    ["fault: clock-drift, target: all, driftPercent: -4.5, at: 1s, for: 1s", { driftPpm: -45_000 }],
    ["fault: clock-jump, target: all, by: -2m, at: 1s", { byUs: -120_000_000 }],
    ["fault: transfer-leadership, at: 1s", { target: { kind: "follower" } }],
    ["fault: wipe, target: pi-1, at: 1s", { kind: "wipe" }],
  ])("reads { %s }", (line, fault) => {
    expect(faultOf(line)).toMatchObject(fault);
  });
});

describe("the ready experiments", () => {
  const folder = new URL("ready/", import.meta.url);
  const files = readdirSync(folder);

  it("are a dozen", () => {
    expect(files).toHaveLength(12);
  });

  it.each(files)("%s runs on its bench, is called like its file, and says what it teaches", (file) => {
    const text = readFileSync(new URL(file, folder), "utf8");
    const experiment = parseExperiment(text, "other.yaml");
    checkOnBench(experiment, readyBench(experiment.bench ?? "five-boards"), file);
    expect(`${experiment.name}.yaml`).toBe(file);
    expect(experiment.description).not.toBe("");
    expect(text.split("\n").filter((line) => line.startsWith("# ")).length).toBeGreaterThanOrEqual(4);
    expect(experiment.durationUs).toBeGreaterThanOrEqual(20_000_000);
    expect(experiment.durationUs).toBeLessThanOrEqual(40_000_000);
    // Something is broken and healed, and there is time left to see how the cluster comes back.
    const lastUs = planExperiment(experiment).at(-1)?.atUs ?? experiment.durationUs;
    expect(lastUs).toBeLessThanOrEqual(experiment.durationUs - 3_000_000);
  });
});

describe("a file that is no experiment", () => {
  it("is told with lines, what stands there, what may stand there, and what was probably meant", () => {
    expect(
      complaintsAbout(`
name: Mine
duration: 30
workload: { client: 3, readMode: leese, mix: { reads: 1 } }
faults:
  - { fault: cutt, target: leader, at: 5s, for: 4s }
  - { fault: cut, target: leader, at: 5 s, fro: 4s }
  - { fault: flap, target: 7, every: 2s, for: 1s }
  - { target: leader, at: 5s }
  - { fault: crash, target: leader, at: 5s }
  - { fault: clock-drift, target: leader, driftPercent: fast, at: 5s, for: 1s }
expect:
  - linearisable
  - available within 2s after heal
  - fails: exactly once
  - fail: linearizable
`),
    ).toMatchInlineSnapshot(`
      "mine.yaml:2:7: \`name\` is \`Mine\`, but must be a name (small letters, digits and dashes, a letter first, at most 32 characters).
      mine.yaml:3:11: \`duration\` is \`30\`, but must be a duration, such as 300ms, 5s or 2m.
      mine.yaml:4:13: \`workload.client\` is no setting; here may stand clients, operationsPerSecond, keys, mix, readMode, timeout, retryAfter. Did you mean "clients"?
      mine.yaml:4:34: \`workload.readMode\` is \`leese\`, but must be one of linearizable, lease, stale. Did you mean "lease"?
      mine.yaml:4:48: \`workload.mix.reads\` is no setting; here may stand read, write, cas, append, add, delete. Did you mean "read"?
      mine.yaml:6:14: \`faults[0].fault\` is \`cutt\`, but must be one of cut, flap, one-way, split, isolate, switch-off, broker-down, noise, power-cut, crash, pause, disk-stall, disk-slow, disk-full, bit-rot, wipe, replace, clock-drift, clock-jump, transfer-leadership, add-member, remove-member. Did you mean "cut"?
      mine.yaml:7:39: \`faults[1].at\` is \`5 s\`, but must be a duration, such as 300ms, 5s or 2m.
      mine.yaml:7:44: \`faults[1].fro\` is no setting; here may stand fault, at, every, until, times, for, target. Did you mean "for"?
      mine.yaml:8:5: \`faults[2].period\` is missing; it must be a duration, such as 300ms, 5s or 2m.
      mine.yaml:8:28: \`faults[2].target\` is \`7\`, but must be one of leader, a follower, minority, majority, all, the next board, a name, or a list of names.
      mine.yaml:9:5: \`faults[3].fault\` is missing; it must be one of cut, flap, one-way, split, isolate, switch-off, broker-down, noise, power-cut, crash, pause, disk-stall, disk-slow, disk-full, bit-rot, wipe, replace, clock-drift, clock-jump, transfer-leadership, add-member, remove-member.
      mine.yaml:10:5: \`faults[4].for\` is missing; it must be a duration, such as 300ms, 5s or 2m.
      mine.yaml:11:57: \`faults[5].driftPercent\` is \`fast\`, but must be a number, -50 to 50.
      mine.yaml:13:5: \`expect[0]\` is \`linearisable\`, but must be linearizable, exactly-once, or as in: available within 2s of heal, leader within 1s of fault.
      mine.yaml:14:5: \`expect[1]\` is \`available within 2s after heal\`, but must be linearizable, exactly-once, or as in: available within 2s of heal, leader within 1s of fault.
      mine.yaml:15:12: \`expect[2].fails\` is \`exactly once\`, but must be linearizable, exactly-once, or as in: available within 2s of heal, leader within 1s of fault.
      mine.yaml:16:5: \`expect[3].fail\` is no setting; here may stand fails. Did you mean "fails"?"
    `);
  });

  it("is told that nobody waits so short or so long", () => {
    const complaints = complaintsAbout("duration: 5s\nworkload: { timeout: 0s, retryAfter: 1us }\n");
    expect(complaints.split("\n")).toEqual([
      "mine.yaml:2:22: The timeout is 0s; it must be between 10ms and 10m.",
      "mine.yaml:2:38: The retryAfter is 1us; it must be between 1ms and 10m.",
    ]);
  });

  it("is told that a list names things, and at least one", () => {
    const withTarget = (target: string) =>
      complaintsAbout(`duration: 5s\nfaults:\n  - { fault: crash, target: ${target}, at: 1s, for: 1s }\n`);
    expect(withTarget("[leader, pi-1]")).toContain('"leader" cannot stand in a list, which holds names alone');
    expect(withTarget("[]")).toContain("is a list, but must be a list that names at least one");
  });

  it("is told what cannot happen", () => {
    expect(
      complaintsAbout(`
duration: 20s
workload: { readMode: lease, mix: { read: 0 } }
raft: { clockDriftPercentMax: 5 }
faults:
  - { fault: wipe, target: leader }
  - { fault: wipe, target: leader, at: 20s }
  - { fault: wipe, target: leader, at: 1s, times: 3, until: 9s }
  - { fault: cut, target: leader, every: 4s, for: 4s }
  - { fault: cut, target: leader, at: 5s, every: 4s, until: 5s, for: 0s }
  - { fault: cut, target: leader, every: 1ms, for: 1us }
  - { fault: flap, target: leader, at: 1s, for: 1s, period: 1500ms }
  - { fault: split, groups: "a, b", at: 1s, for: 1s }
  - { fault: split, groups: [a, b | a | ], at: 1s, for: 1s }
  - { fault: broker-down, target: leader, at: 1s, for: 1s }
  - { fault: transfer-leadership, target: minority, at: 1s }
`),
    ).toMatchInlineSnapshot(`
      "mine.yaml:3:23: Lease reads are off: write "leaseReads: true" under "raft", or read otherwise.
      mine.yaml:3:35: The mix draws no operation: give at least one a weight above 0.
      mine.yaml:4:31: Clocks are trusted only by lease reads, and these are off: write "leaseReads: true" as well.
      mine.yaml:6:5: When does it happen? Write "at:" and a moment, such as 5s, or "every:" and a period.
      mine.yaml:7:40: It would happen first at 20s, and the experiment ends at 20s.
      mine.yaml:8:51: "times" goes with "every", which is missing here.
      mine.yaml:8:61: "until" goes with "every", which is missing here.
      mine.yaml:9:51: It lasts 4s and begins again every 4s: it would never end.
      mine.yaml:10:61: It would end before it first happens, at 5s.
      mine.yaml:10:70: A fault that lasts 0s is none.
      mine.yaml:11:42: So often no fault can happen: at most every 10ms.
      mine.yaml:12:61: The period must be at least 20ms and at most what "for" says.
      mine.yaml:13:29: A split needs two groups at least, none of them empty, such as "pi-1, pi-2 | pi-3, pi-4, pi-5".
      mine.yaml:14:29: A split needs two groups at least, none of them empty, such as "pi-1, pi-2 | pi-3, pi-4, pi-5".
      mine.yaml:14:29: a stands in the groups twice.
      mine.yaml:15:35: "leader" means boards; here the names of brokers may stand, or all.
      mine.yaml:16:43: Leadership goes to one board: "a follower", "the next board" or a name, not "minority"."
    `);
    expect(complaintsAbout("duration: 25h")).toMatchInlineSnapshot(
      `"mine.yaml:1:11: The experiment lasts 25h; it must last between 1s and 24h."`,
    );
    expect(
      complaintsAbout("duration: 24h\nfaults: [{ fault: flap, target: leader, every: 1h, for: 59m, period: 20ms }]"),
    ).toMatchInlineSnapshot(
      `"mine.yaml:2:9: The faults come to 8142046 steps, and at most 100000 are carried out: let them happen less often."`,
    );
  });

  it("is told which names its bench does not have", () => {
    const text = `
duration: 20s
faults:
  - { fault: cut, target: [trunk, pi-9, pi-1, broker], at: 1s, for: 1s }
  - { fault: switch-off, target: pi-1, at: 1s, for: 1s }
  - { fault: broker-down, target: brokr, at: 1s, for: 1s }
  - { fault: pause, target: broker, at: 1s, for: 1s }
  - { fault: split, groups: [pi-1, pi-2 | pi-3, pi-6], at: 1s, for: 1s }
`;
    expect(complaintsAbout(text, readyBench("five-boards"))).toMatchInlineSnapshot(`
      "mine.yaml:4:1: The fault "cut" on the bench five-boards: there is no cable or board "trunk" (known: pi-1, pi-2, pi-3, pi-4, pi-5, broker).
      mine.yaml:4:1: The fault "cut" on the bench five-boards: there is no cable or board "pi-9" (known: pi-1, pi-2, pi-3, pi-4, pi-5, broker). Did you mean "pi-1"?
      mine.yaml:5:1: The fault "switch-off" on the bench five-boards: there is no switch "pi-1" (known: switch).
      mine.yaml:6:1: The fault "broker-down" on the bench five-boards: there is no broker "brokr" (known: broker). Did you mean "broker"?
      mine.yaml:7:1: The fault "pause" on the bench five-boards: there is no board "broker" (known: pi-1, pi-2, pi-3, pi-4, pi-5).
      mine.yaml:8:1: The split on the bench five-boards: there is no board "pi-6" (known: pi-1, pi-2, pi-3, pi-4, pi-5). Did you mean "pi-1"?
      mine.yaml:8:1: The split leaves out pi-4, pi-5: each board of the bench five-boards needs a group."
    `);
  });
});

describe("experiment.schema.json", () => {
  it("says what the loader takes (if not: npm run schema)", () => {
    expect(readFileSync(new URL("experiment.schema.json", import.meta.url), "utf8")).toBe(experimentJsonSchema());
  });
});
