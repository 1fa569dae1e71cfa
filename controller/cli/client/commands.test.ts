import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startStandIns } from "../../client/stand-in.fixture.ts";
import { createTestShell, type TestShell } from "../shell.fixture.ts";

let shell: TestShell;
let bench: Awaited<ReturnType<typeof startStandIns>>;

beforeAll(async () => {
  shell = createTestShell();
  bench = await startStandIns(["pi-1", "pi-2", "pi-3"]);
  tellWhereItRuns(process.pid);
});

afterAll(async () => {
  await bench?.close();
  shell?.remove();
});

/** Leaves what `adrift up` leaves for the commands that come after it. */
function tellWhereItRuns(pid: number): void {
  const [url = ""] = bench.urls;
  mkdirSync(join(shell.folder, ".adrift"), { recursive: true });
  writeFileSync(
    join(shell.folder, ".adrift", "up.json"),
    JSON.stringify({
      format: 1,
      pid,
      bench: "bench",
      cluster: bench.cluster,
      brokers: [{ name: "broker", url }],
      keys: null,
      control: "/nowhere",
    }),
  );
}

async function adrift(commandLine: string, ...more: readonly string[]): Promise<string> {
  const { status, out, err } = await shell.adrift([...commandLine.split(" "), ...more]);
  return `${status} ${out}${err}`.trimEnd();
}

describe("operations at the prompt", () => {
  it("given a cluster that runs in this folder, when keys are written, changed and read, then each answer is printed", async () => {
    expect(await adrift("get x")).toBe("0 null");
    expect(await adrift("put x 5")).toBe("0 ok");
    expect(await adrift("add x -7")).toBe("0 -2");
    expect(await adrift("get x")).toBe("0 -2");
    expect(await adrift("delete x")).toBe("0 true");
    expect(await adrift("delete x")).toBe("0 false");
    expect(await adrift("append x", "a text")).toBe("0 ok");
    expect(await adrift("get x --stale")).toBe("0 a text");
    expect(await adrift("get x --lease --json")).toBe('0 {"op":"read","key":"x","type":"ok","result":"a text"}');
  });

  it("given values that are JSON and others that are not, when they are put, then the others are text", async () => {
    await adrift("put v", '{"a":[1,null]}');
    expect(await adrift("get v")).toBe('0 {"a":[1,null]}');
    await adrift("put v", "{not json");
    expect(await adrift("get v")).toBe("0 {not json");
    await adrift("put v 12 --text");
    expect(await adrift("get v --json")).toContain('"result":"12"');
  });

  it("given a rack's bench, when it is named, then its brokers are found by their addresses", async () => {
    const [url = ""] = bench.urls;
    const text = (address: string) => `cluster: ${bench.cluster}\nboards: 3\nbrokers: [{ name: broker${address} }]\n`;
    writeFileSync(join(shell.folder, "rack.yaml"), text(`, address: "${url.replace("mqtt://", "")}"`));
    writeFileSync(join(shell.folder, "nowhere.yaml"), text(""));
    await adrift("put r here");

    expect(await adrift("get r --bench rack.yaml")).toBe("0 here");
    expect(await adrift("get r --bench nowhere.yaml")).toMatch(/^1 Where is the broker broker of nowhere\? Write its/);
    expect(await adrift(`get r --bench rack.yaml --broker ${url}`)).toMatch(/^64 .*leave out --broker/);
  });

  it("given a cas, when it does not swap, then it says so, and a script can tell", async () => {
    expect(await adrift("cas c null 1")).toBe("0 true");
    expect(await adrift("cas c null 2")).toBe("1 false");
    expect(await adrift("get c")).toBe("0 1");
  });

  it("given what the cluster refuses, when it is asked for, then it surely had no effect", async () => {
    await adrift("put t text");
    expect(await adrift("add t 1")).toMatch(/^1 add t had no effect: .*number/);
    expect(await adrift("add t 1 --json")).toMatch(/^1 \{"op":"add","key":"t","type":"fail","error":".*"\}$/);
    expect(await adrift("add t lots")).toMatch(/^64 "lots" is no number/);
  });

  it.each([
    [["put", "n", "12345678901234567890"], /^64 .* beyond 9007199254740991, .* 12345678901234567000: .*--text/],
    [["put", "n", '{"a":[9007199254740993]}'], /^64 .* beyond 9007199254740991, .* as 9007199254740992/],
    [["put", "n", "1e999"], /^64 .*Infinity/],
    [["cas", "n", "9007199254740993", "1"], /^64 9007199254740993 holds/],
    [["cas", "n", "null", "-9007199254740993"], /^64 -9007199254740993 holds/],
    [["add", "n", "9007199254740993"], /^64 9007199254740993 is beyond 9007199254740991/],
    [["put", "n", "\ufffd"], /^64 .*not UTF-8/],
    [["append", "n", "a\ufffd"], /^64 .*not UTF-8/],
    [["get", "\ufffd"], /^64 .*not UTF-8/],
  ])(
    "given what would not be kept as it was typed, when `adrift %j` is called, then it is refused",
    async (args, complaint) => {
      const { status, out, err } = await shell.adrift(args);
      expect(`${status} ${out}${err}`).toMatch(complaint);
      expect(await adrift("get n")).toBe("0 null");
    },
  );

  it("given what can be kept as it was typed, when it is put, then it is", async () => {
    await adrift("put m 9007199254740991");
    expect(await adrift("get m")).toBe("0 9007199254740991");
    await adrift("put m 12345678901234567890 --text");
    expect(await adrift("get m")).toBe("0 12345678901234567890");
    await adrift("put m", '"\\ufffd"');
    expect(await adrift("get m")).toBe("0 \ufffd");
  });

  it("given answers that get lost, when the time is up, then of a change nothing is known, and a read had no effect", async () => {
    await adrift("put d 1");
    const [leader] = bench.boards;
    if (leader === undefined) throw new Error("There should be a leader.");
    leader.answersOnly = ["register"];
    expect(await adrift("get d --timeout 300ms")).toMatch(/^1 read d had no effect: No board answered within 300 ms/);
    expect(await adrift("put d 2 --timeout 300ms")).toMatch(/^2 write d may have taken effect, or may yet: .*Read d/);
    expect(await adrift("put d 2 --timeout 300ms --json")).toMatch(/^2 .*"type":"info"/);
    leader.answersOnly = [];
    expect(await adrift("put d 3 --timeout 300ms")).toMatch(/^1 write d had no effect: Never sent/);
    leader.answersOnly = null;
    expect(await adrift("get d")).toBe("0 2");
  });

  it("given nothing that runs, when a cluster is asked, then the command says how to start one", async () => {
    tellWhereItRuns(2 ** 22 + 1);
    expect(await adrift("get x")).toBe(
      "64 No cluster runs in this folder. Start one with npx adrift up, or name brokers with --broker.",
    );
    rmSync(join(shell.folder, ".adrift"), { recursive: true });
    expect(await adrift("status")).toMatch(/^64 No cluster runs/);
    tellWhereItRuns(process.pid);
  });

  it.each([
    ["get x --broker mqtt://127.0.0.1:1", /^64 Name the cluster too/],
    ["get x --broker somewhere --cluster bench", /^64 .*mqtt:\/\/HOST:PORT/],
    ["get x --broker mqtt://127.0.0.1:1 --cluster bench --timeout 200ms", /^1 No broker of bench .*ECONNREFUSED/],
    ["watch --broker mqtt://127.0.0.1:1 --cluster bench --timeout 200ms", /^1 No broker of bench .*ECONNREFUSED/],
    ["status --broker mqtt://127.0.0.1:1 --cluster bench --timeout 200ms", /^1 No broker of bench .*ECONNREFUSED/],
    ["get x --cluster other", /^64 Here runs bench, not other/],
    ["get x --as me", /^64 --as says whose keys/],
    ["get x --keys nowhere", /^64 .*nowhere.*missing/],
    ["get x --lease --stale", /^64 .*'--lease' cannot be used with .*'--stale'/],
    ["get x --timeout soon", /^64 .*500ms or 5s/],
  ])("given `adrift %s`, when it is called, then it says what is wrong", async (commandLine, complaint) => {
    expect(await adrift(commandLine)).toMatch(complaint);
  });
});

describe("what the boards say", () => {
  it("given three boards, when they are asked, then a table shows each, and who leads", async () => {
    const { status, out } = await shell.adrift(["status"]);
    expect(status).toBe(0);
    const rows = out
      .trimEnd()
      .split("\n")
      .map((line) => line.trim().split(/ {2,}/));
    expect(rows[0]).toEqual(["BOARD", "ROLE", "TERM", "COMMIT", "LEADER", "LAST SEEN", "CARRIER", "BROKER"]);
    expect(rows.slice(1)).toMatchObject([
      ["pi-1", "leader", "1", expect.anything(), "pi-1", "now", "-", "broker"],
      ["pi-2", "follower", expect.anything(), expect.anything(), "-", "now", "-", "broker"],
      ["pi-3", "follower", expect.anything(), expect.anything(), "-", "now", "-", "broker"],
    ]);
  });

  it("given a board that hears nothing, when all are asked, then it is shown as silent; with nobody who leads, the command fails", async () => {
    const [leader] = bench.boards;
    leader?.die();
    const { status, out, err } = await shell.adrift(["status", "--json"]);
    expect(status).toBe(1);
    expect(err).toBe("");
    const boards = (JSON.parse(out) as { boards: { board: string; presence: string }[] }).boards;
    expect(boards.map(({ board, presence }) => `${board} ${presence}`)).toEqual([
      "pi-1 silent",
      "pi-2 online",
      "pi-3 online",
    ]);
    bench.boards[1]?.lead();
    if (leader !== undefined) leader.isDeaf = false;
    leader?.follow();
  });

  it("given a watch, when somebody presses Ctrl-C, then it ends as done", async () => {
    expect(await shell.adrift(["watch"], { interrupted: true })).toMatchObject({ status: 0, err: "" });
  });
});
