import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Cable } from "../../hardware/bench.ts";
import { InProcessBoard, missingForSimavr, SimavrBoard, type TestBoard } from "./avr-board.fixture.ts";
import type { PinName } from "./avr-chip.fixture.ts";
import { type CutterPeer, describeCutter } from "./cutter.suite.ts";
import type { OpenCutter } from "./cutter.ts";
import { openRelayCutter, type RelaySettings } from "./relay.ts";
import { relayHex } from "./relay-firmware.fixture.ts";
import { encodeLine } from "./relay-line.ts";
import { benchOf, cablesAt, openOn, peerOf } from "./relay-surroundings.fixture.ts";
import { connectSerial } from "./serial-connection.ts";

const missing = process.env["CI"] ? null : missingForSimavr();
const cables = cablesAt(2, 6);
const [first] = cables;

describeCutter("the relay firmware on avr8js", async () => {
  const board = new InProcessBoard(relayHex);
  return { cutter: await openOn(board, () => open(board)), cables, peer: withButtons(board) };
});

describe.skipIf(missing !== null)(`boards by simavr (missing here: ${missing ?? "nothing"})`, () => {
  describeCutter("the relay firmware on simavr", async () => {
    const board = await SimavrBoard.plugIn(relayHex);
    return { cutter: await openOn(board, () => open(board)), cables, peer: withButtons(board) };
  });

  describe("given a board that runs the relay firmware", () => {
    let board: SimavrBoard;

    beforeEach(async () => {
      board = await SimavrBoard.plugIn(relayHex);
    });
    afterEach(() => board.dispose());

    const pin = relayPin(2);
    const expectPin = (level: string, timeout = 2_000) =>
      expect.poll(() => board.pin(pin), { timeout, interval: 5 }).toBe(level);

    test("when the process that holds a cut is killed with kill -9, then the cable heals by itself", async () => {
      const host = spawn(process.execPath, ["--import", "tsx", holder, board.path], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      await once(host.stdout, "data");
      await expectPin("high");
      host.kill("SIGKILL");
      await once(host, "close");
      await expectPin("high", 100);
      await expectPin("low", 12_000);
    });

    test("when the host lives but renews nothing, then the cut lasts as long as its lease, longer than a quiet line", async () => {
      const cutter = await open(board);
      const leaseMs = 7_000;
      await cutter.cut(first, "both", leaseMs);
      const cutAtMs = performance.now();
      await expectPin("low", leaseMs + 5_000);
      expect(performance.now() - cutAtMs).toBeGreaterThan(leaseMs - 200);
      await cutter.close();
    });

    test("when noise fills the line, then nothing is cut, and a request is answered after it", async () => {
      const connection = await connectSerial(board.path, 38_400);
      let heard = "";
      connection.onBytes((bytes) => {
        heard += Buffer.from(bytes).toString("latin1");
      });
      const request = encodeLine("1 set 2 cut 60000");
      let seed = 1;
      const chance = (below: number): number => {
        seed = (Math.imul(seed, 1_103_515_245) + 12_345) & 0x7fff_ffff;
        return (seed >>> 8) % below;
      };
      for (let line = 0; line < 30; line++) {
        const bytes = Buffer.from(request);
        bytes[chance(bytes.length - 1)] = 0x80 + chance(0x80);
        await connection.write(bytes);
        await connection.write(Buffer.from(Array.from({ length: chance(80) }, () => chance(256))));
        await connection.write(Buffer.from("\n"));
      }
      await expect
        .poll(async () => {
          await connection.write(Buffer.from(encodeLine("2 read 2")));
          return heard;
        })
        .toContain(encodeLine("2 ok 2 whole"));
      expect(board.told.filter((line) => line.startsWith("pins ")).some(hasRelays)).toBe(false);
      await connection.close();
    });

    test("when a second program opens its port, then that is told who is in the way, and the first keeps its cut", async () => {
      const cutter = await open(board);
      await cutter.cut(first, "both", 60_000);
      await expect(open(board)).rejects.toThrow(/another program holds it/);
      expect(await cutter.read(first)).toBe("both");
      await cutter.close();
    });

    test("when its program hangs while a cable is cut, then it starts again healed, and its identity says why", async () => {
      const cutter = await open(board);
      await cutter.cut(first, "both", 60_000);
      await expectPin("high");
      board.order("hang");
      await expectPin("low");
      expect(await cutter.read(first)).toBe("whole");
      expect((await cutter.identify()).remarks.join()).toMatch(/it hung/);
      await cutter.close();
    });

    test("when it runs other firmware's speed, or nothing, then opening says what to do", async () => {
      const wrongFirmware: RelaySettings = {
        name: "relays",
        driver: "relay",
        serialPort: board.path,
        firmware: "firmata",
      };
      await expect(openRelayCutter(wrongFirmware, benchOf(cables))).rejects.toThrow(
        /StandardFirmata.*firmware: adrift/,
      );
      const nowhere: RelaySettings = { ...wrongFirmware, firmware: "adrift", serialPort: "/dev/adrift-nowhere" };
      await expect(openRelayCutter(nowhere, benchOf(cables))).rejects.toThrow(
        /There is no serial port \/dev\/adrift-nowhere/,
      );
    });
  });
});

const holder = fileURLToPath(new URL("./relay-holder.fixture.ts", import.meta.url));

async function open(board: TestBoard): Promise<OpenCutter> {
  const settings: RelaySettings = { name: "relays", driver: "relay", serialPort: board.path, firmware: "adrift" };
  return await openRelayCutter(settings, benchOf(cables), board.connect);
}

/** The buttons are what changes a circuit behind the driver's back. */
function withButtons(board: TestBoard): CutterPeer {
  const peer = peerOf(board, relayPin);
  const change = async (cable: Cable, state: "whole" | "both"): Promise<void> => {
    if ((await peer.look(cable)) === state) return;
    const button: PinName = cable === first ? "C1" : "C5";
    board.hold(button, true);
    await expect.poll(() => peer.look(cable)).toBe(state);
    board.hold(button, false);
    // The next press counts only after this one has ended, which nothing outside shows.
    await new Promise((resolve) => setTimeout(resolve, 100));
  };
  return { ...peer, change };
}

function relayPin(channel: number): PinName {
  return channel === 2 ? "D3" : "D7";
}

/** Whether any of the relays' pins is high, in a line `pins <cycle> <DDRB> <PORTB> <DDRC> <PORTC> <DDRD> <PORTD>`. */
function hasRelays(line: string): boolean {
  return (Number.parseInt(line.split(" ")[7] ?? "0", 16) & 0xfc) !== 0;
}
