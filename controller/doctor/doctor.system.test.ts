import { type ChildProcess, execFile, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { freePort } from "../../device/mqtt/free-port.fixture.ts";
import { takeDevices } from "../cutters/ledger-devices.ts";
import { KernelSwitch, missingForKernelSwitch } from "../cutters/switch-peer.fixture.ts";
import { probeBroker } from "./broker-probe.ts";
import { judgeBroker } from "./brokers.ts";
import type { Finding } from "./finding.ts";

const inContinuousIntegration = process.env["CI"] !== undefined;
const missing = missingForKernelSwitch();
const isSwitchSkipped = missing !== null && !inContinuousIntegration;

describe.skipIf(isSwitchSkipped)(
  isSwitchSkipped ? `a rack in the kernel (needs ${missing}: skipped)` : "a rack in the kernel",
  () => {
    let peer: KernelSwitch;
    let file = "";
    /** What the doctor found when all was as it should be. */
    let found: Awaited<ReturnType<typeof doctor>>;
    const ledgerFolder = (): string => join(peer.folder, "state", "adrift", "cuts");

    beforeAll(async () => {
      peer = new KernelSwitch(["p1", "p2", "p3"]);
      file = join(peer.folder, "rack.yaml");
      writeFileSync(file, rackYaml(peer.address));
      // The management has started once it answers; one doctor waits for that for seconds.
      for (let attempt = 0; attempt < 5; attempt += 1) {
        found = await doctor();
        if (found.of("cutters", "ports")?.condition === "ok") break;
      }
      peer.showAtOnce();
    });
    afterAll(() => peer?.dispose());

    it("given all its ports open, then the switch is told by name, and so are a broker and a device that are not there", () => {
      expect(found.of("cutters", "ports")).toMatchObject({
        what: expect.stringContaining("kernel-switch at 10.88.0.1"),
      });
      expect(found.of("brokers", "broker (mqtt://10.88.0.1:1883)")).toMatchObject({ condition: "wrong" });
      expect(found.of("cutters", "relays")).toMatchObject({
        condition: "wrong",
        what: expect.stringContaining("/dev/adrift-none"),
      });
      expect(found.status).toBe(1);
    });

    it("given a virtual port, which is fast, with relays in its cable, then that is wrong; of a spanning tree it cannot tell", () => {
      expect(found.of("switches", "switch, port p3")).toMatchObject({
        condition: "wrong",
        what: expect.stringContaining("10000 Mb/s"),
      });
      expect(found.of("switches", "switch")).toMatchObject({
        condition: "unchecked",
        what: expect.stringContaining("BRIDGE-MIB"),
      });
    });

    it("given a port that somebody closed, then its cable is named as cut, and stays as it is", async () => {
      peer.setPort("p2", false);
      try {
        await expect.poll(() => peer.hasCarrier("p2")).toBe(false);
        expect((await doctor()).of("cutters", "ports, cable pi-2")).toMatchObject({ condition: "wrong" });
        expect(peer.hasCarrier("p2")).toBe(false);
      } finally {
        peer.setPort("p2", true);
      }
    });

    it("given another run that has the switch, then it is in use and left alone", async () => {
      const held = await takeDevices(ledgerFolder(), ["the switch at 10.88.0.1"], 0);
      try {
        expect((await doctor()).of("cutters", "ports")).toMatchObject({
          condition: "unchecked",
          what: expect.stringContaining(`in use by another run of Adrift (process ${process.pid})`),
        });
      } finally {
        await held.release();
      }
    });

    async function doctor() {
      const program = fileURLToPath(new URL("../../bin/adrift.mjs", import.meta.url));
      const command = [
        "netns",
        "exec",
        peer.controllerNamespace,
        process.execPath,
        program,
        "doctor",
        "--bench",
        file,
        "--json",
      ];
      const env = { ...process.env, XDG_STATE_HOME: join(peer.folder, "state") };
      const { status, out } = await new Promise<{ readonly status: number | null; readonly out: string }>((resolve) => {
        const child = execFile("ip", command, { env }, (_error, text) =>
          resolve({ status: child.exitCode, out: text }),
        );
      });
      const { groups }: { groups: { name: string; findings: Finding[] }[] } = JSON.parse(out);
      return {
        status,
        of: (group: string, where: string) =>
          groups.find(({ name }) => name === group)?.findings.find((finding) => finding.where === where),
      };
    }
  },
);

const isMosquittoMissing = spawnSync("which", ["mosquitto"]).status !== 0 && !inContinuousIntegration;

describe.skipIf(isMosquittoMissing)(isMosquittoMissing ? "Mosquitto (not installed: skipped)" : "Mosquitto", () => {
  const folder = mkdtempSync(join(tmpdir(), "adrift-doctor-"));
  const children: ChildProcess[] = [];
  afterEach(async () => {
    for (const child of children.splice(0)) {
      const ended = once(child, "exit");
      child.kill("SIGKILL");
      await ended;
    }
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it.each([
    { setting: "true", conditions: ["ok"] },
    { setting: "false", conditions: ["warning"] },
  ])("given set_tcp_nodelay $setting, then that is seen", async ({ setting, conditions }) => {
    const url = `mqtt://127.0.0.1:${await start(setting)}`;
    const look = await probeBroker({ url, cluster: "table", keys: null });
    // A heartbeat of a second: how busy this machine is does not matter here.
    const findings = judgeBroker("broker", look, { heartbeatMs: 1_000, electionMinMs: 2_000, electionMaxMs: 4_000 });
    expect(findings.map(({ condition }) => condition)).toEqual(conditions);
  });

  async function start(noDelay: string): Promise<number> {
    const port = await freePort();
    const file = join(folder, `${noDelay}.conf`);
    writeFileSync(file, `listener ${port} 127.0.0.1\nallow_anonymous true\nset_tcp_nodelay ${noDelay}\n`);
    children.push(spawn("mosquitto", ["-c", file], { stdio: "ignore" }));
    const probe = { url: `mqtt://127.0.0.1:${port}`, cluster: "table", keys: null };
    for (let attempt = 0; attempt < 20 && (await probeBroker(probe)).kind === "unreachable"; attempt += 1)
      await pause(50);
    return port;
  }
});

function rackYaml(address: string): string {
  return `
name: rack
boards: [pi-1, pi-2, pi-3]
brokers: [{ name: broker, board: pi-1, address: ${address} }]
switches: [{ name: switch, ports: [p1, p2, p3] }]
cutters:
  - { name: ports, driver: switch, switch: switch, protocol: snmp-v3, address: ${address}, user: adrift, passwordFile: phrases }
  - { name: relays, driver: relay, serialPort: /dev/adrift-none, firmware: adrift }
cables:
  - { name: pi-1, ends: [pi-1, "switch:p1"], cutter: ports }
  - { name: pi-2, ends: [pi-2, "switch:p2"], cutter: ports }
  - { name: pi-3, ends: [pi-3, "switch:p3"], cutter: "relays:1" }
`;
}
