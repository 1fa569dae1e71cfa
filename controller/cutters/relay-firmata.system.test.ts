import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { InProcessBoard, missingForSimavr, SimavrBoard, type TestBoard } from "./avr-board.fixture.ts";
import type { PinName } from "./avr-chip.fixture.ts";
import { describeCutter } from "./cutter.suite.ts";
import type { OpenCutter } from "./cutter.ts";
import { openRelayCutter } from "./relay.ts";
import { benchOf, cablesAt, openOn, peerOf } from "./relay-surroundings.fixture.ts";

/** Real StandardFirmata for the Uno. It is under the LGPL and comes from where it is published, never from here. */
const source = {
  pack: "avrgirl-arduino@5.0.1",
  file: "package/junk/hex/uno/StandardFirmata.cpp.hex",
  sha256: "6d57ea7cf30e26c9c2f3a01ee37907d2c951f8bc9c27f84dddad12fa9c8b8f36",
};
const firmata = fetchFirmata();
const missing = process.env["CI"] ? null : missingForSimavr();
const cables = cablesAt(7, 12);

describe.skipIf(firmata === null && !process.env["CI"])(
  "StandardFirmata (by npm pack; missing if nothing follows)",
  () => {
    const hex = firmata ?? "";

    test("is the firmware that these tests were written for", () => {
      expect(createHash("sha256").update(hex).digest("hex")).toBe(source.sha256);
    });

    describeCutter("StandardFirmata on avr8js", async () => {
      const board = new InProcessBoard(hex);
      return { cutter: await openOn(board, () => open(board)), cables, peer: peerOf(board, relayPin) };
    });

    describe.skipIf(missing !== null)(`boards by simavr (missing here: ${missing ?? "nothing"})`, () => {
      describeCutter("StandardFirmata on simavr", async () => {
        const board = await SimavrBoard.plugIn(hex);
        return { cutter: await openOn(board, () => open(board)), cables, peer: peerOf(board, relayPin) };
      });

      test("given a pin that cannot hold a relay, when the cutter is opened, then it says which", async () => {
        const board = await SimavrBoard.plugIn(hex);
        const wrong = { name: "relays", driver: "relay", serialPort: board.path, firmware: "firmata" } as const;
        await expect(openRelayCutter(wrong, benchOf(cablesAt(1, 7)))).rejects.toThrow(
          /relays:1 is not a pin of the board/,
        );
        await board.dispose();
      });
    });
  },
);

async function open(board: TestBoard): Promise<OpenCutter> {
  const settings = { name: "relays", driver: "relay", serialPort: board.path, firmware: "firmata" } as const;
  return await openRelayCutter(settings, benchOf(cables), board.connect);
}

function relayPin(channel: number): PinName {
  return channel === 7 ? "D7" : "B4";
}

/** `null` if the registry of packages cannot be reached. */
function fetchFirmata(): string | null {
  const folder = mkdtempSync(join(tmpdir(), "adrift-firmata-"));
  try {
    const options = { cwd: folder, timeout: 60_000, stdio: "ignore" } as const;
    execFileSync("npm", ["pack", source.pack], options);
    execFileSync("tar", ["xzf", `${source.pack.replace("@", "-")}.tgz`, source.file], options);
    return readFileSync(join(folder, source.file), "utf8");
  } catch {
    return null;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
