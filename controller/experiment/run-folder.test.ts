import { mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { RunFolder, type RunRecord, readRunFolder } from "./run-folder.ts";

let base = "";
beforeEach(() => {
  base = realpathSync(mkdtempSync(join(tmpdir(), "adrift-runs-")));
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

const startedAt = new Date("2026-03-04T05:06:07.890Z");

const record: RunRecord = {
  format: 1,
  kind: "simulated",
  source: { kind: "experiment" },
  experiment: "tried",
  bench: "five-boards",
  experimentFile: "tried.yaml",
  benchFile: "five-boards.yaml",
  seed: 3,
  fingerprint: "f",
  virtualUs: 5,
  events: 1,
  interrupted: false,
  startedAt: startedAt.toISOString(),
  commandLine: "adrift run tried.yaml",
  versions: { adrift: "0.1.0", node: "v20" },
};

function keep(name = "tried"): string {
  const files = {
    bench: { name: "five-boards.yaml", text: "boards: 5\n" },
    experiment: { name: "tried.yaml", text: "duration: 1s\n" },
  };
  const folder = new RunFolder({ runs: join(base, "runs"), name, startedAt, ...files });
  folder.tell({ atUs: 1, kind: "fault", what: "cable pi-1 is cut", begins: true });
  const event = { process: "c1", type: "invoke", op: "read", key: "x", atUs: 2 } as const;
  folder.finish({ record, history: [event], verdict: { verdict: "valid" }, report: "<p>" });
  return folder.path;
}

describe("the folder of a run", () => {
  it("is called after the time and the experiment, and can be read again", () => {
    const path = keep();
    expect(basename(path)).toBe("2026-03-04T05-06-07-tried");
    expect(readRunFolder(path, base)).toEqual({
      path,
      record,
      bench: { name: "five-boards.yaml", text: "boards: 5\n" },
      experiment: { name: "tried.yaml", text: "duration: 1s\n" },
      history: '{"process":"c1","type":"invoke","op":"read","key":"x","atUs":2}\n',
      events: '{"atUs":1,"kind":"fault","what":"cable pi-1 is cut","begins":true}\n',
    });
  });

  it("given several runs in the same second, then each has a folder, and latest is the last", () => {
    keep();
    keep();
    const third = keep();
    expect(readdirSync(join(base, "runs"))).toEqual([
      "2026-03-04T05-06-07-tried",
      "2026-03-04T05-06-07-tried-2",
      "2026-03-04T05-06-07-tried-3",
      "latest",
    ]);
    expect(realpathSync(readRunFolder("latest", base).path)).toBe(third);
  });

  it("given a file in place of the link, where links are not to be had, then latest is what it names", () => {
    const path = keep();
    rmSync(join(base, "runs/latest"));
    writeFileSync(join(base, "runs/latest"), `${basename(path)}\n`);
    expect(readRunFolder("latest", base).path).toBe(path);
  });

  it("given a run that was kept before there were kinds of benches, then it was simulated", () => {
    const path = keep();
    const { kind: _, ...old } = record;
    writeFileSync(join(path, "run.json"), JSON.stringify(old));
    expect(readRunFolder(path, base).record).toEqual(record);
  });

  it("given a run in real time, then it can be read, though it has no fingerprint", () => {
    const path = keep();
    const { source: _, fingerprint: __, virtualUs: ___, events: ____, ...common } = record;
    const real = { ...common, kind: "local", durationUs: 5 };
    writeFileSync(join(path, "run.json"), JSON.stringify(real));
    expect(readRunFolder(path, base).record).toEqual(real);
  });

  it.each([
    ["no JSON", "{", "is not JSON"],
    [
      "an unknown kind",
      JSON.stringify({ ...record, kind: "dreamt" }),
      'a bench of the kind "dreamt", which is not known',
    ],
    ["another format", JSON.stringify({ ...record, format: 2 }), "has the format 2, not 1"],
    ["no seed", JSON.stringify({ ...record, seed: null }), "lacks its seed"],
    ["no source", JSON.stringify({ ...record, source: {} }), "does not say from what the run can be repeated"],
  ])("given a run.json with %s, then it is refused with the reason", (_, text, reason) => {
    const path = keep();
    writeFileSync(join(path, "run.json"), text);
    expect(() => readRunFolder(path, base)).toThrow(reason);
    expect(readFileSync(join(path, "run.json"), "utf8")).toBe(text);
  });

  it("given no run at all, then it says what to give", () => {
    expect(() => readRunFolder("latest", base)).toThrow('yet: begin with "npx adrift demo".');
    expect(() => readRunFolder("runs/gone", base)).toThrow(/There is no folder .*runs.gone\. Give a folder under runs/);
    expect(() => readRunFolder("", base)).toThrow("The name of the run is empty.");
  });

  it("given a folder that lacks a file, then it says which", () => {
    const path = keep();
    rmSync(join(path, "history.jsonl"));
    expect(() => readRunFolder(path, base)).toThrow("is not the folder of a whole run: it holds no history.jsonl.");
  });
});
