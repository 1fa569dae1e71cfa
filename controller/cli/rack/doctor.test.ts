import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { startStandIns } from "../../client/stand-in.fixture.ts";
import { createTestShell, type TestShell } from "../shell.fixture.ts";

let shell: TestShell;

beforeEach(() => {
  shell = createTestShell();
  // What is left on the machine on which the tests run is none of theirs.
  vi.stubEnv("XDG_STATE_HOME", join(shell.folder, "state"));
});
afterEach(() => {
  vi.unstubAllEnvs();
  shell.remove();
});

describe("adrift doctor", () => {
  it("given an empty folder, then this machine alone is looked at", async () => {
    const { status, out } = await shell.adrift(["doctor"]);
    expect(out).toMatch(/^this machine +ok +Node: v/);
    expect(out).toMatch(/\nNothing is wrong\./);
    expect(status).toBe(0);
  });

  it("given a bench without addresses, then it says that there is no rack to look at", async () => {
    const { status, out } = await shell.adrift(["doctor", "--bench", "five-boards"]);
    expect(out).toMatch(/brokers +not checked +.*no rack\s+to look at/);
    expect(status).toBe(0);
  });

  it("given a bench file with mistakes, then each has its line, and this machine is looked at all the same", async () => {
    writeFileSync(join(shell.folder, "bench.yaml"), "boards: 2\ntiming: soon\n");
    const { status, out } = await shell.adrift(["doctor"]);
    expect(out).toMatch(/wrong +\.\/bench\.yaml:2:\d+: /);
    expect(out).toMatch(/Node: v/);
    expect(status).toBe(1);
  });

  it("given a file that is not there, then that is a wrong argument", async () => {
    const { status, err } = await shell.adrift(["doctor", "--bench", "./rack.yaml"]);
    expect({ status, err }).toEqual({ status: 64, err: "./rack.yaml: there is no such file.\n" });
  });

  it("given relays, then it is told before they are opened that this makes their cables whole", async () => {
    const relays = "{ name: relays, driver: relay, serialPort: /dev/no-such-port, firmware: adrift }";
    const cable = '{ name: pi-1, ends: [pi-1, "switch:1"], cutter: "relays:1" }';
    writeFileSync(join(shell.folder, "relays.yaml"), `boards: 1\ncutters: [${relays}]\ncables: [${cable}]\n`);
    const { err } = await shell.adrift(["doctor", "--bench", "relays.yaml"]);
    expect(err).toBe("Asking relays makes all cables there whole; what a run has in use is left alone.\n");
  });

  it("given a damaged entry of what is cut, then something is wrong", async () => {
    const ledger = join(shell.folder, "state", "adrift", "cuts");
    mkdirSync(ledger, { recursive: true });
    writeFileSync(join(ledger, "cable-pi-1-00.cut"), "half of an ent");
    const { status, out } = await shell.adrift(["doctor", "--json"]);
    expect(JSON.parse(out)).toMatchObject({ bench: null, wrong: 1, groups: [{ name: "this machine" }] });
    expect(status).toBe(1);
  });

  it("given a rack whose broker answers and whose boards do not, then who is missing is told, and what hides nothing", async () => {
    const standIns = await startStandIns(["pi-1"]);
    try {
      const address = new URL(standIns.urls[0] ?? "").host;
      const rack = `
name: table
cluster: ${standIns.cluster}
boards: 2
brokers: [{ name: broker, address: "${address}" }]
cutter: hand
`;
      writeFileSync(join(shell.folder, "rack.yaml"), rack);
      const { status, out } = await shell.adrift(["doctor", "--bench", "rack:./rack.yaml", "--json"]);
      const { groups }: { groups: { name: string; findings: { condition: string; where: string }[] }[] } =
        JSON.parse(out);
      const found = (name: string) => groups.find((group) => group.name === name)?.findings ?? [];
      expect(found("brokers")).toMatchObject([{ condition: "ok", where: `broker (mqtt://${address})` }]);
      expect(found("boards")).toContainEqual(expect.objectContaining({ condition: "wrong", where: "pi-2" }));
      expect(found("cutters")).toMatchObject([{ condition: "ok", where: "hand" }]);
      expect(found("cables")).toMatchObject([{ condition: "ok" }]);
      expect(status).toBe(1);
    } finally {
      await standIns.close();
    }
  });
});
