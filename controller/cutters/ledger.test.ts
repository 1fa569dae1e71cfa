import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Folder } from "../../device/board/disk/folder.ts";
import { thisProcess } from "../../device/board/disk/process-identity.ts";
import { parseBench } from "../../hardware/bench.ts";
import { healLeftovers, leftoverCuts } from "../cli/rack/leftover-cuts.ts";
import { CutterFailure } from "./cutter.ts";
import { abandoned, Ledger, type LedgerEntry, readLedger, renewEntry, usualLedgerFolder } from "./ledger.ts";
import { takeDevices } from "./ledger-devices.ts";
import { nobody } from "./person.ts";

const bench = parseBench("name: rack\nboards: 2\ncutter: hand\n", "rack.yaml");
/** A number that no process has: it is above the kernel's highest. */
const deadPid = 2 ** 30;

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "adrift-ledger-"));
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true, force: true });
});

describe("the ledger", () => {
  test("given an entry, when another process reads the ledger, then it finds all that it needs to heal", async () => {
    const ledger = await Ledger.open(join(folder, "state", "cuts"));
    const written = await entry();
    const path = await ledger.add(written);
    const [found] = await readLedger(ledger.folder);
    expect(found).toMatchObject({ path, entry: written });
    expect(statSync(ledger.folder).mode & 0o777).toBe(0o700);
    expect(readdirSync(ledger.folder)).toHaveLength(1);
    await ledger.remove(path);
    await ledger.remove(path);
    expect(await ledger.list()).toEqual([]);
  });

  test("given a lease, when it is renewed, then it runs out later, and the entry is not written anew", async () => {
    const ledger = await Ledger.open(folder);
    const path = await ledger.add(await entry());
    const before = readFileSync(path);
    await renewEntry(path);
    const [found] = await ledger.list();
    expect(found).toMatchObject({ untilMs: expect.closeTo(Date.now() + 1_000, -3) });
    expect(readFileSync(path)).toEqual(before);
    await ledger.remove(path);
    await expect(renewEntry(path)).rejects.toThrow("ENOENT");
  });

  test("given entries of the dead and of the living, then only those of the dead are left behind", async () => {
    const ledger = await Ledger.open(folder);
    await ledger.add(await entry());
    const path = await ledger.add({ ...(await entry()), owner: { pid: deadPid, start: null } });
    expect(await abandoned(await ledger.list())).toMatchObject([{ path }]);
  });

  test.each([
    ["half a line", (text: string) => text.slice(0, text.length / 2), "its checksum is wrong"],
    ["one letter changed", (text: string) => text.replace("pi-1", "pi-7"), "its checksum is wrong"],
    ["something else", () => "{}", "it does not begin as an entry does"],
    ["nothing", () => "", "it does not begin as an entry does"],
    ["a later version's", (text: string) => text.replace("adrift-cut 1", "adrift-cut 2"), "another version of Adrift"],
  ])(
    "given an entry that is %s, then it is told, nothing is lost, and the others are healed",
    async (_, damage, why) => {
      const ledger = await Ledger.open(folder);
      const path = await ledger.add(await entry());
      writeFileSync(path, damage(readFileSync(path, "utf8")));
      const whole = await ledger.add(await entry());
      expect(await ledger.list()).toEqual(
        expect.arrayContaining([
          { path, entry: null, reason: expect.stringContaining(why) },
          expect.objectContaining({ path: whole, untilMs: expect.any(Number) }),
        ]),
      );
      const told = await leftoverCuts(folder);
      expect(told).toEqual([{ what: expect.stringContaining(path), advice: expect.stringContaining(why) }]);
      expect(await healLeftovers(folder, () => undefined, nobody)).toEqual(told);
      expect(existsSync(path)).toBe(true);
    },
  );

  test("given a disk that is full, then nothing is cut, and it is said why and what to do", async () => {
    const ledger = await Ledger.open(folder);
    const written = await entry();
    const full = Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC" });
    vi.spyOn(Folder.prototype, "replace").mockRejectedValueOnce(full);
    const adding = ledger.add(written);
    await expect(adding).rejects.toBeInstanceOf(CutterFailure);
    await expect(adding).rejects.toThrow(/written down before it is cut.*There is no space left: make room/s);
    expect(readdirSync(folder)).toEqual([]);
  });

  test("given a folder that others may enter, then it is refused", async () => {
    chmodSync(folder, 0o755);
    await expect(Ledger.open(folder)).rejects.toThrow(`chmod 700 ${folder}`);
  });

  test("then it stands where state survives a restart", () => {
    expect(usualLedgerFolder({ XDG_STATE_HOME: "/somewhere" })).toBe("/somewhere/adrift/cuts");
    expect(usualLedgerFolder({})).toMatch(/\/\.local\/state\/adrift\/cuts$/);
  });
});

describe("devices", () => {
  test("given a device that is taken, then nobody else gets it until it is released", async () => {
    const lock = await takeDevices(folder, ["a switch", "a relay"], 0);
    await expect(takeDevices(folder, ["a relay"], 0)).rejects.toThrow(
      "A relay is in use by this very program already.",
    );
    const other = await takeDevices(folder, ["another relay"], 0);
    const waiting = takeDevices(folder, ["a relay"], 5_000);
    await lock.release();
    await (await waiting).release();
    await other.release();
  });

  test("given two that want the same devices in another order, then both get them, one after the other", async () => {
    const take = async (devices: readonly string[]) => (await takeDevices(folder, devices, 5_000)).release();
    await Promise.all([take(["a", "b", "c"]), take(["c", "b", "a"]), take(["b", "a"])]);
  });
});

async function entry(): Promise<LedgerEntry> {
  return {
    owner: await thisProcess(),
    leaseMs: 1_000,
    what: { kind: "cable", cable: "pi-1", direction: "both" },
    devices: ["the cables of the bench rack, by hand"],
    bench,
    folder: "/",
    hosts: {},
  };
}
