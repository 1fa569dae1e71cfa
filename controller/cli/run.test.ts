import { existsSync, readFileSync, readlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { createTestShell } from "./shell.fixture.ts";

const shell = createTestShell();
const { adrift } = shell;
afterAll(() => shell.remove());

/** Short, so that many runs are quick. */
const short = `
name: short
duration: 3s
faults:
  - { fault: cut, target: leader, at: 1s, for: 1s }
expect: [linearizable, exactly-once, leader within 1s of fault]
`;

function write(name: string, text: string): string {
  writeFileSync(join(shell.folder, name), text);
  return name;
}

describe("adrift run", () => {
  it("given an experiment, then it says what happened and what became of each expectation, and keeps the run", async () => {
    const { status, out, err } = await adrift(["run", write("short.yaml", short), "--seed", "7"]);
    expect({ status, err }).toEqual({ status: 0, err: "" });
    expect(out).toContain("short on five-boards, seed 7");
    expect(out).toMatch(/VALID {2}\d+ operations of clients/);
    expect(out).toContain("✓ leader within 1s of fault");
    expect(out).not.toContain("\u001b");
    const latest = join(shell.folder, "runs/latest");
    const files = [
      "bench.yaml",
      "experiment.yaml",
      "run.json",
      "history.jsonl",
      "events.jsonl",
      "verdict.json",
      "report.html",
    ];
    expect(files.filter((file) => !existsSync(join(latest, file)))).toEqual([]);
    expect(readFileSync(join(latest, "experiment.yaml"), "utf8")).toBe(short);
    expect(readlinkSync(latest)).toMatch(/^\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d-short$/);
  });

  it("given --json, then one document is all that it prints, and the same seed gives the same fingerprint", async () => {
    const file = write("short.yaml", short);
    const first = await adrift(["run", file, "--seed", "7", "--json"]);
    const second = await adrift(["run", file, "--seed", "7", "--json"]);
    const other = await adrift(["run", file, "--seed", "8", "--json"]);
    const document = JSON.parse(first.out);
    expect(document).toMatchObject({ verdict: "valid", seed: 7, experiment: "short", bench: "five-boards" });
    expect(document.expectations).toHaveLength(3);
    expect(document.run).toMatch(/^runs\//);
    expect(JSON.parse(second.out).fingerprint).toBe(document.fingerprint);
    expect(JSON.parse(other.out).fingerprint).not.toBe(document.fingerprint);
  });

  it("given an expectation that is not met, then the run is invalid and the status 1", async () => {
    const file = write("strict.yaml", short.replace("leader within 1s of fault", "leader within 1ms of fault"));
    const { status, out } = await adrift(["run", file, "--seed", "7"]);
    expect(status).toBe(1);
    expect(out).toContain("INVALID");
    expect(out).toContain("✗ leader within 1ms of fault");
  });

  it("given an expectation to fail that does not, then the run is invalid", async () => {
    const file = write("wrong.yaml", "duration: 1s\nexpect: [{ fails: linearizable }]\n");
    const { status, out } = await adrift(["run", file]);
    expect(status).toBe(1);
    expect(out).toContain("✗ fails: linearizable");
  });

  it("given no seed, then it draws one and says which", async () => {
    const { out } = await adrift(["run", write("seedless.yaml", "duration: 1s\n")]);
    expect(out).toMatch(/^seedless on five-boards, seed \d+\n/);
  });

  it("given another bench, then it runs there; names that are not on it are told with their line", async () => {
    const file = write("short.yaml", short);
    const { out } = await adrift(["run", file, "--bench", "three-boards", "--seed", "1", "--json"]);
    expect(JSON.parse(out).bench).toBe("three-boards");
    const named = write("named.yaml", short.replace("target: leader", "target: pi-5"));
    const { status, err } = await adrift(["run", named, "--bench", "three-boards"]);
    expect(status).toBe(64);
    expect(err).toMatch(/^named\.yaml:5:1: .*pi-5.*\n$/);
  });

  it("given Ctrl-C, then it keeps and judges what is known, and the verdict is unknown", async () => {
    const { status, out } = await adrift(["run", write("short.yaml", short), "--seed", "7"], { interrupted: true });
    expect(status).toBe(2);
    expect(out).toContain("UNKNOWN");
    const record = JSON.parse(readFileSync(join(shell.folder, "runs/latest/run.json"), "utf8"));
    expect(record).toMatchObject({ interrupted: true, seed: 7 });
  });

  it("given --list, then every ready experiment has its line", async () => {
    const { status, out } = await adrift(["run", "--list"]);
    expect(status).toBe(0);
    expect(out).toMatch(/^cut-leader +\S.*\.$/m);
    expect(out.trim().split("\n").length).toBeGreaterThanOrEqual(12);
    const { out: json } = await adrift(["run", "--list", "--json"]);
    expect(JSON.parse(json).experiments).toContainEqual(
      expect.objectContaining({ name: "trunk-split", bench: "two-switches" }),
    );
  });

  it.each([
    ["a misspelt name", ["run", "cut-leadr"], /no ready experiment "cut-leadr".*Did you mean "cut-leader"\?/],
    ["a missing file", ["run", "nowhere/there.yaml"], /^nowhere\/there\.yaml: there is no such file\.\n$/],
    [
      "a misspelt bench",
      ["run", "cut-leader", "--bench", "five-bords"],
      /no ready bench "five-bords".*Did you mean "five-boards"\?/,
    ],
    ["an empty name", ["run", ""], /^The name of the experiment is empty: give a file, or one of /],
    ["an empty bench", ["run", "cut-leader", "--bench", ""], /^The name of the bench is empty/],
    ["an empty history", ["check", ""], /^The name of the history is empty/],
    ["nothing", ["run"], /Which experiment\?.*npx adrift run --list/],
    ["a negative seed", ["run", "cut-leader", "--seed", "-1"], /'-1' is invalid. It must be a whole number from 0/],
    ["a seed that is no number", ["run", "cut-leader", "--seed", "NaN"], /'NaN' is invalid/],
    ["half a seed", ["run", "cut-leader", "--seed", "1.5"], /'1.5' is invalid/],
    ["an unknown option", ["run", "cut-leader", "--sed", "1"], /unknown option '--sed'\n\(Did you mean --seed\?\)/],
  ])("given %s, then it says what may stand there, and the status is 64", async (_, args, message) => {
    const { status, out, err } = await adrift(args);
    expect({ status, out }).toEqual({ status: 64, out: "" });
    expect(err).toMatch(message);
  });

  it("given a file with an error, then it says file, line and column", async () => {
    const { status, err } = await adrift([
      "run",
      write("bad.yaml", "duration: 5s\nfaults:\n  - { fault: cat, target: leader, at: 1s }\n"),
    ]);
    expect(status).toBe(64);
    expect(err).toMatch(/^bad\.yaml:3:\d+: .*cat/);
  });
});

describe("adrift run --bench local", () => {
  it("given a fault that processes cannot have, then it says so before anything starts, with its line", async () => {
    const noise = "{ fault: noise, lossPercent: 1, at: 1s, for: 1s }";
    const file = write("noisy.yaml", `duration: 3s\nfaults:\n  - ${noise}\n`);
    const { status, err } = await adrift(["run", file, "--bench", "local"]);
    expect(status).toBe(64);
    expect(err).toMatch(/^noisy\.yaml:3:1: A local bench cannot do the fault "noise": /);
  });

  it.each([
    ["a misspelt bench", "local:five-bords", /no ready bench "five-bords".*Did you mean "five-boards"\?/],
    ["an empty bench", "local:", /^The name of the bench is empty/],
    ["a kind that there is not", "remote:five-boards", /^There is no kind of bench "remote": write local:BENCH/],
  ])("given %s, then it says what may stand there, and the status is 64", async (_, bench, message) => {
    const { status, err } = await adrift(["run", "cut-leader", "--bench", bench]);
    expect(status).toBe(64);
    expect(err).toMatch(message);
  });
});

describe("adrift replay", () => {
  it("given a run in real time, then it says that no seed brings it back, and what can be done instead", async () => {
    await adrift(["run", write("short.yaml", short), "--seed", "7"]);
    const file = join(shell.folder, "runs/latest/run.json");
    writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(file, "utf8")), kind: "local" }));
    const { status, out, err } = await adrift(["replay", "latest"]);
    expect({ status, out }).toEqual({ status: 64, out: "" });
    expect(err).toMatch(/is a run on a local bench.*adrift check .*history\.jsonl.*--bench local"/);
  });

  it("given a kept run, then it is the same again", async () => {
    await adrift(["run", write("short.yaml", short), "--seed", "7"]);
    const { status, out } = await adrift(["replay", "latest"]);
    expect(status).toBe(0);
    expect(out).toContain("THE SAME");
  });

  it("given a run that was stopped, then it is repeated up to there", async () => {
    await adrift(["run", write("short.yaml", short), "--seed", "7"], { interrupted: true });
    expect((await adrift(["replay", "latest"])).status).toBe(0);
  });

  it("given a history without its last newline, then it says so", async () => {
    await adrift(["run", write("short.yaml", short), "--seed", "7"]);
    const history = join(shell.folder, "runs/latest/history.jsonl");
    writeFileSync(history, readFileSync(history, "utf8").trimEnd());
    const { status, out } = await adrift(["replay", "latest"]);
    expect(status).toBe(1);
    expect(out).toMatch(/ kept .*\} \(and no newline after it\)\n {2}now .*\}\n/);
  });

  it("given a history that was changed, then it shows the first line that differs, and the status is 1", async () => {
    await adrift(["run", write("short.yaml", short), "--seed", "7"]);
    const history = join(shell.folder, "runs/latest/history.jsonl");
    const lines = readFileSync(history, "utf8").split("\n");
    writeFileSync(history, lines.with(4, '{"process":"nobody"}').join("\n"));
    const { status, out } = await adrift(["replay", "runs/latest"]);
    expect(status).toBe(1);
    expect(out).toContain(
      'The first difference is in line 5 of history.jsonl:\n  kept  {"process":"nobody"}\n  now   {"process":"c',
    );
    const { out: json } = await adrift(["replay", "latest", "--json"]);
    expect(JSON.parse(json)).toMatchObject({ same: false, seed: 7, differences: [{ file: "history.jsonl", line: 5 }] });
  });

  it("given a run of another version that comes out differently, then it says that this is why", async () => {
    await adrift(["run", write("short.yaml", short), "--seed", "7"]);
    const file = join(shell.folder, "runs/latest/run.json");
    const record = JSON.parse(readFileSync(file, "utf8"));
    writeFileSync(
      file,
      JSON.stringify({ ...record, fingerprint: "0", versions: { ...record.versions, adrift: "0.0.1" } }),
    );
    const { status, out } = await adrift(["replay", "latest"]);
    expect(status).toBe(1);
    expect(out).toContain("kept by Adrift 0.0.1");
  });

  it.each([
    ["no such folder", "nowhere", "There is no folder "],
    ["a folder that is no run", ".", "is not the folder of a whole run: it holds no run.json"],
  ])("given %s, then it says so, and the status is 64", async (_, run, message) => {
    const { status, err } = await adrift(["replay", run]);
    expect(status).toBe(64);
    expect(err).toContain(message);
  });
});

describe("adrift demo", () => {
  it("tells who led, what was cut, how long clients waited and who took over; then the verdict, then what to try", async () => {
    const { status, out } = await adrift(["demo"], { columns: 80 });
    expect(status).toBe(0);
    const stations = [
      /leads in term 1/,
      /Cable pi-\d is cut. That is where the leader is/,
      /leads in term 2/,
      /Clients are answered again. For 0\.\d\d s nobody was/,
      /is whole again/,
      /has caught up: \d+ entries/,
      /VALID/,
      /Try next/,
    ];
    const places = stations.map((station) => out.replaceAll(/\s+/g, " ").search(station));
    expect(places).not.toContain(-1);
    expect(places).toEqual(places.toSorted((one, other) => one - other));
    expect(out.split("\n").filter((line) => line.length > 80)).toEqual([]);
  });

  it("given another seed, then it tells another run", async () => {
    const tell = async (seed: string) => (await adrift(["demo", "--seed", seed])).out.replace(/^Kept in .*$/m, "");
    expect(await tell("5")).not.toBe(await tell("6"));
  });
});

describe("adrift", () => {
  it("given a misspelt command, then it suggests the right one, and the status is 64", async () => {
    const { status, err } = await adrift(["dmeo"]);
    expect(status).toBe(64);
    expect(err).toContain("Did you mean demo?");
  });

  it("given a fault of our own, then it asks to report it, with all that it takes to see it again; the status is 70", async () => {
    const { status, err } = await adrift(["run", "--list"], { outBreaks: true });
    expect(status).toBe(70);
    expect(err).toMatch(/fault of Adrift's own.*Please report it/);
    expect(err).toContain("  adrift run --list\n");
    expect(err).toContain("Error: something that nobody thought of");
  });

  it("given --help or --version, then the status is 0", async () => {
    expect(await adrift(["--version"])).toMatchObject({ status: 0, out: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) });
    expect((await adrift(["--help"])).status).toBe(0);
  });
});
