/**
 * The driver `gpio`: lines of a GPIO chip, each of which drives the relay of a cable. While a line is active, its cable is
 * cut. The tools of libgpiod drive it (`gpioset`, `gpioget`, `gpioinfo`, `gpiodetect`; 1.6 and 2.x), on the machine in which
 * the chip is.
 *
 * The kernel gives a line to one process, and takes it back when this process ends. What the line does then depends on the
 * chip: some turn it into an input, those of a Raspberry Pi may go on driving it. So a cut is held by a small script on
 * the chip's machine which, when it is told to end or its standard input ends with the controller, drives the line inactive.
 */

import type { Cable, Cutter } from "../../hardware/bench.ts";
import { controllerNode } from "../../hardware/bench.ts";
import type { CutDirection } from "../../sim/network-types.ts";
import { type CircuitState, CutterFailure, type CutterIdentity, type OpenCutter } from "./cutter.ts";
import { findTools, type GpioTools } from "./gpio-tools.ts";
import type { CommandHost, CutterSurroundings, HeldCommand } from "./surroundings.ts";

type GpioCutterSettings = Extract<Cutter, { readonly driver: "gpio" }>;

/** How long anything that is asked may take. */
const gpioMsMax = 4_500;
/** How often it is looked whether a line is held, once it should be. */
const lookAgainMs = 10;

/**
 * Opens the cutter.
 *
 * @throws {CutterFailure} if the tools or the chip are missing
 */
export async function openGpioCutter(
  cutter: GpioCutterSettings,
  surroundings: CutterSurroundings,
): Promise<OpenCutter> {
  const host = surroundings.hostOf(cutter.host === null ? controllerNode : { host: cutter.host, user: null });
  const tools = await findTools(host, cutter.activeLow, performance.now() + gpioMsMax);
  await tools.chipName(cutter.chip, performance.now() + gpioMsMax);
  return new GpioCutter(cutter, host, tools);
}

/** A line that is held active. */
type Held = { readonly command: HeldCommand; lease: NodeJS.Timeout };

class GpioCutter implements OpenCutter {
  readonly name: string;
  readonly healsByItself = true;
  readonly cutsOneWay = false;
  readonly #chip: string;
  readonly #host: CommandHost;
  readonly #tools: GpioTools;
  readonly #held = new Map<string, Held>();
  /** The last call for each line: calls for one line are carried out in the order in which they came. */
  readonly #turns = new Map<string, Promise<unknown>>();
  #closed = false;

  constructor(cutter: GpioCutterSettings, host: CommandHost, tools: GpioTools) {
    this.name = cutter.name;
    this.#chip = cutter.chip;
    this.#host = host;
    this.#tools = tools;
  }

  async cut(cable: Cable, direction: CutDirection, leaseMs: number): Promise<void> {
    const line = this.#lineOf(cable);
    if (direction !== "both") {
      throw new CutterFailure(
        `${this.name} cannot cut one direction of ${cable.name}: its relay opens all wires. The cutters firewall and broker can.`,
      );
    }
    await this.#inTurn(line, async (untilMs) => {
      if ((await this.#state(line, untilMs)) !== "both" || !this.#held.has(line)) await this.#take(line, untilMs);
      this.#renew(line, leaseMs);
    });
  }

  async heal(cable: Cable): Promise<void> {
    const line = this.#lineOf(cable);
    await this.#inTurn(line, async (untilMs) => {
      await this.#before(untilMs, this.#letGo(line));
      const chip = await this.#tools.chipName(this.#chip, untilMs);
      await this.#tools.release(chip, line, untilMs);
      if ((await this.#state(line, untilMs)) === "whole") return;
      throw new CutterFailure(`${this.#place(line)} is still active, though nothing of ours holds it.`);
    });
  }

  async read(cable: Cable): Promise<CircuitState> {
    const line = this.#lineOf(cable);
    return await this.#inTurn(line, (untilMs) => this.#state(line, untilMs));
  }

  async identify(): Promise<CutterIdentity> {
    this.#checkOpen();
    const untilMs = performance.now() + gpioMsMax;
    const chip = await this.#tools.chipName(this.#chip, untilMs);
    return {
      device: `${chip} [${this.#chip}] of ${this.#host.name}, by libgpiod ${this.#tools.version}`,
      remarks: [
        "A line that is held can be seen as held, but its level cannot be read: only the process that holds it may.",
        "If the controller dies, the script that holds a line makes it inactive. If the chip's machine loses power or that " +
          "script is killed, what the line does depends on the chip: a resistor should pull it to its inactive level.",
      ],
    };
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.allSettled(this.#turns.values());
    await Promise.all([...this.#held.keys()].map((line) => this.#letGo(line)));
  }

  /** Starts to hold the line; resolves when the kernel says that it is held. */
  async #take(line: string, untilMs: number): Promise<void> {
    await this.#before(untilMs, this.#letGo(line));
    const chip = await this.#tools.chipName(this.#chip, untilMs);
    const command = this.#host.hold(this.#tools.holdCommand(chip, line));
    let failure: CutterFailure | null = null;
    void command.ended.then(({ err }) => {
      failure = new CutterFailure(`${this.#place(line)} could not be held: ${err.trim() || "gpioset ended"}.`);
    });
    const lease = setTimeout(() => {}, 0);
    this.#held.set(line, { command, lease });
    try {
      while (!(await this.#tools.isHeld(chip, line, untilMs))) {
        if (failure !== null) throw failure;
        await new Promise((resolve) => setTimeout(resolve, lookAgainMs));
      }
    } catch (error) {
      await this.#before(untilMs, this.#letGo(line));
      throw error;
    }
  }

  #renew(line: string, leaseMs: number): void {
    const held = this.#held.get(line);
    if (held === undefined) return;
    clearTimeout(held.lease);
    held.lease = setTimeout(() => void this.#letGo(line), leaseMs);
  }

  /** Ends what holds the line, which thereby becomes inactive. */
  async #letGo(line: string): Promise<void> {
    const held = this.#held.get(line);
    if (held === undefined) return;
    this.#held.delete(line);
    clearTimeout(held.lease);
    await held.command.end();
  }

  /** Waits for it until then; it goes on all the same. */
  async #before(untilMs: number, end: Promise<void>): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      const failure = new CutterFailure(
        `${this.#host.name} takes too long. Is the machine there, and is it overloaded?`,
      );
      timer = setTimeout(() => reject(failure), Math.max(0, untilMs - performance.now()));
    });
    try {
      await Promise.race([end, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  async #state(line: string, untilMs: number): Promise<CircuitState> {
    const chip = await this.#tools.chipName(this.#chip, untilMs);
    return (await this.#tools.isActive(chip, line, untilMs)) ? "both" : "whole";
  }

  #lineOf({ name, cutter }: Cable): string {
    if (cutter.name === this.name && cutter.channel !== null && /^[0-9]+$/.test(cutter.channel)) return cutter.channel;
    throw new CutterFailure(
      `${this.name} opens cables by a line of the chip ${this.#chip}, and the cable ${name} names none. Write the line's ` +
        `number on the cable, as in "cutter: ${this.name}:17".`,
    );
  }

  #place(line: string): string {
    return `The line ${line} of ${this.#chip} (${this.#host.name})`;
  }

  #checkOpen(): void {
    if (this.#closed) throw new CutterFailure(`${this.name} has been closed.`);
  }

  #inTurn<Result>(line: string, task: (untilMs: number) => Promise<Result>): Promise<Result> {
    const untilMs = performance.now() + gpioMsMax;
    const before = this.#turns.get(line) ?? Promise.resolve();
    const begin = (): Promise<Result> => {
      this.#checkOpen();
      return task(untilMs);
    };
    const turn = before.then(begin, begin);
    this.#turns.set(line, turn);
    return turn;
  }
}
