import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { describe, expect, test } from "vitest";
import type { Cable } from "../../hardware/bench.ts";
import { type CutterPeer, describeCutter } from "./cutter.suite.ts";
import type { OpenCutter } from "./cutter.ts";
import { openGpioCutter } from "./gpio.ts";
import { FileChip, type Generation, type GpioTrouble } from "./gpio-peer.fixture.ts";
import { cableTo, surroundingsFor } from "./switch-surroundings.fixture.ts";

const cables: [Cable, Cable] = [withLine("pi-1", "3"), withLine("pi-2", "4")];

describeCutter(
  "the driver gpio with libgpiod 1.6, on a chip whose lines become inputs when they are let go of",
  async () => {
    const chip = new FileChip("1.6.3", false);
    return { cutter: await open(chip, false), cables, peer: peerOf(chip, false) };
  },
);

describeCutter(
  "the driver gpio with libgpiod 2, on a chip that goes on driving its lines, with relays that are active low",
  async () => {
    const chip = new FileChip("2.2.1", true);
    return { cutter: await open(chip, true), cables, peer: { ...peerOf(chip, true), change: changer(chip) } };
  },
);

describe("what goes wrong around a GPIO chip", () => {
  const withChip = async (generation: Generation, keepsDriving: boolean, story: (chip: FileChip) => Promise<void>) => {
    const chip = new FileChip(generation, keepsDriving);
    try {
      await story(chip);
    } finally {
      await chip.dispose();
    }
  };

  test("given no chip of that label, then it says which there are", () =>
    withChip("2.2.1", true, async (chip) => {
      await expect(open(chip, false, "pinctrl-rp1")).rejects.toThrow(
        /no GPIO chip with the label pinctrl-rp1. Its chips: another-chip, pinctrl-test/,
      );
    }));

  test("given a line that another program holds, then it says who, and neither cuts nor lies", () =>
    withChip("2.2.1", true, async (chip) => {
      const cutter = await open(chip, false);
      const other = chip.host.hold(["gpioset", "-C", "somebody", "-c", "gpiochip0", "3=1"]);
      await expect.poll(() => chip.holder("3")).not.toBeNull();
      await expect(cutter.read(cables[0])).rejects.toThrow(/held as output by "somebody"/);
      await expect(cutter.cut(cables[0], "both", 60_000)).rejects.toThrow(/somebody|busy/);
      await other.end();
      await cutter.close();
    }));

  for (const generation of ["1.6.3", "2.2.1"] as const) {
    for (const keepsDriving of [false, true]) {
      test(`given libgpiod ${generation} and a chip that ${keepsDriving ? "goes on driving" : "lets go"}, when the controller is killed, then its cuts heal`, () =>
        withChip(generation, keepsDriving, async (chip) => {
          const commands: string[][] = [];
          const recording = {
            ...chip.host,
            hold: (command: readonly string[]) => {
              commands.push([...command]);
              return chip.host.hold(command);
            },
          };
          const recorder = await openGpioCutter(settingsOf(false), {
            ...surroundingsFor("/", cables),
            hostOf: () => recording,
          });
          await recorder.cut(cables[0], "both", 60_000);
          await recorder.close();
          const [command = []] = commands;

          // A controller of its own, which holds the line as the driver does, and is then killed.
          const { path } = chip;
          const controller = spawn(process.execPath, ["-e", controllerProgram, JSON.stringify(command)], {
            env: { ...process.env, PATH: path },
            stdio: "ignore",
          });
          await expect.poll(() => chip.level("3"), { timeout: 10_000 }).toBe(1);
          const ended = once(controller, "exit");
          controller.kill("SIGKILL");
          await ended;
          await expect.poll(() => chip.level("3"), { timeout: 10_000 }).toBe(0);
          await expect.poll(() => chip.holder("3"), { timeout: 10_000 }).toBeNull();
        }));
    }
  }

  test("given the gpioset of this machine, then its options and errors are those of the stand-in", () =>
    withChip("1.6.3", false, async (chip) => {
      const real = spawnSync("gpioset", ["--version"], { encoding: "utf8" });
      if (!/v1\.6/.test(real.stdout)) return;
      const asked = [
        ["gpioset", "--active-low", "--mode=signal", "no-chip", "1=1"],
        ["gpioget", "--active-low", "no-chip", "1"],
        ["gpioinfo", "no-chip"],
      ];
      for (const [program = "", ...parameters] of asked) {
        const theirs = spawnSync(program, parameters, { encoding: "utf8" });
        const ours = await chip.host.run([program, ...parameters], "", 5_000);
        expect(ours.status).toBe(theirs.status);
        expect(theirs.stderr).not.toMatch(/unrecognized|invalid/);
      }
      const versionOf = (text: string): string => text.split("\n")[0] ?? "";
      const ours = await chip.host.run(["gpioset", "--version"], "", 5_000);
      expect(versionOf(ours.out)).toBe(versionOf(execFileSync("gpioset", ["--version"], { encoding: "utf8" })));
    }));
});

const controllerProgram = `
  const [program, ...parameters] = JSON.parse(process.argv[1]);
  require("node:child_process").spawn(program, parameters, { stdio: ["pipe", "pipe", "pipe"], detached: true });
  setInterval(() => {}, 1_000);
`;

function withLine(board: string, line: string): Cable {
  return { ...cableTo(line, board, "lines"), cutter: { name: "lines", channel: line } };
}

function settingsOf(activeLow: boolean, chip = "pinctrl-test") {
  return { name: "lines", driver: "gpio", chip, activeLow, host: null } as const;
}

function open(chip: FileChip, activeLow: boolean, label?: string): Promise<OpenCutter> {
  return openGpioCutter(settingsOf(activeLow, label), { ...surroundingsFor("/", cables), hostOf: () => chip.host });
}

function peerOf(chip: FileChip, activeLow: boolean): CutterPeer {
  const trouble = (kind: GpioTrouble) => ({ begin: () => chip.begin(kind), end: () => chip.end(kind) });
  return {
    look: ({ cutter }) => {
      const line = cutter.channel ?? "";
      if (activeLow && !chip.isDriven(line)) return "whole";
      return chip.level(line) === (activeLow ? 0 : 1) ? "both" : "whole";
    },
    change: null,
    troubles: { unplugged: trouble("gone"), silent: trouble("silent"), slow: trouble("slow"), wrong: trouble("busy") },
    leaseMsMin: 2_000,
    dispose: () => chip.dispose(),
  };
}

/** Somebody else kills whatever holds the line, or leaves it driven without holding it. */
function changer(chip: FileChip): CutterPeer["change"] {
  return async ({ cutter: { channel } }, state) => {
    const holder = chip.holder(channel ?? "");
    if (holder !== null) {
      process.kill(holder, "SIGKILL");
      await expect.poll(() => chip.level(channel ?? "")).toBe(1);
      return;
    }
    const value = state === "both" ? 1 : 0;
    await chip.host.run(["gpioset", "-l", "-t", "0", "-c", "gpiochip0", `${channel}=${value}`], "", 2_000);
  };
}
