import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { parseBench } from "../../hardware/bench.ts";
import { type CircuitState, CutterFailure, type OpenCutter, type OpenPowerSource } from "../cutters/cutter.ts";
import { takeDevices } from "../cutters/ledger-devices.ts";
import { checkCutter, checkPower, type DeviceAccess } from "./cutters.ts";
import { Devices } from "./devices.ts";
import type { Finding } from "./finding.ts";

const bench = parseBench(
  `
boards: 2
cutters: [{ name: relays, driver: relay, serialPort: /dev/ttyACM0, firmware: adrift }]
powerSources: [{ name: hub, driver: usb-hub, location: 1-1 }]
cables:
  - { name: pi-1, ends: [pi-1, "switch:1"], cutter: "relays:1" }
  - { name: pi-2, ends: [pi-2, "switch:2"], cutter: "relays:2" }
`,
  "bench.yaml",
);

describe("a cutter", () => {
  it("given a device that answers with all cables whole, then it is told with what to know of it, and let go", async () => {
    const cutter = new StandIn();
    expect(await look(cutter)).toMatchObject([
      { condition: "ok", what: "relays 1.0; its 2 cables are whole", remarks: ["It heals by itself."] },
    ]);
    expect(cutter.calls).toEqual(["identify", "read pi-1", "read pi-2", "close"]);
  });

  it("given a cable that a run left cut, then healing is one command away; nothing is healed here", async () => {
    const cutter = new StandIn({ "pi-2": "both" });
    expect(await look(cutter, { isLeftCut: (cable) => Promise.resolve(cable === "pi-2") })).toMatchObject([
      { condition: "wrong", where: "relays, cable pi-2", advice: '"npx adrift heal" heals it.' },
    ]);
  });

  it("given a cable that nobody knows to be cut, then it is not promised that healing helps", async () => {
    const [finding] = await look(new StandIn({ "pi-1": "both" }));
    expect(finding).toMatchObject({ condition: "wrong", advice: expect.stringContaining("next run") });
  });

  it("given that another run has the device, then it is not opened", async () => {
    const access = {
      take: () => Promise.resolve("The relays are in use."),
      openCutter: () => Promise.reject(new Error("opened")),
    };
    expect(await look(new StandIn(), access)).toMatchObject([
      { condition: "unchecked", what: "The relays are in use." },
    ]);
  });

  it("given a device that is not there, then its own words are told", async () => {
    const openCutter = () => Promise.reject(new CutterFailure("There is no serial port /dev/ttyACM0: plug it in."));
    expect(await look(new StandIn(), { openCutter })).toMatchObject([
      { condition: "wrong", what: "There is no serial port /dev/ttyACM0: plug it in." },
    ]);
  });
});

describe("a power source", () => {
  it("given a board whose outlet is off, then the board is named", async () => {
    const source: OpenPowerSource = {
      name: "hub",
      switchOff: () => Promise.resolve(),
      switchOn: () => Promise.reject(new Error("switched on")),
      isOn: (channel) => Promise.resolve(channel === "1"),
      identify: () => Promise.resolve({ device: "a hub", remarks: [] }),
      close: () => Promise.resolve(),
    };
    const [settings] = bench.powerSources;
    if (settings === undefined) throw new Error("The bench has a hub.");
    const outlets = ["1", "2"].map((channel) => ({ board: `pi-${channel}`, channel }));
    const findings = await checkPower(
      settings,
      outlets,
      accessTo(new StandIn(), { openSource: () => Promise.resolve(source) }),
    );
    expect(findings).toMatchObject([{ condition: "wrong", where: "pi-2", what: expect.stringContaining("no power") }]);
  });
});

describe("devices", () => {
  let folder = "";
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it("given a device that somebody has, then that is said; once it is free it is taken, and given back", async () => {
    folder = mkdtempSync(join(tmpdir(), "adrift-doctor-"));
    const held = await takeDevices(folder, ["the relays"], 0);
    const devices = new Devices(folder);
    expect(await devices.take(["the relays"])).toMatch(/in use/);
    await held.release();
    const later = new Devices(folder);
    expect(await Promise.all([later.take(["the relays"]), later.take(["the relays", "the switch"])])).toEqual([
      null,
      null,
    ]);
    await later.release();
    await (await takeDevices(folder, ["the relays", "the switch"], 0)).release();
  });
});

function look(cutter: StandIn, other: Partial<DeviceAccess> = {}): Promise<readonly Finding[]> {
  const [settings] = bench.cutters.filter(({ name }) => name === "relays");
  if (settings === undefined) throw new Error("The bench has relays.");
  const cables = bench.cables.filter((cable) => cable.cutter.name === "relays");
  return checkCutter(settings, cables, accessTo(cutter, other));
}

function accessTo(cutter: StandIn, other: Partial<DeviceAccess> = {}): DeviceAccess {
  return {
    take: () => Promise.resolve(null),
    openCutter: () => Promise.resolve(cutter),
    openSource: () => Promise.reject(new Error("There is none.")),
    isLeftCut: () => Promise.resolve(false),
    ...other,
  };
}

/** A cutter whose cables are as a test wants them. It can neither cut nor heal. */
class StandIn implements OpenCutter {
  readonly name = "relays";
  readonly healsByItself = true;
  readonly cutsOneWay = false;
  readonly calls: string[] = [];
  readonly #states: Readonly<Record<string, CircuitState>>;

  constructor(states: Readonly<Record<string, CircuitState>> = {}) {
    this.#states = states;
  }

  cut(): Promise<void> {
    return Promise.reject(new Error("A doctor cuts nothing."));
  }

  heal(): Promise<void> {
    return Promise.reject(new Error("A doctor heals nothing."));
  }

  read({ name }: { readonly name: string }): Promise<CircuitState> {
    this.calls.push(`read ${name}`);
    return Promise.resolve(this.#states[name] ?? "whole");
  }

  identify() {
    this.calls.push("identify");
    return Promise.resolve({ device: "relays 1.0", remarks: ["It heals by itself."] });
  }

  close(): Promise<void> {
    this.calls.push("close");
    return Promise.resolve();
  }
}
