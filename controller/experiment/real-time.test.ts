import { describe, expect, it } from "vitest";
import { type Bench, parseBench } from "../../hardware/bench.ts";
import type { BenchAction } from "./bench-action.ts";
import { Chronicler } from "./chronicler.ts";
import { concludeRun } from "./conclude.ts";
import { parseExperiment } from "./experiment.ts";
import { type RealOutcome, type RealTimeSettings, runInRealTime } from "./real-time.ts";
import { createStandIn, type StandIn } from "./stand-in-bench.fixture.ts";

const threeBoards = parseBench("boards: 3", "bench.yaml");

type Around = Partial<Pick<RealTimeSettings, "isInterrupted" | "tell">> & {
  readonly bench?: Bench;
  readonly refuse?: (action: BenchAction) => void;
  readonly before?: (standIn: StandIn) => void;
};

async function run(text: string, around: Around = {}) {
  const experiment = parseExperiment(text, "tried.yaml");
  const bench = around.bench ?? threeBoards;
  const standIn = createStandIn(experiment, bench, around.refuse);
  around.before?.(standIn);
  const outcome = await standIn.passUntilSettled(
    runInRealTime(experiment, standIn.bench, {
      seed: 1,
      time: standIn.time,
      isInterrupted: () => around.isInterrupted?.() ?? false,
      ...(around.tell === undefined ? {} : { tell: around.tell }),
    }),
  );
  return { ...outcome, standIn, concluded: conclude(outcome) };

  function conclude({ run: result, events }: RealOutcome) {
    const chronicler = new Chronicler(bench);
    for (const event of events) chronicler.tell(event);
    return concludeRun(experiment, bench, result, chronicler);
  }
}

const cutLeader = `
duration: 4s
faults:
  - { fault: cut, target: leader, at: 1s, for: 2s }
expect: [linearizable, exactly-once, leader within 2s of fault, available within 2s of fault, available within 2s of heal]
`;

describe("an experiment in real time", () => {
  it("given a cut leader, then it reaches the verdict as the simulator does, and the three times of the cut lie apart", async () => {
    const { run: result, concluded } = await run(cutLeader);
    expect(concluded.judgement.expectations.filter(({ met }) => met !== true)).toEqual([]);
    expect(concluded.judgement.verdict).toBe("valid");
    expect(result).toMatchObject({ kind: "local", interrupted: false, liveness: null, faults: { cut: 1 } });
    expect(result.elections).toBeGreaterThanOrEqual(2);
    const [cut, ...others] = concluded.cuts;
    expect(others).toEqual([]);
    expect(cut?.commandedUs).toBeGreaterThanOrEqual(1_000_000);
    expect(cut?.seenUs).toBeGreaterThan(cut?.commandedUs ?? Number.POSITIVE_INFINITY);
    expect(cut?.ledAgainUs).toBeGreaterThan(cut?.seenUs ?? Number.POSITIVE_INFINITY);
  });

  it("given that boards start and elect before clients work, then the run begins with a leader", async () => {
    const { concluded, events } = await run("duration: 1s\n");
    expect(concluded.chronicle.reigns[0]?.fromUs).toBe(0);
    expect(events.every(({ atUs }) => atUs >= 0 && atUs <= concluded.run.durationUs)).toBe(true);
    expect(events.map(({ atUs }) => atUs)).toEqual(events.map(({ atUs }) => atUs).toSorted((a, b) => a - b));
  });

  it("records a history in true order, in which a process has one operation open at a time", async () => {
    const { run: result } = await run(
      "duration: 3s\nworkload: { timeout: 300ms, mix: { write: 1 } }\nfaults:\n  - { fault: power-cut, target: majority, at: 1s, for: 1s }\n",
    );
    const open = new Map<string, boolean>();
    const ended = new Set<string>();
    for (const { process, type } of result.history) {
      expect(ended.has(process)).toBe(false);
      expect(open.get(process) ?? false).toBe(type !== "invoke");
      open.set(process, type === "invoke");
      if (type === "info") ended.add(process);
    }
    expect(ended.size).toBeGreaterThan(0);
    expect([...open.keys()]).toContain("c1.2");
    expect(result.history.map(({ atUs }) => atUs)).toEqual(
      result.history.map(({ atUs }) => atUs).toSorted((one, other) => one - other),
    );
  });

  it("given the same seed, then clients begin with the same operations", async () => {
    const operations = async () =>
      (await run("duration: 1s\n")).run.history.flatMap(({ type, op, key }) => (type === "invoke" ? [[op, key]] : []));
    expect(await operations()).toEqual(await operations());
  });

  it("tells the steps as they happen", async () => {
    const told: string[] = [];
    await run(cutLeader, {
      tell: (event) => told.push(event.kind === "step" ? `${event.step} ${event.fault.kind}` : event.kind),
    });
    expect(told).toEqual(["begin cut", "end cut"]);
  });

  it("given Ctrl-C, then what is broken is put right, and the verdict on what is known is unknown", async () => {
    let asked = 0;
    const { run: result, concluded, standIn } = await run(cutLeader, { isInterrupted: () => ++asked > 120 });
    expect(result.interrupted).toBe(true);
    expect(result.faults).toEqual({ cut: 1 });
    expect(result.durationUs).toBeLessThan(4_000_000);
    expect(concluded.judgement.verdict).toBe("unknown");
    expect(standIn.world.boards.every(({ state }) => state === "running")).toBe(true);
  });

  it("given Ctrl-C before there is a leader, then it ends at once", async () => {
    const { run: result } = await run(cutLeader, { isInterrupted: () => true });
    expect(result).toMatchObject({ interrupted: true, history: [] });
  });

  it("given boards of which none is elected, then it says so, and where to look", async () => {
    const powerOff = ({ world }: StandIn) => {
      for (const { name } of world.boards.slice(1)) world.powerCut(name);
    };
    await expect(run("duration: 1s\n", { before: powerOff })).rejects.toThrow(
      /^The boards of the local bench did not elect a leader .* within 20 s: pi-1 .*adrift up/,
    );
  });

  it("given a bench that fails at what is demanded, then the run fails with the reason", async () => {
    const refuse = ({ kind }: BenchAction) => {
      if (kind === "cut") throw new Error("the cable is stuck");
    };
    const { failure, run: ended } = await run(cutLeader, { refuse });
    expect(failure?.message).toMatch(/could not do .* \(cut cable pi-\d\): .*the cable is stuck/);
    expect(ended).toMatchObject({ interrupted: true, liveness: null });
  });

  it("given a board that dies by itself, then it is down from there on, and the run is invalid, with the reason", async () => {
    const { concluded } = await run("duration: 2s\n", {
      before: ({ deaths, world }) => deaths.push({ name: "pi-2", atUs: world.nowUs + 2_000_000, reason: "it fell" }),
    });
    expect(concluded.judgement.verdict).toBe("invalid");
    expect(concluded.judgement.findings).toMatchObject([{ detail: "pi-2: it fell" }]);
    expect(concluded.chronicle.lanes.get("pi-2")?.at(-1)?.state).toBe("down");
  });

  it("given a board that never comes back, then the cluster does not agree, and the run is invalid", async () => {
    const { run: result, concluded } = await run(
      "duration: 2s\nfaults:\n  - { fault: crash, target: a follower, at: 1s, for: 500ms }\n",
      {
        refuse: () => undefined,
        before: ({ world }) => Object.assign(world, { start: () => undefined }),
      },
    );
    expect(result.liveness).toMatchObject({ demand: "all boards that vote come to the same log" });
    expect(concluded.judgement.verdict).toBe("invalid");
  });
});
