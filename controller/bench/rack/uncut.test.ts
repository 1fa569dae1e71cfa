import { expect, test } from "vitest";
import type { Cable } from "../../../hardware/bench.ts";
import { CutterFailure } from "../../cutters/cutter.ts";
import { uncutCables } from "./uncut.ts";

const cable: Cable = {
  name: "uplink",
  ends: [
    { node: "pi-1", port: "eth0" },
    { node: "switch", port: "1" },
  ],
  cutter: { name: "virtual", channel: null },
  speedMbps: 100,
};

test("given a cable without a cutter, then it is whole and stays so, and who wants it cut is told what to write", async () => {
  const uncut = uncutCables();
  await uncut.heal(cable);
  expect(await uncut.read(cable)).toBe("whole");
  await expect(uncut.cut(cable, "both", 1_000)).rejects.toThrow(CutterFailure);
  await expect(uncut.cut(cable, "both", 1_000)).rejects.toThrow(/the cable uplink .* "cutter: hand"/);
  expect(await uncut.read(cable)).toBe("whole");
});
