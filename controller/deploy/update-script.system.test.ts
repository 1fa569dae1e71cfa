import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { readKeys } from "../../device/mqtt/read-keys.ts";
import { fillKeyFolder } from "../keys/key-folder.ts";
import { type Release, signProgram } from "./release.ts";
import { BoardFolders, sha256Of } from "./update-script.fixture.ts";

const missing = ["dash", "flock", "setsid"].filter(
  (program) => spawnSync("sh", ["-c", `command -v ${program}`]).status !== 0,
);
if (missing.length > 0) console.warn(`The board's update script is not tried: ${missing.join(", ")} is missing.`);
const isLeftOut = missing.length > 0 && process.env["CI"] === undefined;

const base = mkdtempSync(join(tmpdir(), "adrift-update-"));
afterAll(() => rmSync(base, { recursive: true, force: true }));

const [token, otherToken] = ["a".repeat(32), "b".repeat(32)];
const [oldText, newText] = ["old\n", "new\n"];
const [oldSha256, newSha256] = [sha256Of(oldText), sha256Of(newText)];
const keys = join(base, "keys");

let board: BoardFolders;
beforeAll(async () => {
  await fillKeys(keys);
});
beforeEach(() => {
  board = newBoard();
});

function newBoard(): BoardFolders {
  const root = mkdtempSync(join(base, "board-"));
  const made = new BoardFolders(root, { keys, board: "pi-1", program: oldText });
  writeFileSync(made.configuration, "board: pi-1\ncluster: rack\n");
  return made;
}

async function fillKeys(folder: string): Promise<void> {
  const subjects = ["controller", "pi-1"].map((name) => ({ name, servesAt: null }));
  await fillKeyFolder(folder, { authorityName: "a test", subjects, days: 10, now: new Date() });
}

describe.skipIf(isLeftOut)("given a release that is sent to a board", () => {
  const program = { content: Buffer.from(newText), sha256: newSha256, version: "1.2.3" };
  const put = (release: Release | string) =>
    board.run(["put", newSha256], typeof release === "string" ? release : JSON.stringify(release));
  const releases = () => readdirSync(join(board.root, "opt/adrift/releases"));

  it("when the controller has signed it, then the board keeps it, and changes nothing else", () => {
    const release = signProgram(program, "rack", readKeys(keys, "controller"));
    expect(put(release)).toMatchObject({ status: 0, stderr: "" });
    expect(put(release)).toMatchObject({ status: 0, stderr: "" });
    expect([releases(), board.content]).toEqual([[newSha256], oldText]);
  });

  it("when it was tampered with, is for another cluster, or is cut off, then it is refused, and nothing is left of it", () => {
    const release = signProgram(program, "rack", readKeys(keys, "controller"));
    const evil = Buffer.from("evil\n").toString("base64");
    const statement = release.statement.replace(newSha256, sha256Of("evil\n"));
    const wrongs: readonly (readonly [Release | string, string])[] = [
      [{ ...release, program: evil }, "not the one that was signed"],
      [{ ...release, statement, program: evil }, "the signature does not fit"],
      [signProgram(program, "other", readKeys(keys, "controller")), "for the cluster other, not for rack"],
      [JSON.stringify(release).slice(0, -5), "JSON"],
      ["", "JSON"],
    ];
    for (const [wrong, why] of wrongs) {
      const { status, stderr } = put(wrong);
      expect([status, stderr]).toEqual([1, expect.stringContaining(why)]);
    }
    expect(releases()).toEqual([]);
  });

  it("when a stranger has signed it, or only a board, then it is refused", async () => {
    const strange = join(base, "strange");
    await fillKeys(strange);
    expect(put(signProgram(program, "rack", readKeys(strange, "controller"))).stderr).toContain("does not certify");
    expect(put(signProgram(program, "rack", readKeys(keys, "pi-1"))).stderr).toContain('by "pi-1", not by');
    expect(releases()).toEqual([]);
  });
});

describe.skipIf(isLeftOut)("given a board that has a new release", () => {
  beforeEach(() => {
    board.addRelease(newText);
    expect(board.run(["claim", token, "60"])).toMatchObject({ status: 0, stderr: "" });
  });
  const begin = (seconds = "60") => board.run(["switch", newSha256, token, seconds]);
  const last = () => readFileSync(join(board.root, "opt/adrift/update/last"), "utf8");

  it("when it changes, starts and is confirmed, then it stays, and one release to go back to is kept", () => {
    board.addRelease("older\n");
    expect(begin()).toMatchObject({ status: 0, stderr: "" });
    expect([board.content, board.linksTo]).toEqual([newText, `releases/${newSha256}/board.mjs`]);
    expect(board.run(["confirm", newSha256, token])).toMatchObject({ status: 3 });
    board.run(["starting"]);
    expect(board.run(["confirm", newSha256, token])).toMatchObject({ status: 0, stderr: "" });
    expect(board.run(["confirm", newSha256, token])).toMatchObject({ status: 0, stderr: "" });
    for (let start = 0; start < 5; start += 1) board.run(["starting"]);
    expect([board.content, last()]).toEqual([newText, `confirmed ${newSha256}\n`]);
    expect(readdirSync(join(board.root, "opt/adrift/releases")).sort()).toEqual([newSha256, oldSha256].sort());
  });

  it("when the program ends three times, then the fourth start is the old program's", () => {
    begin();
    for (const content of [newText, newText, newText, oldText]) {
      expect(board.run(["starting"])).toMatchObject({ status: 0, stderr: "" });
      expect(board.content).toBe(content);
    }
    expect(last()).toBe(`undone ${newSha256} it ended 3 times\n`);
    expect(board.run(["confirm", newSha256, token]).stderr).toContain("not on trial any more");
  });

  it("when its time runs out, then the old program comes back", () => {
    begin("1");
    expect(board.run(["watch"])).toMatchObject({ status: 0, stderr: "" });
    expect([board.content, last()]).toEqual([oldText, `undone ${newSha256} it was not confirmed within 1 s\n`]);
  });

  it("when the controller takes it back, then the old program comes back at once", () => {
    begin();
    expect(board.run(["revert", newSha256, token])).toMatchObject({ status: 0, stderr: "" });
    expect(board.content).toBe(oldText);
  });

  it("when another controller comes, then it is refused as long as the first one is at work, and a trial is its own", () => {
    expect(board.run(["claim", otherToken, "60"]).stderr).toContain("another controller is at work here");
    expect(board.run(["switch", newSha256, otherToken, "60"]).status).toBe(3);
    begin();
    board.run(["unclaim", token]);
    expect(board.run(["claim", otherToken, "60"]).stderr).toContain("on trial here");
    expect(board.run(["revert", newSha256, otherToken])).toMatchObject({ status: 0 });
    expect(board.content).toBe(newText);
  });

  it("when the release was damaged on the card, or systemd does not answer, then nothing changes", () => {
    board.writeProgram("run/systemctl", "#!/bin/sh\nexit 1\n");
    expect(begin().stderr).toContain("does not start adrift-update-trial.service");
    writeFileSync(join(board.root, "opt/adrift/releases", newSha256, "board.mjs"), "nwe\n");
    expect(begin().stderr).toContain("not whole");
    expect([board.content, existsSync(join(board.root, "opt/adrift/update/trial"))]).toEqual([oldText, false]);
  });

  it("when arguments are not what they must be, then nothing is done with them", () => {
    for (const args of [["put", "../../etc"], ["switch", newSha256, token], ["claim", `${token}\n`, "9"], ["rm"], []]) {
      expect(board.run(args).status).toBe(64);
    }
  });
});

describe.skipIf(isLeftOut)("given a board whose power is cut while its program changes", () => {
  /** The script's steps that change something, each of which the power may prevent, with all that follows. */
  const steps = ["cat", "install", "ln", "mkdir", "mv", "rm", "sync"];

  it("when it was before any step, then it starts with a whole program, and ends with the old one unless it was confirmed", () => {
    const outcomes = [cutOff("switch"), cutOff("confirm"), cutOff("revert")];
    console.log(`power cuts tried: ${outcomes.map((each) => each.length).join(" + ")}`);
    const [switched = [], confirmed = [], reverted = []] = outcomes;
    expect(new Set(switched)).toEqual(new Set([`${oldText}${oldText}`, `${newText}${oldText}`]));
    expect(confirmed.at(-1)).toBe(`${newText}${newText}`);
    expect(new Set(confirmed)).toEqual(new Set([`${newText}${oldText}`, `${newText}${newText}`]));
    expect(new Set(reverted)).toEqual(new Set([`${newText}${oldText}`, `${oldText}${oldText}`]));
  });

  /** For each step before which the power may go: what starts then, and what runs in the end. */
  function cutOff(verb: "switch" | "confirm" | "revert"): readonly string[] {
    const seen: string[] = [];
    for (let step = 1; ; step += 1) {
      const cut = newBoard();
      cut.addRelease(newText);
      cut.run(["claim", token, "60"]);
      if (verb !== "switch") {
        cut.run(["switch", newSha256, token, "0"]);
        cut.run(["starting"]);
      }
      const { signal } = cut.run([verb, newSha256, token, ...(verb === "switch" ? ["0"] : [])], "", dyingAt(cut, step));
      cut.run(["starting"]);
      const atStart = cut.content;
      if (existsSync(join(cut.root, "opt/adrift/update/trial"))) cut.run(["watch"]);
      seen.push(atStart + cut.content);
      rmSync(cut.root, { recursive: true });
      if (signal === null) return seen;
    }
  }

  /** The script, with programs before all others that kill it, and all that it has started, at a step. */
  function dyingAt(cut: BoardFolders, step: number): string {
    const folder = join(cut.root, "shims");
    mkdirSync(folder);
    for (const name of steps) {
      const count = `echo >>${folder}/.steps; [ "$(wc -l <${folder}/.steps)" -ne ${step} ] || kill -KILL 0`;
      cut.writeProgram(`shims/${name}`, `#!/bin/sh\n${count}\nPATH=/usr/bin:/bin exec ${name} "$@"\n`);
    }
    const text = readFileSync(cut.script, "utf8").replace("export PATH=", `export PATH=${folder}:`);
    const path = join(cut.root, "usr/local/lib/adrift/dying.sh");
    writeFileSync(path, text);
    return path;
  }
});

it("given the script, then no shell of a board stumbles over it", () => {
  const script = fileURLToPath(new URL("../../hardware/image/adrift-update.sh", import.meta.url));
  expect(spawnSync("sh", ["-n", script]).status).toBe(0);
});
