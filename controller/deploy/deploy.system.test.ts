import { spawn } from "node:child_process";
import { once } from "node:events";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { type ConnectedClient, connect } from "../../device/mqtt/client.ts";
import { readKeys } from "../../device/mqtt/read-keys.ts";
import { checkHistory } from "../check/index.ts";
import { WorkingClients } from "./history.fixture.ts";
import { quickDeploy, trialSeconds } from "./quick-deploy.fixture.ts";
import { missingForRack, RackOfProcesses } from "./rack-of-processes.fixture.ts";
import { readProgram, signProgram } from "./release.ts";

if (missingForRack.length > 0)
  console.warn(`Updates of boards are not tried: ${missingForRack.join(", ")} is missing.`);
const isLeftOut = missingForRack.length > 0 && process.env["CI"] === undefined;

const controllerProgram = fileURLToPath(new URL("./quick-deploy.fixture.ts", import.meta.url));
const loader = pathToFileURL(createRequire(import.meta.url).resolve("tsx/esm")).href;
const names = ["pi-1", "pi-2", "pi-3"];
const wellWithin = { timeout: 20_000, interval: 100 };

describe.skipIf(isLeftOut)("given three boards that are updated in place, by SSH, under load", () => {
  let rack: RackOfProcesses;
  let clients: WorkingClients;
  const connected: ConnectedClient[] = [];
  /** Who says of itself, or by its will, to be away; and the most that ever were. */
  const away = new Set<string>();
  const leaders = new Map<string, string | null>();
  let awayMax = 0;

  beforeAll(async () => {
    rack = await RackOfProcesses.start();
    for (const name of ["anna", "ben", "eye"]) connected.push(await connectAs(name));
    const eye = connected.at(-1);
    eye?.onStatus(({ from, online, status }) => {
      if (online) away.delete(from);
      else away.add(from);
      if (status !== null) leaders.set(from, status.leader);
      awayMax = Math.max(awayMax, away.size);
    });
    await eye?.write("founded", true);
    await vi.waitFor(() => expect([away.size, leaders.size]).toEqual([0, 3]), wellWithin);
    awayMax = 0;
    clients = new WorkingClients(connected.slice(0, 2));
  });
  afterAll(async () => {
    await Promise.all(connected.map((client) => client.close()));
    await rack?.stop();
  });

  function connectAs(name: string): Promise<ConnectedClient> {
    const { brokers } = rack.access;
    const keys = readKeys(join(rack.folder, "keys"), name);
    return connect({ cluster: rack.bench.cluster, brokers: brokers.map(({ url }) => url), keys, deadlineMs: 10_000 });
  }

  const contents = () => rack.boards.map(({ content }) => content.slice(rack.program.length));
  const deploy = (bundle: string) => quickDeploy({ bench: rack.benchFile, bundle, yes: true, json: true });
  const outcomesOf = ({ out }: { readonly out: string }): readonly { outcome: string; detail: string }[] =>
    JSON.parse(out).boards;

  it("when it is only a rehearsal, then nothing moves, and the leader comes last", async () => {
    const bundle = rack.bundle("next.mjs", (text) => `${text}// next\n`);
    const { status, out } = await quickDeploy({ bench: rack.benchFile, bundle, dryRun: true });
    expect(out).toMatch(
      /^rack: .*\n {2}pi-. *: changes from.*\n {2}pi-.: changes.*\n {2}pi-.: hands over, then changes/,
    );
    expect([status, contents(), rack.boards.map(({ linksTo }) => linksTo)]).toEqual([
      0,
      ["", "", ""],
      [null, null, null],
    ]);
  });

  it("when they change to another program, then all run it, and never two were away at once", async () => {
    const ended = await deploy(join(rack.folder, "next.mjs"));
    expect(outcomesOf(ended)).toEqual(names.map((board) => ({ board, outcome: "updated", detail: "" })));
    expect([ended.status, contents()]).toEqual([0, ["// next\n", "// next\n", "// next\n"]]);
    expect(ended.err).toMatch(/hands over to/);
    expect(awayMax).toBe(1);
  });

  it("when they are to change to what they run, then nothing is done", async () => {
    const ended = await deploy(join(rack.folder, "next.mjs"));
    expect(outcomesOf(ended).map(({ outcome }) => outcome)).toEqual(["already", "already", "already"]);
    expect(ended.err).toBe("");
  });

  const bad: readonly (readonly [string, string, RegExp])[] = [
    ["ends as soon as it starts", "throw new Error('bad')", /ended 3 times/],
    [
      "starts and never joins",
      "await new Promise((resolve) => setTimeout(resolve, 3_600_000))",
      /not join|not confirmed/,
    ],
  ];
  it.each(bad)(
    "when a program %s, then its board comes back with the old one, and the others never had it",
    async (_name, code, why) => {
      const early = `if (!process.argv.includes("--version")) { ${code}; }\n`;
      const ended = await deploy(rack.bundle("bad.mjs", (text) => `${early}${text}`));
      const outcomes = outcomesOf(ended);
      expect(outcomes.map(({ outcome }) => outcome).sort()).toEqual(["left", "left", "undone"]);
      expect(outcomes.find(({ outcome }) => outcome === "undone")?.detail).toMatch(why);
      expect([ended.status, contents()]).toEqual([1, ["// next\n", "// next\n", "// next\n"]]);
      expect(awayMax).toBe(1);
      await vi.waitFor(() => expect(away.size).toBe(0), wellWithin);
    },
  );

  it("when a file is no board's program, then no board is asked", async () => {
    const { status, out } = await deploy(rack.bundle("text.mjs", () => "hello\n"));
    expect([status, JSON.parse(out).error]).toEqual([1, expect.stringContaining("is no board's program")]);
  });

  it("when somebody sends what the controller has not signed, then the board says so", async () => {
    const program = await readProgram(rack.bundle("evil.mjs", (text) => `${text}// evil\n`));
    const keys = readKeys(join(rack.folder, "keys"), "anna");
    const release = signProgram(program, rack.bench.cluster, keys);
    await expect(rack.updater("pi-1").put(program.sha256, release)).rejects.toThrow(/pi-1 .*signed by "anna", not by/);
  });

  it("when the controller is killed in the middle, then the old program comes back, and nobody else begins at once", async () => {
    const bundle = rack.bundle("later.mjs", (text) => `${text}// later\n`);
    const controller = spawn(process.execPath, ["--import", loader, controllerProgram, rack.benchFile, bundle], {
      stdio: ["ignore", "pipe", "ignore"],
      env: process.env,
    });
    const gone = once(controller, "exit");
    await vi.waitFor(() => expect(contents()).toContain("// later\n"), { timeout: 30_000, interval: 10 });
    controller.kill("SIGKILL");
    await gone;
    const second = await deploy(bundle);
    expect(second.status).toBe(1);
    expect(outcomesOf(second)[0]?.detail).toMatch(/another controller/);
    const isOld = () => expect(contents()).toEqual(["// next\n", "// next\n", "// next\n"]);
    await vi.waitFor(isOld, { timeout: trialSeconds * 1_000 + 10_000, interval: 100 });
    await vi.waitFor(() => expect(away.size).toBe(0), wellWithin);
    expect(awayMax).toBe(1);
  });

  it("then all the while no client was lied to, and each got its answer", async () => {
    const events = await clients.end();
    const { verdict, reason, statistics } = checkHistory(events);
    console.log(`operations: ${statistics.ok} ok, ${statistics.fail} failed, ${statistics.info} unknown`);
    expect([verdict, statistics.info], reason).toEqual(["valid", 0]);
    expect(statistics.ok).toBeGreaterThan(1_000);
  });
});
