import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { patterns, signalOf } from "./led-patterns.ts";
import { Lights } from "./lights.ts";
import { PatternPlayer } from "./pattern-player.ts";

let root = "";
let failures: string[] = [];

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "adrift-lights-"));
  failures = [];
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

describe("what a board's lights show", () => {
  const whole = { carrier: true, brokersReached: 1 };
  test.each([
    ["a leader", { role: "leader", ...whole }, "leader"],
    ["a leader where nobody can tell of cables", { role: "leader", carrier: null, brokersReached: 1 }, "leader"],
    ["a leader without cable, though its own broker is there", { ...whole, role: "leader", carrier: false }, "cutOff"],
    ["a follower that reaches no broker", { role: "follower", carrier: true, brokersReached: 0 }, "cutOff"],
    ["a follower", { role: "follower", ...whole }, "follower"],
    ["one that asks whether it may stand", { role: "preCandidate", ...whole }, "candidate"],
    ["one that asks to be taken in", { role: "joining", ...whole }, "candidate"],
    ["one that stopped, cut off or not", { role: "stopped", carrier: false, brokersReached: 0 }, "broken"],
    ["one that reads its log", { role: "opening", ...whole }, null],
  ] as const)("of %s", (_, standing, signal) => {
    expect(signalOf(standing)).toBe(signal);
  });

  test("then each signal looks unlike all others", () => {
    expect(new Set(Object.values(patterns).map((pattern) => pattern.join(" "))).size).toBe(6);
  });
});

describe("a pattern that is played", () => {
  /** What the light did, with the time of each. */
  function played(pattern: readonly number[], forMs: number): string {
    let nowMs = 0;
    const waiting: { readonly atMs: number; readonly callback: () => void }[] = [];
    const done: string[] = [];
    const player = new PatternPlayer(
      (lit) => void done.push(`${nowMs}${lit ? "+" : "-"}`),
      (afterMs, callback) => {
        waiting.push({ atMs: nowMs + afterMs, callback });
        return () => undefined;
      },
    );
    player.play(pattern);
    for (;;) {
      const next = waiting.shift();
      if (next === undefined || next.atMs > forMs) return done.join(" ");
      nowMs = next.atMs;
      next.callback();
    }
  }

  test("then a leader's light is lit once, and a cut-off board's flashes twice and pauses", () => {
    expect(played(patterns.leader, 9_000)).toBe("0+");
    expect(played(patterns.cutOff, 1_500)).toBe("0+ 150- 300+ 450- 1500+");
  });

  test("then a broken board's says SOS", () => {
    const lengths = Array.from(played(patterns.broken, 5_000).matchAll(/(\d+)\+ (\d+)-/g), ([, from, to]) => {
      return Number(to) - Number(from) > 200 ? "-" : ".";
    });
    expect(lengths.slice(0, 9).join("")).toBe("...---...");
  });
});

describe("given two LEDs, one for leaders alone", () => {
  const leds = [
    { name: "ACT", shows: null },
    { name: "green", shows: "leader" as const },
  ];
  let lights: Lights;
  beforeEach(async () => {
    provide("ACT", "none [mmc0] timer", "255");
    provide("green", "[none]", "1");
    lights = await open();
  });
  afterEach(() => lights.close());
  const open = () => Lights.open({ leds, root, failed: (reason) => void failures.push(reason), later: () => () => {} });

  test("when the board leads and then follows, then both say so, and at the end they have what they had before", async () => {
    expect(read("ACT", "trigger")).toBe("none");
    lights.show("leader");
    await vi.waitFor(() => expect([read("ACT", "brightness"), read("green", "brightness")]).toEqual(["255", "1"]), {
      timeout: 8_000,
    });
    lights.show("follower");
    await vi.waitFor(() => expect([read("ACT", "brightness"), read("green", "brightness")]).toEqual(["255", "0"]), {
      timeout: 8_000,
    });
    await lights.close();
    expect([read("ACT", "trigger"), read("green", "trigger")]).toEqual(["mmc0", "none"]);
    expect(read("ACT", "brightness")).toBe("0");
    expect(failures).toEqual([]);
  });

  test("when it is to blink, then all blink, and it goes on with what it shows by then", async () => {
    lights.show("follower");
    expect(lights.identify(300)).toBe(true);
    await vi.waitFor(() => expect(read("green", "brightness")).toBe("1"), { timeout: 8_000 });
    lights.show("cutOff");
    expect(read("green", "brightness")).toBe("1");
    await vi.waitFor(() => expect(read("green", "brightness")).toBe("0"), { timeout: 8_000 });
  });

  test("when it cannot go on, then the kernel plays SOS without it, and the next start does not take that for what was before", async () => {
    lights.leaveBroken();
    expect(read("ACT", "trigger")).toBe("pattern");
    expect(read("ACT", "pattern")).toMatch(/^255 150 255 0 0 150 0 0 /);
    provide("ACT", "none mmc0 [pattern]", "255");
    const next = await open();
    next.show("leader");
    await next.close();
    expect(read("ACT", "trigger")).toBe("none");
  });

  test("when an LED goes away, then it is told once, and nothing else happens", async () => {
    rmSync(join(root, "ACT"), { recursive: true });
    lights.show("leader");
    await vi.waitFor(() => expect(failures).toHaveLength(1), { timeout: 8_000 });
    lights.show("follower");
    await lights.close();
    expect(failures).toEqual([expect.stringMatching(/ACT cannot be switched: .*ENOENT.*goes on without it/)]);
  });
});

test("given an LED that is not there, then it says which there are, and there is nothing to blink", async () => {
  provide("led0", "[mmc0]", "255");
  const failed = (reason: string) => void failures.push(reason);
  const lights = await Lights.open({ leds: [{ name: "ACT", shows: null }], root, failed });
  expect(failures).toEqual([expect.stringMatching(/no LED ACT .* There are led0\.$/)]);
  lights.show("leader");
  expect(lights.identify(10)).toBe(false);
  await lights.close();
});

function provide(name: string, trigger: string, brightest: string): void {
  mkdirSync(join(root, name), { recursive: true });
  for (const [file, text] of Object.entries({ trigger, max_brightness: brightest, brightness: "0" })) {
    writeFileSync(join(root, name, file), `${text}\n`);
  }
}

function read(name: string, file: string): string {
  return readFileSync(join(root, name, file), "latin1").trim();
}
