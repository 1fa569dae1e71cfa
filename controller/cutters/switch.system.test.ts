import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { Cable } from "../../hardware/bench.ts";
import { type CutterPeer, describeCutter } from "./cutter.suite.ts";
import type { OpenCutter } from "./cutter.ts";
import type { SwitchCutterSettings } from "./switch.ts";
import { Helper } from "./switch-helper.fixture.ts";
import { community, KernelSwitch, missingForKernelSwitch, user } from "./switch-peer.fixture.ts";
import { cableTo, switchNode } from "./switch-surroundings.fixture.ts";

const missing = process.env["CI"] ? null : missingForKernelSwitch();
const cables: [Cable, Cable] = [cableTo("port1", "pi-1", "ports"), cableTo("port2", "pi-2", "ports")];

const settings = {
  name: "ports",
  driver: "switch",
  switch: switchNode,
  protectedPorts: ["port3"],
  address: "10.88.0.1",
} as const;
const byCommunity: SwitchCutterSettings = {
  ...settings,
  protocol: "snmp-v2c",
  user: null,
  passwordFile: "community",
};
const byUser: SwitchCutterSettings = { ...settings, protocol: "snmp-v3", user, passwordFile: "phrases" };

describe.skipIf(missing !== null)(
  `a bridge of the kernel, managed by snmpd (missing here: ${missing ?? "nothing"})`,
  () => {
    for (const cutterSettings of [byCommunity, byUser]) {
      describeCutter(`the driver switch by ${cutterSettings.protocol}`, async () => {
        const kernel = new KernelSwitch(["port1", "port2", "port3"]);
        const helper = new Helper(kernel.controllerNamespace);
        const cutter = await openWhenReady(helper, cutterSettings, kernel.folder);
        kernel.showAtOnce();
        return { cutter, cables, peer: peerOf(kernel, helper) };
      });
    }

    describe("what goes wrong around a switch", () => {
      let kernel: KernelSwitch;
      let helper: Helper;
      let cutter: OpenCutter;

      beforeAll(async () => {
        kernel = new KernelSwitch(["port1", "port2", "port3"]);
        helper = new Helper(kernel.controllerNamespace);
        cutter = await openWhenReady(helper, byUser, kernel.folder);
      });
      afterAll(async () => {
        await helper.end();
        await kernel.dispose();
      });
      const open = (changes: Partial<SwitchCutterSettings>, base = byUser): Promise<OpenCutter> =>
        helper.open({ ...base, ...changes }, kernel.folder, cables);

      test("given a wrong user, pass-phrase or community, when it is opened, then it says which is wrong", async () => {
        kernel.writeSecret("wrong-first", "not-the-phrase\nprivacy-phrase-too");
        kernel.writeSecret("wrong-second", "authentication-phrase\nnot-the-phrase");
        kernel.writeSecret("wrong-community", "public");
        await expect(open({ user: "nobody" })).rejects.toThrow(/knows no SNMP v3 user "nobody"/);
        await expect(open({ passwordFile: "wrong-first" })).rejects.toThrow(/first line of .*wrong-first/);
        await expect(open({ passwordFile: "wrong-second" })).rejects.toThrow(
          /pass-phrase for privacy, its last line, in .*wrong-second is wrong/,
        );
        await expect(open({ passwordFile: "wrong-community" }, byCommunity)).rejects.toThrow(
          /community in .*wrong-community is wrong, to which it keeps silent/,
        );
      });

      test("given a password file that others may read, then it is refused with how to change that", async () => {
        const file = kernel.writeSecret("open-to-all", community, 0o644);
        await expect(open({ passwordFile: "open-to-all" }, byCommunity)).rejects.toThrow(`chmod 600 ${file}`);
        await expect(open({ passwordFile: "not-there" }, byCommunity)).rejects.toThrow(/not-there cannot be read/);
      });

      test("given the port that carries the management, or a protected one, then neither is ever closed", async () => {
        cutter = await open({});
        await expect(cutter.cut(cableTo("uplink", "pi-8", "ports"), "both", 60_000)).rejects.toThrow(
          /managed over its port uplink/,
        );
        await expect(cutter.cut(cableTo("port3", "pi-3", "ports"), "both", 60_000)).rejects.toThrow(/protectedPorts/);
        expect(kernel.hasCarrier("port3")).toBe(true);
        expect((await cutter.identify()).remarks.join(" ")).toMatch(/has its address on uplink/);
      });

      test("given a port that gets another number, when its cable is cut, then the port of that label is closed", async () => {
        cutter = await open({});
        await cutter.cut(cables[0], "both", 60_000);
        await cutter.heal(cables[0]);
        kernel.replacePort("port1");
        await expect.poll(() => cutter.read(cables[0]), { timeout: 10_000 }).toBe("whole");
        await cutter.cut(cables[0], "both", 60_000);
        await expect.poll(() => kernel.hasCarrier("port1"), { timeout: 2_000 }).toBe(false);
        expect(kernel.hasCarrier("port2")).toBe(true);
        await cutter.heal(cables[0]);
      });

      test("given a port of another name, then it says which ports there are, and finds it again by its old one", async () => {
        cutter = await open({});
        kernel.replacePort("port2", "elsewhere");
        await expect
          .poll(() => cutter.read(cables[1]).catch((error: Error) => error.message), { timeout: 15_000, interval: 100 })
          .toMatch(/no port port2\. Its ports: .*elsewhere/);
        expect((await cutter.identify()).remarks[0]).toMatch(/no port port2, into which the cable pi-2/);
        kernel.replacePort("elsewhere", "port2");
        await expect
          .poll(() => cutter.read(cables[1]).catch(() => "unknown"), { timeout: 15_000, interval: 100 })
          .toBe("whole");
      });

      test("given twenty cuts and heals, then their times are told, and most take less than a second", async () => {
        cutter = await open({});
        const took: number[] = [];
        const carrier: number[] = [];
        for (let round = 0; round < 20; round++) {
          const started = performance.now();
          const done = cutter.cut(cables[0], "both", 60_000);
          const gone = vi.waitUntil(() => !kernel.hasCarrier("port1"), { timeout: 5_000, interval: 1 });
          await Promise.all([done, gone.then(() => carrier.push(performance.now() - started))]);
          took.push(helper.lastTookMs);
          await cutter.heal(cables[0]);
          took.push(helper.lastTookMs);
          await expect.poll(() => kernel.hasCarrier("port1"), { timeout: 5_000, interval: 5 }).toBe(true);
        }
        console.info(
          `SNMP v3, with discovery, look-up and reading back: ${quartiles(took)}; carrier gone: ${quartiles(carrier)}`,
        );
        expect(quantile(took, 0.5)).toBeLessThan(1_000);
      });
    });
  },
);

function peerOf(kernel: KernelSwitch, helper: Helper): CutterPeer {
  const portOf = (cable: Cable): string => cable.ends[1].port;
  return {
    look: (cable) => (kernel.hasCarrier(portOf(cable)) ? "whole" : "both"),
    change: (cable, state) => kernel.setPort(portOf(cable), state === "whole"),
    troubles: {
      unplugged: { begin: () => kernel.killDaemon(), end: () => kernel.startDaemon() },
      silent: { begin: () => kernel.freeze(), end: () => kernel.thaw() },
      slow: { begin: () => kernel.beginHiccups(), end: () => kernel.endHiccups() },
      wrong: {
        begin: async () => {
          await kernel.killDaemon();
          kernel.startDaemon(true);
        },
        end: async () => {
          await kernel.killDaemon();
          kernel.startDaemon();
        },
      },
    },
    leaseMsMin: null,
    dispose: async () => {
      await helper.end();
      await kernel.dispose();
    },
  };
}

/** The management needs a moment until it answers. */
async function openWhenReady(helper: Helper, cutter: SwitchCutterSettings, folder: string): Promise<OpenCutter> {
  const deadline = performance.now() + 20_000;
  for (;;) {
    try {
      return await helper.open(cutter, folder, cables);
    } catch (error) {
      if (performance.now() > deadline) throw error;
    }
  }
}

function quartiles(timesMs: readonly number[]): string {
  const [p50, p90, most] = [0.5, 0.9, 1].map((share) => quantile(timesMs, share).toFixed(1));
  return `median ${p50} ms, nine of ten within ${p90} ms, at most ${most} ms`;
}

function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}
