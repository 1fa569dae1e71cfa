import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { parseBench } from "../../hardware/bench.ts";
import { CutterFailure } from "./cutter.ts";
import { type Circuit, LeaseKeeper } from "./lease.ts";
import { Ledger } from "./ledger.ts";

const bench = parseBench("name: rack\nboards: 2\n", "rack.yaml");
const leaseMs = 150;

let folder = "";
let keeper: LeaseKeeper;
let told: string[] = [];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "adrift-lease-"));
  told = [];
  keeper = new LeaseKeeper(await Ledger.open(folder), leaseMs, (sentence) => told.push(sentence));
});
afterEach(async () => {
  await keeper.close();
  rmSync(folder, { recursive: true, force: true });
});

test("given a cut, then it stands in the ledger before the device is told, until the device says that it is whole", async () => {
  const seen: number[] = [];
  const note = async () => void seen.push(entries());
  const circuit = circuitWith({ cut: note, heal: note });
  await keeper.cut(circuit);
  await keeper.heal(circuit);
  expect(seen).toEqual([1, 1]);
  expect(entries()).toBe(0);
});

test("given a cut, when time goes by, then its lease is renewed at the device and in the ledger", async () => {
  const cut = vi.fn(() => Promise.resolve());
  await keeper.cut(circuitWith({ cut, isRenewed: true }));
  const [before] = keeper.held;
  const firstMs = before?.untilMs ?? 0;
  await vi.waitFor(() => expect(cut.mock.calls.length).toBeGreaterThanOrEqual(3), { timeout: 10_000 });
  expect(keeper.held[0]?.untilMs).toBeGreaterThan(firstMs);
});

test("given a device that does not cut, then the cut fails with its words, and it is healed", async () => {
  const heal = vi.fn(() => Promise.resolve());
  const cutting = keeper.cut(circuitWith({ cut: () => Promise.reject(new CutterFailure("The relay sticks.")), heal }));
  await expect(cutting).rejects.toThrow("The relay sticks.");
  expect(heal).toHaveBeenCalledOnce();
  expect(keeper.held).toEqual([]);
  expect(entries()).toBe(0);
});

test("given a device that neither cuts nor heals, then the entry stays, and the end says what is left and what to do", async () => {
  let works = false;
  const stuck = () => (works ? Promise.resolve() : Promise.reject(new CutterFailure("The relay is gone.")));
  await expect(keeper.cut(circuitWith({ cut: stuck, heal: stuck }))).rejects.toThrow("gone");
  expect(entries()).toBe(1);
  expect(told).toEqual(["The cable pi-1: The relay is gone."]);
  works = true;
  expect(await keeper.close()).toEqual([]);
  expect(entries()).toBe(0);
});

test("given a device that heals at the third try, then a heal succeeds", async () => {
  let tries = 0;
  const heal = () => {
    tries += 1;
    return tries < 3 ? Promise.reject(new CutterFailure("not yet")) : Promise.resolve();
  };
  const circuit = circuitWith({ heal });
  await keeper.cut(circuit);
  await keeper.heal(circuit);
  expect(tries).toBe(3);
});

test("given a device that never answers, then a heal fails soon, and the entry stays", async () => {
  const patience = { meanwhileMs: 30, atEndMs: 30 };
  const impatient = new LeaseKeeper(await Ledger.open(folder), leaseMs, () => undefined, patience);
  const circuit = circuitWith({ heal: () => new Promise(() => undefined), answerMsMax: 20 });
  await impatient.cut(circuit);
  await expect(impatient.heal(circuit)).rejects.toThrow("no answer within 0.02 s");
  expect(entries()).toBe(1);
  expect(await impatient.close()).toEqual([expect.stringMatching(/^The cable pi-1 is still cut: .*Pull it\.$/)]);
  expect(entries()).toBe(1);
});

test("given an entry that somebody removed, then the lease cannot be renewed, so the cable is healed, and that is said", async () => {
  const heal = vi.fn(() => Promise.resolve());
  await keeper.cut(circuitWith({ heal }));
  for (const name of readdirSync(folder)) rmSync(join(folder, name));
  await vi.waitFor(() => expect(heal).toHaveBeenCalledOnce(), { timeout: 8_000 });
  expect(told).toEqual([expect.stringContaining("its lease cannot be renewed")]);
});

test("given cut and heal that overlap, then each waits for the one before, and the last one counts", async () => {
  const done: string[] = [];
  const circuit = circuitWith({ cut: async () => void done.push("cut"), heal: async () => void done.push("heal") });
  await Promise.all([keeper.cut(circuit), keeper.heal(circuit), keeper.cut(circuit), keeper.cut(circuit)]);
  expect(done).toEqual(["cut", "heal", "cut", "cut"]);
  expect(entries()).toBe(1);
});

function circuitWith(parts: Partial<Circuit>): Circuit {
  return {
    key: "cable pi-1",
    words: "The cable pi-1",
    entry: {
      what: { kind: "cable", cable: "pi-1", direction: "both" },
      devices: ["a relay"],
      bench,
      folder: "/",
      hosts: {},
    },
    isRenewed: false,
    answerMsMax: 1_000,
    cut: () => Promise.resolve(),
    heal: () => Promise.resolve(),
    byHand: "Pull it.",
    ...parts,
  };
}

function entries(): number {
  return readdirSync(folder).length;
}
