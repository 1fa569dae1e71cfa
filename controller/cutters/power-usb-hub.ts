/**
 * The power source `usb-hub`: a hub that switches its ports, by the program uhubctl (2.4 and later) on this machine. A board
 * without power has crashed; its cable is not cut by that.
 */

import type { PowerSource } from "../../hardware/bench.ts";
import { controllerNode } from "../../hardware/bench.ts";
import { CutterFailure, type CutterIdentity, type OpenPowerSource } from "./cutter.ts";
import type { CommandHost, CutterSurroundings } from "./surroundings.ts";

type UsbHubSettings = Extract<PowerSource, { readonly driver: "usb-hub" }>;

/** How long uhubctl may take: hubs answer slowly, and it waits between the halves of a USB 3 hub. */
const uhubctlMsMax = 5_000;

/** Opens it. @throws {CutterFailure} if uhubctl or the hub is missing */
export async function openUsbHub(source: UsbHubSettings, surroundings: CutterSurroundings): Promise<OpenPowerSource> {
  const hub = new UsbHub(source, surroundings.hostOf(controllerNode));
  await hub.identify();
  return hub;
}

/** What uhubctl tells of the hub: who it is, and by port whether each of its halves (USB 2 and 3) gives power. */
type Listing = { readonly device: string; readonly ports: ReadonlyMap<string, readonly boolean[]> };

class UsbHub implements OpenPowerSource {
  readonly name: string;
  readonly #location: string;
  readonly #host: CommandHost;
  /** uhubctl goes through all of USB, so two of them at once disturb each other. */
  #turn: Promise<unknown> = Promise.resolve();
  #closed = false;

  constructor({ name, location }: UsbHubSettings, host: CommandHost) {
    this.name = name;
    this.#location = location;
    this.#host = host;
  }

  switchOff(channel: string): Promise<void> {
    return this.#switch(channel, "off");
  }

  switchOn(channel: string): Promise<void> {
    return this.#switch(channel, "on");
  }

  isOn(channel: string): Promise<boolean> {
    return this.#isOn(channel);
  }

  async identify(): Promise<CutterIdentity> {
    const { device, ports } = await this.#ask([]);
    return {
      device: `the USB hub ${this.#location}: ${device}`,
      remarks: [
        `It feeds by the ports ${[...ports.keys()].join(", ")}.`,
        "Many hubs say that a port is off and go on feeding it: look once whether the board's light goes out.",
        "A port that is off stays off until it is told to be on. A board without power has crashed: that is no cut.",
      ],
    };
  }

  close(): Promise<void> {
    this.#closed = true;
    return Promise.resolve();
  }

  async #switch(channel: string, wanted: "on" | "off"): Promise<void> {
    await this.#ask(["-p", portOf(channel), "-a", wanted]);
    if ((await this.#isOn(channel)) === (wanted === "on")) return;
    throw new CutterFailure(
      `The USB hub ${this.#location} was told to switch its port ${channel} ${wanted}, and did not. Not every hub that ` +
        "says it can really can: see uhubctl's list of hubs that do.",
    );
  }

  async #isOn(channel: string): Promise<boolean> {
    const { ports } = await this.#ask([]);
    const halves = ports.get(portOf(channel));
    if (halves !== undefined) return halves.includes(true);
    throw new CutterFailure(
      `The USB hub ${this.#location} has no port ${channel} that it switches. It has: ${[...ports.keys()].join(", ")}.`,
    );
  }

  #ask(options: readonly string[]): Promise<Listing> {
    const asked = this.#turn.then(() => this.#run(options));
    this.#turn = asked.catch(() => {});
    return asked;
  }

  async #run(options: readonly string[]): Promise<Listing> {
    if (this.#closed) throw new CutterFailure(`${this.name} has been closed.`);
    const command = ["uhubctl", "-l", this.#location, ...options];
    const { status, out, err } = await this.#host.run(command, "", uhubctlMsMax);
    const listing = readListing(out, this.#location);
    if (status === 0 && listing !== null) return listing;
    if (/permission/i.test(err)) {
      throw new CutterFailure(
        "uhubctl may not use USB: run as root, or let your user do it by a rule of udev, as its documentation shows.",
      );
    }
    throw new CutterFailure(
      `uhubctl finds no hub that switches its ports at ${this.#location} (${err.trim().split("\n")[0] || `status ${status}`}). ` +
        "Is it plugged in? Run uhubctl alone to see where hubs are; few of them switch single ports.",
    );
  }
}

/**
 * Reads what uhubctl prints. Of a USB 3 hub it shows two hubs, of which the second is the other half of the same ports; with
 * an order it shows each before and after, and the later counts.
 */
function readListing(text: string, location: string): Listing | null {
  const hubs = new Map<string, Map<string, boolean>>();
  let device: string | null = null;
  let ports = new Map<string, boolean>();
  for (const line of text.split("\n")) {
    const [, where, description = ""] = /^(?:Current|New) status for hub (\S+) \[(.*)\]$/.exec(line) ?? [];
    if (where !== undefined) {
      ports = new Map();
      hubs.set(where, ports);
      if (where === location) device = description;
    }
    const [, port, state] = /^ {2}Port ([0-9]+): [0-9a-f]{4} (.*)$/.exec(line) ?? [];
    if (port !== undefined && state !== undefined) ports.set(port, state.split(" ").includes("power"));
  }
  if (device === null) return null;
  const numbers = new Set([...hubs.values()].flatMap((each) => [...each.keys()]));
  const halvesOf = (port: string): boolean[] => [...hubs.values()].flatMap((each) => each.get(port) ?? []);
  return { device, ports: new Map([...numbers].map((port) => [port, halvesOf(port)])) };
}

function portOf(channel: string): string {
  if (/^[0-9]+$/.test(channel)) return channel;
  throw new CutterFailure(`"${channel}" is no port of a USB hub: write its number, as in "usb:2".`);
}
