import { existsSync, readdirSync, readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseBench } from "../../../hardware/bench.ts";
import type { RaftSettings } from "../../experiment/model.ts";
import { realTime, waitUntil } from "../../experiment/time.ts";
import type { ExperimentBench } from "../bench.ts";
import { startQemuExperimentBench } from "../qemu-experiment.ts";

/** An emulated machine boots for a minute or more, so this is tried before a release and not with every change. */
const isRelease = process.env["ADRIFT_RELEASE_TESTS"] === "1";
if (!isRelease)
  console.log("A virtual board is skipped: set ADRIFT_RELEASE_TESTS=1 to boot it, which takes 3 minutes.");

const raft: RaftSettings = {
  leaseReads: false,
  clockDriftPpmMax: null,
  snapshotAfterEntries: null,
  trailingEntries: null,
};
const bootMsMax = 900_000;
const soonUs = 60_000_000;

describe.skipIf(!isRelease)("a virtual board", () => {
  let bench: ExperimentBench;
  const before = new Set(virtualMachines());

  beforeAll(async () => {
    const described = parseBench("name: lonely\nboards: 1\n", "lonely.yaml");
    bench = await startQemuExperimentBench(described, raft, realTime, (line) => console.log(line));
  }, bootMsMax);

  afterAll(() => bench.close(), soonUs / 1_000);

  it("given its image's first boot, then it leads a cluster of its own", async () => {
    const leads = async () => (await bench.statuses()).get("pi-1")?.role === "leader";
    expect(await waitUntil(leads, soonUs, realTime)).toBe(true);
  });

  it(
    "when its cable is cut and healed, then its kernel saw the carrier go and come, as its flight recorder says",
    async () => {
      await bench.carryOut({ kind: "cut", cable: "pi-1", direction: "both" });
      const isSilent = async () => !(await bench.statuses()).has("pi-1");
      expect(await waitUntil(isSilent, soonUs, realTime)).toBe(true);
      await bench.carryOut({ kind: "heal", cable: "pi-1" });
      const isBack = async () => (await bench.statuses()).has("pi-1");
      expect(await waitUntil(isBack, soonUs, realTime)).toBe(true);
      const carriers = (await bench.flightRecords()).flatMap(({ record: { happening } }) =>
        JSON.stringify(happening).includes('"carrier"') ? [happening] : [],
      );
      expect(carriers).toEqual(
        expect.arrayContaining([
          expect.objectContaining({ kind: "carrier", up: false }),
          expect.objectContaining({ kind: "carrier", up: true }),
        ]),
      );
    },
    3 * (soonUs / 1_000),
  );

  it(
    "when its power is cut, then it comes back with what it had flushed",
    async () => {
      const term = (await bench.statuses()).get("pi-1")?.term ?? 0;
      await bench.carryOut({ kind: "powerOff", board: "pi-1" });
      expect(virtualMachines().filter((pid) => !before.has(pid))).toEqual([]);
      await bench.carryOut({ kind: "start", board: "pi-1" });
      const leadsLater = async () => {
        const status = (await bench.statuses()).get("pi-1");
        return status?.role === "leader" && status.term > term;
      };
      expect(await waitUntil(leadsLater, soonUs, realTime)).toBe(true);
    },
    bootMsMax,
  );
});

/** The processes of QEMU that run on this computer at present. */
function virtualMachines(): readonly string[] {
  return readdirSync("/proc").filter((pid) => {
    const path = `/proc/${pid}/comm`;
    return /^\d+$/.test(pid) && existsSync(path) && readComm(path).startsWith("qemu-system");
  });
}

function readComm(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    // It has ended meanwhile.
    return "";
  }
}
