import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { type CarrierWatch, watchCarrier } from "./carrier.ts";

let root = "";
let watch: CarrierWatch | null = null;
let changes: string[] = [];

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "adrift-carrier-"));
  changes = [];
});
afterEach(() => {
  watch?.close();
  rmSync(root, { recursive: true, force: true });
});

describe("given a machine with one cable", () => {
  test("when the cable is pulled and plugged in again, then both are told, once", async () => {
    plug("eth0", "1");
    begin();
    await vi.waitFor(() => expect(changes).toEqual(["eth0 up"]));
    expect(watch?.state()).toBe(true);
    plug("eth0", "0");
    await vi.waitFor(() => expect(changes).toEqual(["eth0 up", "eth0 down"]));
    expect(watch?.state()).toBe(false);
    plug("eth0", "1");
    await vi.waitFor(() => expect(changes).toEqual(["eth0 up", "eth0 down", "eth0 up"]));
  });

  test("when the interface goes away and comes back, then its cable is gone meanwhile", async () => {
    plug("eth0", "1");
    begin();
    await vi.waitFor(() => expect(watch?.state()).toBe(true));
    rmSync(join(root, "eth0"), { recursive: true });
    await vi.waitFor(() => expect(watch?.state()).toBeNull());
    plug("eth0", "1");
    await vi.waitFor(() => expect(changes).toEqual(["eth0 up", "eth0 down", "eth0 up"]));
  });
});

describe("given a machine with loopback, radio and two cables", () => {
  beforeEach(() => {
    for (const name of ["lo", "wlan0", "eth0", "eth1"]) plug(name, "1");
    mkdirSync(join(root, "wlan0", "phy80211"));
    writeFileSync(join(root, "bonding_masters"), "");
  });

  test("when nothing is named, then the cables alone are watched, and one of them is enough", async () => {
    plug("eth1", "0");
    begin();
    await vi.waitFor(() => expect(changes.toSorted()).toEqual(["eth0 up", "eth1 down"]));
    expect(watch?.state()).toBe(true);
  });

  test("when one interface is named, then it alone is watched", async () => {
    plug("eth1", "0");
    begin(["eth1"]);
    await vi.waitFor(() => expect(changes).toEqual(["eth1 down"]));
    expect(watch?.state()).toBe(false);
  });
});

test.each([[["eth7"]], [[]]])("given no such machine, when %j is watched, then nobody can tell", async (interfaces) => {
  rmSync(root, { recursive: true });
  begin(interfaces);
  plug("eth7", "1");
  await vi.waitFor(() => expect(changes).toEqual(["eth7 up"]));
});

test("given a watch that is closed, when a cable is pulled, then nothing is told", async () => {
  plug("eth0", "1");
  begin();
  watch?.close();
  const second = watchCarrier({
    interfaces: [],
    root,
    everyMs: 2,
    onChange: (name) => void changes.push(`${name} seen`),
  });
  await vi.waitFor(() => expect(changes).toEqual(["eth0 seen"]));
  second.close();
});

function begin(interfaces: readonly string[] = []): void {
  const onChange = (name: string, up: boolean) => void changes.push(`${name} ${up ? "up" : "down"}`);
  watch = watchCarrier({ interfaces, root, everyMs: 2, onChange });
}

function plug(name: string, carrier: "0" | "1"): void {
  mkdirSync(join(root, name), { recursive: true });
  // In one step, as the kernel does it: nobody reads an empty file.
  writeFileSync(join(root, name, "next"), `${carrier}\n`);
  renameSync(join(root, name, "next"), join(root, name, "carrier"));
}
