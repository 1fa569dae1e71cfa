import { execFileSync, spawnSync } from "node:child_process";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { type CarrierWatch, watchCarrier } from "./carrier.ts";

const suffix = process.pid.toString(36);
const [near, far] = [`ad${suffix}a`, `ad${suffix}b`];
const add = ["link", "add", near, "type", "veth", "peer", "name", far];
const canMakeCables = spawnSync("ip", add).status === 0;
if (canMakeCables) execFileSync("ip", ["link", "delete", near]);

describe.skipIf(!canMakeCables && !process.env["CI"])(
  "given a virtual cable between two interfaces (needs root and iproute2)",
  () => {
    const changes: string[] = [];
    let watch: CarrierWatch | null = null;

    beforeAll(() => {
      execFileSync("ip", add);
      watch = watchCarrier({
        interfaces: [near],
        onChange: (name, up) => void changes.push(`${name} ${up ? "up" : "down"}`),
      });
    });
    afterAll(() => {
      watch?.close();
      execFileSync("ip", ["link", "delete", near]);
    });

    test("when it is switched on, cut at the other end, healed and switched off, then each is seen as it happens", async () => {
      const steps = [
        { command: [far, "up"], seen: null },
        { command: [near, "up"], seen: `${near} up` },
        { command: [far, "down"], seen: `${near} down` },
        { command: [far, "up"], seen: `${near} up` },
        { command: [near, "down"], seen: `${near} down` },
      ];
      await vi.waitFor(() => expect(changes).toEqual([`${near} down`]));
      const expected = [...changes];
      for (const { command, seen } of steps) {
        execFileSync("ip", ["link", "set", ...command]);
        if (seen === null) continue;
        expected.push(seen);
        await vi.waitFor(() => expect(changes).toEqual(expected), { timeout: 2_000 });
      }
    });
  },
);
