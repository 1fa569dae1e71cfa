import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatDurationUs } from "../../sim/duration.ts";
import { parseExperiment } from "./experiment.ts";
import { countSteps, planExperiment } from "./plan.ts";

/** The plan as a story, one line a step. */
function story(faults: readonly string[], duration = "20s"): readonly string[] {
  const text = `duration: ${duration}\nfaults:\n${faults.map((fault) => `  - { ${fault} }\n`).join("")}`;
  return planExperiment(parseExperiment(text, "plan.yaml")).map(
    ({ atUs, kind, occurrence }) => `${formatDurationUs(atUs)} ${kind} ${occurrence.fault.kind} ${occurrence.id}`,
  );
}

describe("a plan", () => {
  it("given a fault at a moment, then it begins there and ends when its time is over", () => {
    expect(story(["fault: cut, target: leader, at: 5s, for: 4s"])).toEqual(["5s begin cut 0", "9s end cut 0"]);
    expect(story(["fault: wipe, target: leader, at: 5s"])).toEqual(["5s begin wipe 0"]);
  });

  it("given a repeated fault, then it happens first at its moment, or else after one period", () => {
    expect(story(["fault: wipe, target: leader, every: 6s"])).toEqual([
      "6s begin wipe 0",
      "12s begin wipe 1",
      "18s begin wipe 2",
    ]);
    expect(story(["fault: wipe, target: leader, at: 1s, every: 6s, until: 13s"])).toEqual([
      "1s begin wipe 0",
      "7s begin wipe 1",
    ]);
    expect(story(["fault: wipe, target: leader, every: 1s, times: 2"])).toEqual(["1s begin wipe 0", "2s begin wipe 1"]);
  });

  it("given a fault that would outlast the experiment, then it ends with it", () => {
    expect(story(["fault: cut, target: leader, at: 18s, for: 1h"])).toEqual(["18s begin cut 0", "20s end cut 0"]);
  });

  it("given a flapping cable, then it turns at each half of the period", () => {
    expect(story(["fault: flap, target: leader, at: 1s, for: 1s, period: 500ms"])).toEqual([
      "1s begin flap 0",
      "1.25s turn flap 0",
      "1.5s turn flap 0",
      "1.75s turn flap 0",
      "2s end flap 0",
    ]);
  });

  it("given several things at one moment, then what ends comes first and the order of the file decides the rest", () => {
    expect(
      story([
        "fault: crash, target: leader, at: 5s, for: 1s",
        "fault: cut, target: leader, at: 2s, for: 3s",
        "fault: pause, target: leader, at: 5s, for: 1s",
      ]),
    ).toEqual([
      "2s begin cut 0",
      "5s end cut 0",
      "5s begin crash 1",
      "5s begin pause 2",
      "6s end crash 1",
      "6s end pause 2",
    ]);
  });
});

describe("any plan", () => {
  const faults = fc.array(
    fc.record({
      kind: fc.constantFrom("cut", "flap", "wipe"),
      at: fc.integer({ min: 0, max: 19_999 }),
      every: fc.option(fc.integer({ min: 900, max: 9_000 })),
      lasts: fc.integer({ min: 100, max: 899 }),
      times: fc.option(fc.integer({ min: 1, max: 4 })),
    }),
    { minLength: 1, maxLength: 6 },
  );

  it("goes forward in time, begins all that it ends, ends within the experiment, and has as many steps as counted", () => {
    fc.assert(
      fc.property(faults, (all) => {
        const lines = all.map(({ kind, at, every, lasts, times }) => {
          const repeated = every === null ? "" : `, every: ${every}ms${times === null ? "" : `, times: ${times}`}`;
          const lasting = kind === "wipe" ? "" : `, for: ${lasts}ms${kind === "flap" ? ", period: 90ms" : ""}`;
          return `  - { fault: ${kind}, target: leader, at: ${at}ms${repeated}${lasting} }`;
        });
        const experiment = parseExperiment(`duration: 20s\nfaults:\n${lines.join("\n")}`, "any.yaml");
        const steps = planExperiment(experiment);
        const open = new Set<number>();
        let nowUs = 0;
        for (const { atUs, kind, occurrence } of steps) {
          expect(atUs).toBeGreaterThanOrEqual(nowUs);
          expect(atUs).toBeLessThanOrEqual(20_000_000);
          nowUs = atUs;
          if (kind !== "begin") expect(open.has(occurrence.id)).toBe(true);
          if (kind === "begin" && occurrence.endUs !== null) open.add(occurrence.id);
          if (kind === "end") open.delete(occurrence.id);
        }
        expect(open.size).toBe(0);
        // What the end of the experiment cuts short may turn less often than counted.
        expect(steps.length).toBeLessThanOrEqual(countSteps(experiment));
        expect(planExperiment(experiment)).toEqual(steps);
      }),
      { numRuns: 60 },
    );
  });
});
