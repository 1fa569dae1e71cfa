import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type Cable, parseBench } from "../../hardware/bench.ts";
import { type CircuitState, CutterFailure, type OpenCutter } from "./cutter.ts";
import { openCutters } from "./cutters.ts";
import { nobody } from "./person.ts";

const bench = parseBench("name: table\nboards: 2\n", "table.yaml");

let folder = "";
let told: string[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "adrift-cutters-"));
  told = [];
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test("given cables that somebody left cut, when the cutters are opened, then they are healed, and that is told", async () => {
  const device = new Device({ "pi-1": "both" });
  const cutters = await open(device);
  expect(device.states.get("pi-1")).toBe("whole");
  expect(told).toEqual([expect.stringContaining("The cable pi-1 was cut at the start")]);
  await cutters.close();
});

test("given a device that cannot be read, when the cutters are opened, then its cables are healed all the same", async () => {
  const device = new Device({ "pi-1": "both" });
  device.canRead = false;
  const cutters = await open(device);
  expect(device.states.get("pi-1")).toBe("whole");
  await cutters.close();
});

test("given a cut one way, when the other way is cut too, then both are, and the end heals it", async () => {
  const device = new Device({});
  const cutters = await open(device);
  await cutters.cut("pi-1", "fromFirstEnd");
  expect(cutters.state().cables).toMatchObject([{ cable: "pi-1", direction: "fromFirstEnd" }]);
  await cutters.cut("pi-1", "fromSecondEnd");
  expect(await cutters.read("pi-1")).toBe("both");
  expect(await cutters.close()).toEqual({ leftovers: [] });
  expect(device.states.get("pi-1")).toBe("whole");
  expect(device.isClosed).toBe(true);
});

test("given cuts that end with the bench, then the ledger stays empty", async () => {
  const cutters = await open(new Device({}));
  await cutters.cut("pi-1", "both");
  expect(readdirSync(folder)).toEqual([]);
  await cutters.close();
});

test("given a name that no cable has, a board that nothing feeds, or cutters that are closed, then it is said in words", async () => {
  const cutters = await open(new Device({}));
  await expect(cutters.cut("pi-9", "both")).rejects.toThrow(/pi-9/);
  await expect(cutters.switchOff("pi-1")).rejects.toThrow("Nothing can take the power from pi-1");
  await expect(cutters.withhold("pi-1", "pi-2")).rejects.toThrow("Only Adrift's own brokers");
  await cutters.close();
  await expect(cutters.cut("pi-1", "both")).rejects.toBeInstanceOf(CutterFailure);
});

/** A cutter for all cables, without hardware. */
class Device implements OpenCutter {
  readonly name = "virtual";
  readonly healsByItself = false;
  readonly cutsOneWay = true;
  readonly states: Map<string, CircuitState>;
  canRead = true;
  isClosed = false;

  constructor(states: Readonly<Record<string, CircuitState>>) {
    this.states = new Map(Object.entries(states));
  }

  cut({ name }: Cable, direction: CircuitState): Promise<void> {
    this.states.set(name, direction);
    return Promise.resolve();
  }

  heal({ name }: Cable): Promise<void> {
    this.states.set(name, "whole");
    return Promise.resolve();
  }

  read({ name }: Cable): Promise<CircuitState> {
    if (!this.canRead) return Promise.reject(new CutterFailure("It cannot be read."));
    return Promise.resolve(this.states.get(name) ?? "whole");
  }

  identify() {
    return Promise.resolve({ device: "none", remarks: [] });
  }

  close(): Promise<void> {
    this.isClosed = true;
    return Promise.resolve();
  }
}

function open(device: Device) {
  return openCutters({
    bench,
    ledgerFolder: folder,
    tell: (sentence) => told.push(sentence),
    surroundings: {
      bench,
      folder: "/",
      hostOf: () => {
        throw new Error("No host is needed.");
      },
      person: nobody,
      circuitSeen: () => null,
      virtual: device,
      openBrokers: null,
    },
  });
}
