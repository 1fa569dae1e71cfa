import { describe, expect, it } from "vitest";
import { parseBench } from "../../hardware/bench.ts";
import type { HistoryEvent } from "../check/index.ts";
import { checkHistory, historyOf } from "../check/index.ts";
import type { Chronicle, NotedMoment, Reign } from "./chronicle.ts";
import { type Expectation, parsePromise } from "./expectations.ts";
import { type Evidence, judgeRun } from "./judge.ts";
import { Service } from "./service.ts";

const bench = parseBench("boards: 3", "three.yaml");
const endUs = 10_000_000;
const ms = 1_000;

/** Writes that take a millisecond each, begun at these times. */
function writesAt(...timesMs: readonly number[]): readonly HistoryEvent[] {
  return timesMs.flatMap((time) => [
    { process: "c1", type: "invoke", op: "write", key: "x", value: time, atUs: time * ms } as const,
    { process: "c1", type: "ok", op: "write", key: "x", value: time, atUs: (time + 1) * ms } as const,
  ]);
}

/** c1 writes 1 and then 2; c2 reads 1 after that. */
const staleRead: readonly HistoryEvent[] = [
  ...writesAt(1, 3),
  { process: "c2", type: "invoke", op: "read", key: "x", atUs: 9 * ms },
  { process: "c2", type: "ok", op: "read", key: "x", result: 1, atUs: 10 * ms },
];

type Given = {
  readonly expect?: readonly string[];
  readonly history?: readonly HistoryEvent[];
  readonly moments?: readonly NotedMoment[];
  readonly reigns?: readonly Reign[];
} & Partial<Pick<Evidence, "violation" | "liveness" | "interrupted">>;

function judged({ expect: written = [], history = writesAt(1), moments = [], reigns = [], ...rest }: Given) {
  const chronicle: Chronicle = {
    bench,
    endUs,
    lanes: new Map(),
    faults: [],
    moments,
    reigns,
    catchUps: [],
    boardEvents: [],
    seenCuts: [],
    carriers: [],
  };
  const service = new Service(historyOf(history).operations, endUs);
  const usual = { violation: null, liveness: null, deaths: [], interrupted: false };
  return judgeRun({
    ...usual,
    ...rest,
    expect: written.map(expectation),
    chronicle,
    service,
    history: checkHistory(history),
  });
}

function expectation(written: string): Expectation {
  return written.startsWith("fails: ")
    ? { promise: parsePromise(written.slice("fails: ".length)), outcome: "broken" }
    : { promise: parsePromise(written), outcome: "kept" };
}

function verdictOn(given: Given): string {
  return judged(given).verdict;
}

const faultAt = (atMs: number): NotedMoment => ({ kind: "fault", atUs: atMs * ms });
const healAt = (atMs: number): NotedMoment => ({ kind: "heal", atUs: atMs * ms });
const violation = { invariant: "election safety", board: "pi-1", atUs: 5 * ms, detail: "term 2 already has a leader" };
const liveness = { demand: "every client is served", withinUs: 1, detail: "c1 got no answer" };

describe("promises of safety", () => {
  it("given a history that can be put in order, then they are kept", () => {
    expect(verdictOn({ expect: ["linearizable", "exactly-once"] })).toBe("valid");
    expect(verdictOn({ expect: ["fails: linearizable"] })).toBe("invalid");
  });

  it("given a stale read, then linearizable is broken: invalid, or what was to be shown", () => {
    expect(verdictOn({ expect: ["linearizable"], history: staleRead })).toBe("invalid");
    expect(verdictOn({ expect: ["fails: linearizable"], history: staleRead })).toBe("valid");
  });

  it("given that exactly-once cannot be told from such a history, then the verdict is unknown", () => {
    expect(verdictOn({ expect: ["exactly-once"], history: staleRead })).toBe("unknown");
  });

  it("given a broken rule, then the run is invalid even where nothing is expected", () => {
    const { verdict, findings } = judged({ violation });
    expect(verdict).toBe("invalid");
    expect(findings).toEqual([{ by: "election safety", detail: "pi-1: term 2 already has a leader", atUs: 5 * ms }]);
  });

  it("given a broken rule where a promise of safety is to fail, and nobody was lied to, then it did not fail", () => {
    const { verdict, expectations, findings } = judged({ expect: ["fails: linearizable"], violation });
    expect({ verdict, findings }).toEqual({ verdict: "invalid", findings: [] });
    expect(expectations[0]).toMatchObject({ outcome: "kept", met: false });
    expect(expectations[0]?.detail).toContain(
      'pi-1 broke the rule "election safety". No client noticed. Try other seeds',
    );
  });

  it("given a broken rule and a stale read where a promise of safety is to fail, then the rule explains the lie", () => {
    const { verdict, expectations, findings } = judged({
      expect: ["fails: linearizable"],
      history: staleRead,
      violation,
    });
    expect({ verdict, findings }).toEqual({ verdict: "valid", findings: [] });
    expect(expectations[0]?.detail).toContain('At 0.01 s pi-1 broke the rule "election safety".');
  });

  it("given a broken rule before anybody was answered, then the promises of safety are not decided", () => {
    const { verdict, expectations } = judged({ expect: ["linearizable", "exactly-once"], history: [], violation });
    expect(verdict).toBe("invalid");
    expect(expectations.map(({ outcome }) => outcome)).toEqual(["undecided", "undecided"]);
    expect(expectations[0]?.detail).toBe("Not decided: no client was answered.");
  });

  it("given a broken rule where only service is to fail, then the run is invalid", () => {
    const moments = [faultAt(1_000)];
    expect(verdictOn({ expect: ["fails: available within 1s of fault"], moments, violation })).toBe("invalid");
  });
});

describe("available", () => {
  const promise = "available within 100ms of fault";

  it("given an operation that begins after the fault and succeeds in time, each time, then it is kept", () => {
    const { verdict, expectations } = judged({
      expect: [promise],
      history: writesAt(1_020, 2_050),
      moments: [faultAt(1_000), faultAt(2_000)],
    });
    expect(verdict).toBe("valid");
    expect(expectations[0]?.detail).toBe("After each of 2 faults, at the longest after 0.05 s.");
  });

  it("given nothing in time after one of the faults, then it is broken, and says after which", () => {
    const { verdict, expectations } = judged({
      expect: [promise],
      history: writesAt(1_020, 2_150),
      moments: [faultAt(1_000), faultAt(2_000)],
    });
    expect(verdict).toBe("invalid");
    expect(expectations[0]).toMatchObject({ outcome: "broken", detail: expect.stringContaining("fault at 2.00 s") });
  });

  it("given an answer to what was asked before, then it counts after a heal, but not after a fault", () => {
    const history: readonly HistoryEvent[] = [
      { process: "c1", type: "invoke", op: "read", key: "x", atUs: 990 * ms },
      { process: "c1", type: "ok", op: "read", key: "x", result: null, atUs: 1_010 * ms },
    ];
    expect(verdictOn({ expect: ["available within 100ms of heal"], history, moments: [healAt(1_000)] })).toBe("valid");
    expect(verdictOn({ expect: [promise], history, moments: [faultAt(1_000)] })).toBe("invalid");
  });

  it("given a run that ends before the time is up, then nobody can tell", () => {
    const moments = [{ kind: "fault", atUs: endUs - 50 * ms }] as const;
    expect(verdictOn({ expect: [promise], moments })).toBe("unknown");
  });

  it("given no such moment, then it is kept, and cannot be shown to fail", () => {
    expect(verdictOn({ expect: [promise] })).toBe("valid");
    expect(verdictOn({ expect: [`fails: ${promise}`] })).toBe("invalid");
  });

  it("given that the cluster does not recover at the end, then the run is invalid unless service was to fail", () => {
    expect(verdictOn({ liveness })).toBe("invalid");
    expect(verdictOn({ expect: ["available within 1s of heal"], moments: [healAt(1)], liveness })).toBe("invalid");
    expect(verdictOn({ expect: ["fails: available within 1s of heal"], liveness })).toBe("valid");
  });
});

describe("leader", () => {
  const promise = "leader within 1s of fault";
  const moments = [faultAt(2_000)];
  const reign = (fromMs: number, toMs: number): Reign => ({
    board: "pi-1",
    term: 1,
    fromUs: fromMs * ms,
    toUs: toMs * ms,
  });

  it("given that a majority keeps its leader, then it is kept", () => {
    expect(verdictOn({ expect: [promise], moments, reigns: [reign(300, 9_000)] })).toBe("valid");
  });

  it("given that it loses its leader, then the next must come in time", () => {
    expect(verdictOn({ expect: [promise], moments, reigns: [reign(300, 2_000), reign(2_900, 9_000)] })).toBe("valid");
    expect(verdictOn({ expect: [promise], moments, reigns: [reign(300, 2_000), reign(3_100, 9_000)] })).toBe("invalid");
    expect(verdictOn({ expect: [promise], moments, reigns: [reign(300, 2_000)] })).toBe("invalid");
  });
});

describe("a run that was stopped", () => {
  it("given that nothing is wrong so far, then the verdict is unknown", () => {
    expect(verdictOn({ expect: ["linearizable"], interrupted: true })).toBe("unknown");
  });

  it("given that something is wrong already, then it is invalid", () => {
    expect(verdictOn({ expect: ["linearizable"], history: staleRead, interrupted: true })).toBe("invalid");
  });
});
