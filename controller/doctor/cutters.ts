/**
 * The cutters and power sources: whether each is there, which device it is, and that nothing is cut that nobody holds.
 * Nothing is cut here. What a living run holds is left alone.
 */

import type { Cable, Cutter, PowerSource } from "../../hardware/bench.ts";
import type { OpenCutter, OpenPowerSource } from "../cutters/cutter.ts";
import { type Finding, ok, reasonOf, unchecked, warning, wrong } from "./finding.ts";

/** How the devices of a bench are reached. */
export type DeviceAccess = {
  /** Takes the devices of a cutter or source for the doctor; gives why it cannot, `null` if it can. */
  take(device: Cutter | PowerSource): Promise<string | null>;
  openCutter(cutter: Cutter): Promise<OpenCutter>;
  openSource(source: PowerSource): Promise<OpenPowerSource>;
  /** Whether `adrift heal` knows of it: a run that died had it cut. */
  isLeftCut(cable: string): Promise<boolean>;
};

/** Looks at a cutter. @param cables those that it opens */
export async function checkCutter(
  cutter: Cutter,
  cables: readonly Cable[],
  access: DeviceAccess,
): Promise<readonly Finding[]> {
  const { name, driver } = cutter;
  const taken = await access.take(cutter);
  if (taken !== null) return [unchecked(name, taken, null)];
  let open: OpenCutter;
  try {
    open = await access.openCutter(cutter);
  } catch (error) {
    return [wrong(name, reasonOf(error), null)];
  }
  try {
    const { device, remarks } = await open.identify();
    // Whether a cable is plugged in that only hands pull, people see for themselves.
    const looks =
      driver === "hand" ? [] : await Promise.all(cables.map((cable) => checkCable(cutter, cable, open, access)));
    const findings = looks.flat();
    return findings.length > 0 ? findings : [ok(name, wellWords(device, driver, cables), remarks)];
  } catch (error) {
    return [wrong(name, reasonOf(error), null)];
  } finally {
    await open.close();
  }
}

/** Looks at a power source. @param outlets the boards that it feeds, and by which of its outlets */
export async function checkPower(
  source: PowerSource,
  outlets: readonly { readonly board: string; readonly channel: string }[],
  access: DeviceAccess,
): Promise<readonly Finding[]> {
  const { name } = source;
  const taken = await access.take(source);
  if (taken !== null) return [unchecked(name, taken, null)];
  let open: OpenPowerSource;
  try {
    open = await access.openSource(source);
  } catch (error) {
    return [wrong(name, reasonOf(error), null)];
  }
  try {
    const { device, remarks } = await open.identify();
    const looks = await Promise.all(
      outlets.map(async ({ board, channel }): Promise<readonly Finding[]> => {
        try {
          if (await open.isOn(channel)) return [];
          const cure = "The next run on this rack switches it on; or do it at the device.";
          return [wrong(board, `it has no power: the outlet ${channel} of ${name} is off`, cure)];
        } catch (error) {
          return [wrong(board, reasonOf(error), null)];
        }
      }),
    );
    return [...looks.flat(), ...(looks.flat().length > 0 ? [] : [ok(name, device, remarks)])];
  } catch (error) {
    return [wrong(name, reasonOf(error), null)];
  } finally {
    await open.close();
  }
}

async function checkCable(
  { name: cutterName, driver }: Cutter,
  cable: Cable,
  open: OpenCutter,
  access: DeviceAccess,
): Promise<readonly Finding[]> {
  const where = `${cutterName}, cable ${cable.name}`;
  try {
    if ((await open.read(cable)) === "whole") return [];
  } catch (error) {
    // Some boards with USB relays never say how they are; they work all the same.
    return driver === "usb-relay" ? [unchecked(where, reasonOf(error), null)] : [wrong(where, reasonOf(error), null)];
  }
  if (driver === "broker") {
    const cure =
      "A run does that now, or one did that died: then the brokers end it by themselves. Look again in half a minute.";
    return [warning(where, "the brokers withhold what would go over it", cure)];
  }
  if (await access.isLeftCut(cable.name)) {
    return [wrong(where, "it is cut, and the run that did it is gone", '"npx adrift heal" heals it.')];
  }
  const cure = "The next run on this rack heals it at its start; or close the circuit at the device.";
  return [wrong(where, "it is cut, and no run of this user holds it", cure)];
}

function wellWords(device: string, driver: Cutter["driver"], cables: readonly Cable[]): string {
  const whole = cables.length === 1 ? "its cable is whole" : `its ${cables.length} cables are whole`;
  return [device, driver === "hand" ? "" : whole].filter((words) => words !== "").join("; ");
}
