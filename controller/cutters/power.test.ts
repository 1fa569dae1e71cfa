import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, describe, expect, test } from "vitest";
import { CutterFailure } from "./cutter.ts";
import { openPoe } from "./power-poe.ts";
import { openUsbHub } from "./power-usb-hub.ts";
import { TestAgent } from "./snmp-agent.fixture.ts";
import type { CommandHost, CommandResult } from "./surroundings.ts";
import { surroundingsFor } from "./switch-surroundings.fixture.ts";

const folder = mkdtempSync(join(tmpdir(), "adrift-power-"));
afterAll(() => rmSync(folder, { recursive: true }));

describe("power over Ethernet (RFC 3621)", () => {
  const agents: TestAgent[] = [];
  afterEach(() => {
    for (const agent of agents.splice(0)) agent.close();
  });

  async function feeding(outlets: readonly (readonly [number, number])[]) {
    writeFileSync(join(folder, "community"), "power\n", { mode: 0o600 });
    const agent = await TestAgent.start("power", [
      {
        name: "pethPsePortTable",
        entryOid: "1.3.6.1.2.1.105.1.1.1",
        indexLength: 2,
        columns: [{ number: 3, type: "integer" }],
        rows: outlets.map(([group, port]) => [group, port, 1]),
      },
    ]);
    agents.push(agent);
    const settings = { name: "poe", driver: "poe", protocol: "snmp-v2c", user: null } as const;
    const source = openPoe(
      { ...settings, address: agent.address, passwordFile: "community" },
      surroundingsFor(folder, []),
    );
    return { agent, source };
  }

  test("given two outlets, when one is switched off and on, then the switch has it so, and the other stays on", async () => {
    const { agent, source } = await feeding([
      [1, 3],
      [2, 3],
    ]);
    const poe = await source;
    await poe.switchOff("3");
    expect(agent.read("pethPsePortTable", 3, [1, 3])).toBe(2);
    expect([await poe.isOn("3"), await poe.isOn("2.3")]).toEqual([false, true]);
    await poe.switchOff("2.3");
    await poe.switchOn("1.3");
    expect([await poe.isOn("3"), await poe.isOn("2.3")]).toEqual([true, false]);
    await poe.close();
    await expect(poe.isOn("3")).rejects.toThrow(/has been closed/);
  });

  test("given an outlet that is not there, then it says which are", async () => {
    const poe = await (await feeding([[1, 3]])).source;
    await expect(poe.switchOff("4")).rejects.toThrow(/no outlet 1\.4 \(group\.port\)\. It has: 1\.3/);
    await expect(poe.switchOff("three")).rejects.toBeInstanceOf(CutterFailure);
    await poe.close();
  });

  test("given a switch that feeds nobody, when it is opened, then it says so", async () => {
    await expect((await feeding([])).source).rejects.toThrow(/no power over Ethernet/);
  });
});

describe("a USB hub, by uhubctl", () => {
  test("given a hub of two halves, when a port is switched off and on, then both are read back", async () => {
    const uhubctl = new StandInUhubctl();
    const hub = await openUsbHub(source, uhubctl.surroundings);
    await hub.switchOff("2");
    expect([await hub.isOn("1"), await hub.isOn("2")]).toEqual([true, false]);
    await hub.switchOn("2");
    expect(await hub.isOn("2")).toBe(true);
    expect((await hub.identify()).device).toContain("2109:3431 USB2.0 Hub");
    await hub.close();
    await expect(hub.isOn("2")).rejects.toThrow(/has been closed/);
  });

  test("given a hub that only says that it switches, or of which one half goes on, then it is no success", async () => {
    const uhubctl = new StandInUhubctl();
    const hub = await openUsbHub(source, uhubctl.surroundings);
    uhubctl.stuck = true;
    await expect(hub.switchOff("2")).rejects.toThrow(/told to switch its port 2 off, and did not/);
  });

  test("given a port, a hub or a program that is missing, or USB that is forbidden, then it says what to do", async () => {
    const uhubctl = new StandInUhubctl();
    const hub = await openUsbHub(source, uhubctl.surroundings);
    await expect(hub.switchOff("7")).rejects.toThrow(/no port 7 that it switches. It has: 1, 2/);
    await expect(hub.switchOff("all")).rejects.toThrow(/"all" is no port/);
    uhubctl.failure = "No compatible devices detected at location 1-1!\nRun with -h to get usage info.\n";
    await expect(hub.isOn("1")).rejects.toThrow(/no hub that switches its ports at 1-1 \(No compatible devices/);
    uhubctl.failure = "There were permission problems while accessing USB.\n";
    await expect(hub.isOn("1")).rejects.toThrow(/may not use USB/);
    uhubctl.failure = new CutterFailure('"uhubctl" cannot be started (spawn uhubctl ENOENT). Is it installed?');
    await expect(openUsbHub(source, uhubctl.surroundings)).rejects.toThrow(/Is it installed/);
  });
});

const source = { name: "usb", driver: "usb-hub", location: "1-1" } as const;

/** Answers as uhubctl 2.5 does for a hub of two ports with its USB 3 half. */
class StandInUhubctl {
  readonly #on = new Set(["1", "2"]);
  stuck = false;
  failure: string | CutterFailure | null = null;

  get surroundings() {
    const host: CommandHost = {
      name: "here",
      place: { kind: "here" },
      run: (command) => this.#run(command),
      hold: () => {
        throw new Error("uhubctl holds nothing.");
      },
    };
    return { ...surroundingsFor(folder, []), hostOf: () => host };
  }

  async #run([, , , ...options]: readonly string[]): Promise<CommandResult> {
    if (this.failure instanceof CutterFailure) throw this.failure;
    if (this.failure !== null) return { status: 1, out: "", err: this.failure };
    const [, port = "", , action] = options;
    const ports = port === "" ? ["1", "2"] : [port].filter((each) => ["1", "2"].includes(each));
    let out = this.#list("Current", ports);
    if (action !== undefined) {
      if (action === "off" && !this.stuck) this.#on.delete(port);
      if (action === "on") this.#on.add(port);
      out += `Sent power ${action} request\n${this.#list("New", ports)}`;
    }
    return await Promise.resolve({ status: 0, out, err: "" });
  }

  #list(when: string, ports: readonly string[]): string {
    const two = ports.map((port) => `  Port ${port}: ${this.#on.has(port) ? "0100 power" : "0000 off"}\n`);
    const three = ports.map(
      (port) => `  Port ${port}: ${this.#on.has(port) ? "02a0 power 5gbps Rx.Detect" : "0080 off"}\n`,
    );
    return (
      `${when} status for hub 1-1 [2109:3431 USB2.0 Hub, USB 2.10, 2 ports, ppps]\n${two.join("")}` +
      `${when} status for hub 2-1 [2109:0813 USB3.0 Hub, USB 3.20, 2 ports, ppps]\n${three.join("")}`
    );
  }
}
