import { describe, expect, it } from "vitest";
import { parseExperiment } from "../../experiment/experiment.ts";
import { readyExperiment, readyExperimentNames } from "../../experiment/ready.ts";
import { forEmulatedBoards, patience } from "./emulation.ts";

describe.each(readyExperimentNames())("the ready experiment %s for emulated boards", (name) => {
  const { name: file, text } = readyExperiment(name) ?? { name, text: "" };
  const written = parseExperiment(text, file);
  const emulated = forEmulatedBoards(written);

  it("does the same to the bench, at the same times", () => {
    const { workload: _, expect: __, ...rest } = emulated;
    expect(written).toMatchObject(rest);
  });

  it("promises the same, with more time for what takes time", () => {
    const withoutTime = ({ expect: promised }: typeof written) =>
      promised.map(({ promise, outcome }) => ({ ...promise, outcome, withinUs: null }));
    expect(withoutTime(emulated)).toEqual(withoutTime(written));
    for (const [index, { promise }] of emulated.expect.entries()) {
      const before = written.expect[index]?.promise;
      if ("withinUs" in promise && before !== undefined && "withinUs" in before) {
        expect(promise.withinUs).toBe(before.withinUs * patience);
      }
    }
  });

  it("has clients who wait longer", () => {
    expect(emulated.workload.timeoutUs).toBe(written.workload.timeoutUs * patience);
    expect(emulated.workload.retryAfterUs).toBe(written.workload.retryAfterUs * patience);
  });
});
