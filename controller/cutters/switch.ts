/**
 * The driver `switch`: a managed switch closes its own ports. A cable is cut at the port of this switch into which it is
 * plugged, found by the label that stands in the bench's file, never by a number.
 */

import type { Bench, Cable, Cutter } from "../../hardware/bench.ts";
import type { CutDirection } from "../../sim/network-types.ts";
import { type CircuitState, CutterFailure, type CutterIdentity, type OpenCutter } from "./cutter.ts";
import type { CutterSurroundings } from "./surroundings.ts";
import type { ManagedPorts } from "./switch-ports.ts";

/** The bench's entry of such a cutter. */
export type SwitchCutterSettings = Extract<Cutter, { readonly driver: "switch" }>;

/** How long anything that is asked of a switch may take, the wait for what was asked before included. */
export const switchMsMax = 4_500;

/** How long a look at a port's link may take: it comes again soon. */
const linkMsMax = 1_500;

/**
 * Opens the cutter.
 *
 * @throws {CutterFailure} if the switch does not answer or does not let us in
 */
export async function openSwitchCutter(
  cutter: SwitchCutterSettings,
  surroundings: CutterSurroundings,
): Promise<OpenCutter> {
  const ports = await openPorts(cutter, surroundings.folder);
  try {
    await ports.describe(performance.now() + switchMsMax);
  } catch (reason) {
    ports.close();
    throw reason;
  }
  return new SwitchCutter(cutter, surroundings.bench, ports);
}

async function openPorts(cutter: SwitchCutterSettings, folder: string): Promise<ManagedPorts> {
  if (cutter.protocol === "mikrotik") return (await import("./mikrotik.ts")).openMikrotikPorts(cutter, folder);
  return (await import("./switch-snmp.ts")).openSnmpPorts(cutter, folder);
}

class SwitchCutter implements OpenCutter {
  readonly name: string;
  readonly healsByItself = false;
  readonly cutsOneWay = false;
  readonly #cutter: SwitchCutterSettings;
  readonly #bench: Bench;
  readonly #ports: ManagedPorts;
  /** The last call for each port: calls for one port are carried out in the order in which they came. */
  readonly #turns = new Map<string, Promise<unknown>>();

  constructor(cutter: SwitchCutterSettings, bench: Bench, ports: ManagedPorts) {
    this.name = cutter.name;
    this.#cutter = cutter;
    this.#bench = bench;
    this.#ports = ports;
  }

  async cut(cable: Cable, direction: CutDirection, _leaseMs: number): Promise<void> {
    const port = this.#portOf(cable);
    if (direction !== "both") {
      throw new CutterFailure(
        `${this.name} cannot cut one direction of ${cable.name}: a port is open or closed. The cutters firewall and broker can.`,
      );
    }
    if (this.#cutter.protectedPorts.includes(port)) {
      throw new CutterFailure(`${this.name} never closes ${this.#place(port)}: it is one of its protectedPorts.`);
    }
    await this.#inTurn(port, (untilMs) => this.#ports.setOpen(port, false, untilMs));
  }

  async heal(cable: Cable): Promise<void> {
    const port = this.#portOf(cable);
    await this.#inTurn(port, (untilMs) => this.#ports.setOpen(port, true, untilMs));
  }

  async read(cable: Cable): Promise<CircuitState> {
    const port = this.#portOf(cable);
    return (await this.#inTurn(port, (untilMs) => this.#ports.isOpen(port, untilMs))) ? "whole" : "both";
  }

  /** Waits for no other call of this port: it changes nothing. */
  hasLink(cable: Cable): Promise<boolean> {
    return this.#ports.hasLink(this.#portOf(cable), performance.now() + linkMsMax);
  }

  async identify(): Promise<CutterIdentity> {
    const { device, remarks, ports } = await this.#ports.describe(performance.now() + switchMsMax);
    const own = this.#bench.cables.filter((cable) => cable.cutter.name === this.name);
    const missing = own.filter((cable) => !ports.includes(this.#portOf(cable)));
    return {
      device,
      remarks: [
        ...missing.map(
          (cable) =>
            `It has no port ${this.#portOf(cable)}, into which the cable ${cable.name} should be plugged. Its ports: ${ports.join(", ")}.`,
        ),
        ...remarks,
        "A port that it closed stays closed until it is told to open it: if the controller dies, the next start heals it.",
      ],
    };
  }

  async close(): Promise<void> {
    this.#ports.close();
    await Promise.allSettled(this.#turns.values());
  }

  #portOf(cable: Cable): string {
    const end = cable.ends.find(({ node }) => node === this.#cutter.switch);
    if (end !== undefined && cable.cutter.name === this.name) return end.port;
    throw new CutterFailure(
      `${this.name} closes ports of ${this.#cutter.switch}: the cable ${cable.name} is not plugged in there, or has another cutter.`,
    );
  }

  #place(port: string): string {
    return `the port ${port} of ${this.#cutter.switch}`;
  }

  #inTurn<Result>(port: string, task: (untilMs: number) => Promise<Result>): Promise<Result> {
    const untilMs = performance.now() + switchMsMax;
    const before = this.#turns.get(port) ?? Promise.resolve();
    const turn = before.then(
      () => task(untilMs),
      () => task(untilMs),
    );
    this.#turns.set(port, turn);
    return turn;
  }
}
