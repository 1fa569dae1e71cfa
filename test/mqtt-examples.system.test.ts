import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { freePort } from "../device/mqtt/free-port.fixture.ts";
import { type Block, blocksOf, makeFolder, readDocument, root } from "./documents.ts";

const hasClients = spawnSync("mosquitto_pub", ["--help"]).error === undefined;
const isSkipped = !hasClients && process.env["CI"] === undefined;

/** The document as it stands: pi-1 leads, and the first session has the number 2. */
const blocks = blocksOf(readDocument("docs/reference/mqtt.md"));
const writtenLeader = "pi-1";
const writtenSession = 2;

const startedWithinMs = 60_000;
const endedWithinMs = 10_000;
/** As the document says: what is not answered is asked again. */
const tries = 10;
const answeredWithinMs = 2_000;

describe.skipIf(isSkipped)("given a reader of docs/reference/mqtt.md, with Debian's mosquitto-clients", () => {
  const folder = makeFolder();
  const children: ChildProcess[] = [];
  /** What the reader's terminals show, line by line. */
  const shown: string[] = [];
  let port = 0;
  let leader = writtenLeader;
  let session = writtenSession;

  beforeAll(async () => {
    port = await freePort();
    const args = [join(root, "bin/adrift.mjs"), "up", "--port", String(port)];
    const up = spawn(process.execPath, args, { cwd: folder, stdio: ["ignore", "ignore", "inherit"] });
    children.push(up);
    const leads = /board\/([\w-]+)\/status .*"role":"leader"/;
    const found = await waitFor(startedWithinMs, () => {
      const { stdout } = spawnSync("mosquitto_sub", clientArgs("-v", "-W", "1", "-t", "adrift/+/board/+/status"), {
        encoding: "utf8",
      });
      return leads.exec(stdout)?.[1] ?? null;
    });
    if (found === null) throw new Error(`No board leads after ${startedWithinMs} ms. Does "adrift up" still run?`);
    leader = found;
  }, 2 * startedWithinMs);

  afterAll(async () => {
    for (const child of children.reverse()) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      const ended = once(child, "exit");
      child.kill("SIGINT");
      const killer = setTimeout(() => child.kill("SIGKILL"), endedWithinMs);
      await ended;
      clearTimeout(killer);
    }
    rmSync(folder, { recursive: true, force: true });
  });

  for (const [place, block] of blocks.entries()) {
    if (block.language !== "sh") continue;
    const next = blocks[place + 1];
    const answer = next?.language === "text" ? linesOf(next) : [];
    // Two terminals may show what follows from one command.
    const after = blocks[place + 2];
    const more = answer.length > 0 && after?.language === "text" ? linesOf(after) : [];
    for (const command of linesOf(block)) {
      if (block.notes.includes("watch")) test(`${command} shows what it says`, () => watch(command, answer));
      else test(`${command} is answered`, () => ask(command, [...answer, ...more]));
    }
  }

  test("every command of the document is one of these", () => {
    const commands = blocks.filter(({ language }) => language === "sh").flatMap(linesOf);
    expect(commands.filter((command) => !/^mosquitto_(?:pub|sub) /.test(command))).toEqual([]);
    expect(commands.length).toBeGreaterThan(10);
  });

  async function watch(command: string, expected: readonly string[]): Promise<void> {
    const child = spawn("sh", ["-c", `exec ${asHere(command)}`], { stdio: ["ignore", "pipe", "inherit"] });
    children.push(child);
    let rest = "";
    child.stdout.on("data", (data: Buffer) => {
      const lines = (rest + data.toString()).split("\n");
      rest = lines.pop() ?? "";
      shown.push(...lines);
    });
    await waitForLines(0, expected, startedWithinMs);
    expect(missing(0, expected)).toEqual([]);
  }

  async function ask(command: string, expected: readonly string[]): Promise<void> {
    const from = shown.length;
    for (let attempt = 0; attempt < tries && missing(from, expected).length > 0; attempt += 1) {
      expect(spawnSync("sh", ["-c", asHere(command)], { encoding: "utf8" })).toMatchObject({ status: 0, stderr: "" });
      await waitForLines(from, expected, answeredWithinMs);
    }
    expect(missing(from, expected)).toEqual([]);
    if (command.includes('"register"')) session = sessionIn(shown.slice(from)) ?? session;
  }

  async function waitForLines(from: number, expected: readonly string[], deadlineMs: number): Promise<void> {
    await waitFor(deadlineMs, () => (missing(from, expected).length === 0 ? true : null));
  }

  /** The lines that the document shows and no terminal did. */
  function missing(from: number, expected: readonly string[]): readonly string[] {
    const real = shown.slice(from).map(readLine);
    return expected.map(asHere).filter((line) => !real.some((other) => isLike(readLine(line), other)));
  }

  /** A text of the document as it must read on this bench. */
  function asHere(text: string): string {
    // The leader changes places with pi-1, but for lists of voters, which are sorted.
    const hereFor = new Map([
      [leader, writtenLeader],
      [writtenLeader, leader],
    ]);
    return text
      .replace(/^mosquitto_(pub|sub)/, (client) => `${client} ${clientArgs().join(" ")}`)
      .replaceAll(`"session":${writtenSession},`, `"session":${session},`)
      .replaceAll(/"voters":\[[^\]]*\]|\bpi-\d\b/g, (found) => hereFor.get(found) ?? found);
  }

  function clientArgs(...args: readonly string[]): string[] {
    return ["-h", "127.0.0.1", "-p", String(port), ...args];
  }
});

type Line = { readonly topic: string; readonly content: unknown };

/** `topic payload`, or a further line of a payload. */
function readLine(text: string): Line {
  const [, topic = "", payload = ""] = /^(?:(adrift\/\S+) )?(.*)$/.exec(text) ?? [];
  try {
    return { topic, content: JSON.parse(payload) };
  } catch {
    return { topic, content: payload };
  }
}

/** Texts in these fields, and numbers in all but these, differ from run to run. */
const varyingTexts: ReadonlySet<string> = new Set(["crc", "version"]);
const fixedNumbers: ReadonlySet<string> = new Set(["v", "request"]);

/** Whether a real line is what the document shows, but for what differs from run to run. */
function isLike(written: unknown, real: unknown, field = ""): boolean {
  if (typeof written !== typeof real && field !== "carrier") return false;
  if (typeof written === "number") return !fixedNumbers.has(field) || written === real;
  if (typeof written === "string") return varyingTexts.has(field) || written === real;
  if (typeof written === "object" && written !== null) {
    if (typeof real !== "object" || real === null) return false;
    const names = Object.keys(written);
    if (names.join() !== Object.keys(real).join()) return false;
    return names.every((name) => isLike(Reflect.get(written, name), Reflect.get(real, name), name));
  }
  return field === "carrier" || written === real;
}

function sessionIn(lines: readonly string[]): number | null {
  for (const line of lines) {
    const value = /"replies":\[\{"request":\d+,"outcome":\{"kind":"ok","value":(\d+)\}/.exec(line)?.[1];
    if (value !== undefined) return Number(value);
  }
  return null;
}

function linesOf({ text }: Block): readonly string[] {
  return text.split("\n").filter((line) => line !== "");
}

/** Looks again and again until there is something, or nothing after so long. */
async function waitFor<Found>(deadlineMs: number, look: () => Found | null): Promise<Found | null> {
  const endMs = Date.now() + deadlineMs;
  for (;;) {
    const found = look();
    if (found !== null || Date.now() > endMs) return found;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
