import { expect, test, vi } from "vitest";
import { type Cable, parseBench } from "../../hardware/bench.ts";
import { type CircuitState, CutterFailure } from "./cutter.ts";
import { openHandCutter } from "./hand.ts";
import { nobody } from "./person.ts";
import type { CutterSurroundings, Person } from "./surroundings.ts";

const bench = parseBench("name: rack\nboards: 2\ncutter: hand\n", "rack.yaml");
const cable = bench.cables.find(({ name }) => name === "pi-1") ?? fail();

test("given a person, when a cable is cut and healed, then each is asked for with both ends, once", async () => {
  const ask = vi.fn(() => Promise.resolve(true));
  const cutter = await open({ ask });
  await cutter.cut(cable, "both", 1_000);
  await cutter.cut(cable, "both", 1_000);
  expect(await cutter.read(cable)).toBe("both");
  await cutter.heal(cable);
  expect(await cutter.read(cable)).toBe("whole");
  expect(ask.mock.calls.map(([question]: readonly unknown[]) => question)).toEqual([
    "Pull the cable pi-1 (pi-1:eth0 to switch:1), then press Enter.",
    "Plug the cable pi-1 (pi-1:eth0 to switch:1) in again, then press Enter.",
  ]);
});

test("given others who see that it was pulled, then nobody has to press a key", async () => {
  let seen: CircuitState = "whole";
  const person: Person = {
    ask: (_, signal) => new Promise((resolve) => signal.addEventListener("abort", () => resolve(true))),
  };
  const cutter = await open(person, () => seen);
  const cutting = cutter.cut(cable, "both", 1_000);
  seen = "both";
  await cutting;
  expect(await cutter.read(cable)).toBe("both");
});

test("given others who see that it is pulled already, then nobody is asked", async () => {
  const cutter = await open(nobody, () => "both");
  await cutter.cut(cable, "both", 1_000);
});

test("given nobody at the bench, then a cut fails, and says that somebody has to be there", async () => {
  const cutter = await open(nobody);
  await expect(cutter.cut(cable, "both", 1_000)).rejects.toThrow(/Pull the cable pi-1 .*nobody is here to do it/);
  await expect(cutter.read(cable)).rejects.toThrow("Nobody can tell");
});

test("given one direction, or a cable of another cutter, then it is refused in words", async () => {
  const cutter = await open(nobody);
  await expect(cutter.cut(cable, "fromFirstEnd", 1_000)).rejects.toBeInstanceOf(CutterFailure);
  const foreign: Cable = { ...cable, cutter: { name: "relays", channel: "1" } };
  await expect(cutter.heal(foreign)).rejects.toThrow("is for relays to cut");
});

test("given a question that nobody answers, when the cutter is closed, then the cut fails", async () => {
  const person: Person = {
    ask: (_, signal) => new Promise((resolve) => signal.addEventListener("abort", () => resolve(true))),
  };
  const cutter = await open(person);
  const cutting = cutter.cut(cable, "both", 1_000);
  await Promise.resolve();
  await cutter.close();
  await expect(cutting).rejects.toThrow("closed");
});

test("given two cables, then one question is asked after the other", async () => {
  const other = bench.cables.find(({ name }) => name === "pi-2") ?? fail();
  let asking = 0;
  const ask = vi.fn(async () => {
    asking += 1;
    expect(asking).toBe(1);
    await new Promise((resolve) => setImmediate(resolve));
    asking -= 1;
    return true;
  });
  const cutter = await open({ ask });
  await Promise.all([cutter.cut(cable, "both", 1_000), cutter.cut(other, "both", 1_000)]);
  expect(ask).toHaveBeenCalledTimes(2);
});

function open(person: Person, circuitSeen: CutterSurroundings["circuitSeen"] = () => null) {
  const surroundings: CutterSurroundings = {
    bench,
    folder: "/",
    hostOf: () => fail(),
    person,
    circuitSeen,
    virtual: null,
    openBrokers: null,
  };
  return openHandCutter({ name: "hand", driver: "hand" }, surroundings);
}

function fail(): never {
  throw new Error("It should not come to this.");
}
