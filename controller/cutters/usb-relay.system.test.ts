import { spawnSync } from "node:child_process";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { describeCutter } from "./cutter.suite.ts";
import { CutterFailure, type OpenCutter } from "./cutter.ts";
import { benchOf, cablesAt, openOn } from "./relay-surroundings.fixture.ts";
import { openUsbRelayCutter } from "./usb-relay.ts";
import { UsbRelayPeer } from "./usb-relay-peer.fixture.ts";

const hasSocat = spawnSync("socat", ["-V"]).status === 0;
const cables = cablesAt(1, 4);
const [first] = cables;

describe.skipIf(!hasSocat && !process.env["CI"])("boards behind a pair of pseudo-terminals (socat)", () => {
  describeCutter("a USB relay board that says how its relays are", async () => {
    const peer = await UsbRelayPeer.plugIn({ answersStatus: true });
    return {
      cutter: await openOn(peer, () => open(peer)),
      cables,
      peer: {
        look: (cable) => peer.look(Number(cable.cutter.channel)),
        change: (cable, state) => peer.set(Number(cable.cutter.channel), state),
        troubles: {
          unplugged: { begin: () => peer.unplug(), end: () => peer.plugIn() },
          silent: switched((isOn) => {
            peer.isSilent = isOn;
          }),
          slow: switched((isOn) => {
            peer.delayMs = isOn ? 250 : 0;
          }),
          wrong: switched((isOn) => {
            peer.isWrong = isOn;
          }),
        },
        leaseMsMin: null,
        dispose: () => peer.dispose(),
      },
    };
  });

  describe("given a board that does not say how its relays are", () => {
    let peer: UsbRelayPeer;
    let cutter: OpenCutter;

    beforeEach(async () => {
      peer = await UsbRelayPeer.plugIn({ answersStatus: false });
      peer.set(1, "both");
      cutter = await openOn(peer, () => open(peer));
    });
    afterEach(async () => {
      await cutter.close();
      await peer.dispose();
    });

    test("when it is opened, then its cables are healed, and its identity says that it cannot be read back", async () => {
      expect(peer.look(1)).toBe("whole");
      expect(peer.frames.slice(0, 2)).toEqual(["a00100a1", "a00400a4"]);
      expect((await cutter.identify()).remarks.join()).toMatch(/cannot be read back/);
    });

    test("when a cable is cut and healed, then the relay follows, and nobody claims to know how it is", async () => {
      await cutter.cut(first, "both", 60_000);
      await expect.poll(() => peer.look(1)).toBe("both");
      await expect(cutter.read(first)).rejects.toThrow(CutterFailure);
      expect(peer.look(1)).toBe("both");
      await cutter.heal(first);
      await expect.poll(() => peer.look(1)).toBe("whole");
    });

    test("when it is unplugged, then a cut fails, and when it is back the cutter works", async () => {
      await peer.unplug();
      await expect(cutter.cut(first, "both", 60_000)).rejects.toThrow(CutterFailure);
      await peer.plugIn();
      await expect
        .poll(() =>
          cutter.cut(first, "both", 60_000).then(
            () => true,
            () => false,
          ),
        )
        .toBe(true);
      await expect.poll(() => peer.look(1)).toBe("both");
    });
  });
});

function open(peer: UsbRelayPeer): Promise<OpenCutter> {
  return openUsbRelayCutter({ name: "relays", driver: "usb-relay", serialPort: peer.path }, benchOf(cables));
}

function switched(turn: (isOn: boolean) => void): { begin(): void; end(): void } {
  return { begin: () => turn(true), end: () => turn(false) };
}
