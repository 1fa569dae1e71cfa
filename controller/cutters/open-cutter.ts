/** Opens a cutter or a power source by the driver that its settings name; only that driver is loaded. */

import type { Cutter, PowerSource } from "../../hardware/bench.ts";
import { CutterFailure, type OpenCutter, type OpenPowerSource } from "./cutter.ts";
import type { CutterSurroundings } from "./surroundings.ts";

/** Opens a cutter. @throws {CutterFailure} if its device is not there, or does not answer. */
export async function openCutter(cutter: Cutter, surroundings: CutterSurroundings): Promise<OpenCutter> {
  switch (cutter.driver) {
    case "firewall":
      return (await import("./firewall.ts")).openFirewallCutter(cutter, surroundings);
    case "hand":
      return (await import("./hand.ts")).openHandCutter(cutter, surroundings);
    case "broker": {
      if (surroundings.openBrokers !== null) return surroundings.openBrokers();
      throw new CutterFailure(
        `${cutter.name} cuts by the brokers, and those of this bench are not Adrift's. Run them with "npx adrift broker", ` +
          "or give its cables another cutter.",
      );
    }
    case "virtual": {
      if (surroundings.virtual !== null) return surroundings.virtual;
      throw new CutterFailure(
        `${cutter.name} cuts only what is not real, and the cables of this bench are. Name a cutter for them in the bench's ` +
          'file: "cutter: hand" needs nothing else.',
      );
    }
    case "switch":
      return (await import("./switch.ts")).openSwitchCutter(cutter, surroundings);
    case "relay":
      return (await import("./relay.ts")).openRelayCutter(cutter, surroundings);
    case "usb-relay":
      return (await import("./usb-relay.ts")).openUsbRelayCutter(cutter, surroundings);
    case "gpio":
      return (await import("./gpio.ts")).openGpioCutter(cutter, surroundings);
    default:
      return cutter satisfies never;
  }
}

/** Opens a power source. @throws {CutterFailure} if its device is not there, or does not answer. */
export async function openPowerSource(source: PowerSource, surroundings: CutterSurroundings): Promise<OpenPowerSource> {
  switch (source.driver) {
    case "poe":
      return (await import("./power-poe.ts")).openPoe(source, surroundings);
    case "usb-hub":
      return (await import("./power-usb-hub.ts")).openUsbHub(source, surroundings);
    default:
      return source satisfies never;
  }
}
