/** The command-line tools of libgpiod, whose two generations want other arguments and say other things. */

import { CutterFailure } from "./cutter.ts";
import type { CommandHost } from "./surroundings.ts";

/** The tools on one machine. All promises reject with a `CutterFailure`; `untilMs` is by `performance.now()`. */
export type GpioTools = {
  readonly version: string;
  /** The name under which the kernel has the chip with this label now, such as `gpiochip0`. */
  chipName(label: string, untilMs: number): Promise<string>;
  /** The command that holds a line active while it runs, and makes it inactive when it ends or its standard input does. */
  holdCommand(chip: string, line: string): readonly string[];
  /** Makes a line inactive that nobody holds. */
  release(chip: string, line: string, untilMs: number): Promise<void>;
  /** Whether it is held by `holdCommand`. */
  isHeld(chip: string, line: string, untilMs: number): Promise<boolean>;
  /** Whether it is active: held, or still driven by the chip though nobody holds it. */
  isActive(chip: string, line: string, untilMs: number): Promise<boolean>;
};

/** As whom a line of ours is held, where a consumer can be named. */
const consumer = "adrift";

/** A line as the kernel describes it. */
type LineInfo = { readonly direction: "input" | "output"; readonly heldBy: string | null };

/** Asks which tools are there. @throws {CutterFailure} if there are none, or of an unknown generation */
export async function findTools(host: CommandHost, activeLow: boolean, untilMs: number): Promise<GpioTools> {
  const shell = new Shell(host);
  const { status, out } = await shell.run(["gpioset", "--version"], untilMs);
  const version = /\bv([0-9]+\.[0-9]+[0-9.]*)/.exec(out)?.[1];
  if (status === 0 && version?.startsWith("1.")) return new FirstTools(shell, version, activeLow);
  if (status === 0 && version?.startsWith("2.")) return new SecondTools(shell, version, activeLow);
  const reason = version === undefined ? "there is no gpioset" : `gpioset is of libgpiod ${version}`;
  throw new CutterFailure(
    `${host.name}: ${reason}. Lines are driven by libgpiod 1.6 or 2: install it there (Debian and Raspberry Pi OS: apt install gpiod).`,
  );
}

class Shell {
  readonly #host: CommandHost;

  constructor(host: CommandHost) {
    this.#host = host;
  }

  get name(): string {
    return this.#host.name;
  }

  run(command: readonly string[], untilMs: number) {
    const withinMs = Math.floor(untilMs - performance.now());
    if (withinMs > 0) return this.#host.run(command, "", withinMs);
    throw new CutterFailure(`${this.name} takes too long. Is the machine there, and is it overloaded?`);
  }

  /** What a command says; it must end well. */
  async ask(command: readonly string[], untilMs: number): Promise<string> {
    const { status, out, err } = await this.run(command, untilMs);
    if (status === 0) return out;
    const reason = err.trim() || `it ended with ${status}`;
    const advice = /denied|permitted/.test(reason) ? " Whoever runs it must be in the group gpio, or root." : "";
    throw new CutterFailure(`${this.name}: ${command.join(" ")}: ${reason}.${advice}`);
  }
}

/** What both generations do alike. */
abstract class Tools implements GpioTools {
  readonly version: string;
  protected readonly shell: Shell;
  /** The options with which an inactive line is the one at which the relay rests. */
  protected readonly polarity: readonly string[];

  constructor(shell: Shell, version: string, activeLow: boolean) {
    this.shell = shell;
    this.version = version;
    this.polarity = activeLow ? ["--active-low"] : [];
  }

  protected abstract setCommand(chip: string, line: string, value: 0 | 1, stays: boolean): readonly string[];
  protected abstract inputCommand(chip: string, line: string): readonly string[] | null;
  protected abstract info(chip: string, line: string, untilMs: number): Promise<LineInfo>;
  protected abstract isDriven(chip: string, line: string, untilMs: number): Promise<boolean>;
  protected abstract readonly holder: string;

  async chipName(label: string, untilMs: number): Promise<string> {
    const text = await this.shell.ask(["gpiodetect"], untilMs);
    const chips = Array.from(text.matchAll(/^(\S+) \[(.*)\] \([0-9]+ lines\)$/gm), ([, name = "", own = ""]) => ({
      name,
      own,
    }));
    const [chip, ...others] = chips.filter(({ own }) => own === label);
    if (chip !== undefined && others.length === 0) return chip.name;
    const there = chips.map(({ own }) => own).join(", ") || "none, or none that this user may see";
    const what = chip === undefined ? "has no GPIO chip" : `has ${others.length + 1} GPIO chips`;
    throw new CutterFailure(`${this.shell.name} ${what} with the label ${label}. Its chips: ${there}.`);
  }

  holdCommand(chip: string, line: string): readonly string[] {
    return ["sh", "-c", holdScript(this.setCommand(chip, line, 1, true), this.#released(chip, line))];
  }

  async release(chip: string, line: string, untilMs: number): Promise<void> {
    await this.shell.ask(this.#released(chip, line), untilMs);
    const input = this.inputCommand(chip, line);
    if (input !== null) await this.shell.ask(input, untilMs);
  }

  async isHeld(chip: string, line: string, untilMs: number): Promise<boolean> {
    const { direction, heldBy } = await this.info(chip, line, untilMs);
    return direction === "output" && heldBy === this.holder;
  }

  async isActive(chip: string, line: string, untilMs: number): Promise<boolean> {
    const { direction, heldBy } = await this.info(chip, line, untilMs);
    if (heldBy === null) return direction === "output" && (await this.isDriven(chip, line, untilMs));
    if (direction === "output" && heldBy === this.holder) return true;
    throw new CutterFailure(
      `${this.shell.name}: the line ${line} of ${chip} is held as ${direction} by "${heldBy}", so nobody else can tell its ` +
        "level or change it. End that, or give the cable another line.",
    );
  }

  #released(chip: string, line: string): readonly string[] {
    return this.setCommand(chip, line, 0, false);
  }
}

/** libgpiod 1.6. */
class FirstTools extends Tools {
  /** `gpioset` of this generation names itself, and nothing else can be told to it. */
  protected readonly holder = "gpioset";

  protected setCommand(chip: string, line: string, value: 0 | 1, stays: boolean): readonly string[] {
    return ["gpioset", ...this.polarity, `--mode=${stays ? "signal" : "exit"}`, chip, `${line}=${value}`];
  }

  /** Reading it makes it an input: the only state of a line that nobody holds which this generation can show. */
  protected inputCommand(chip: string, line: string): readonly string[] {
    return ["gpioget", ...this.polarity, chip, line];
  }

  protected async info(chip: string, line: string, untilMs: number): Promise<LineInfo> {
    const text = await this.shell.ask(["gpioinfo", chip], untilMs);
    const row = text.split("\n").find((each) => new RegExp(`^\\s*line\\s+${line}:`).test(each));
    const [, user = "", direction] =
      /^\s*line\s+[0-9]+:\s+(?:"[^"]*"|unnamed)\s+("[^"]*"|unused|kernel)\s+(input|output)\b/.exec(row ?? "") ?? [];
    if (direction !== "input" && direction !== "output") throw noLine(this.shell.name, chip, line, row ?? text);
    return { direction, heldBy: user === "unused" ? null : user.replaceAll('"', "") };
  }

  protected isDriven(chip: string, line: string): Promise<boolean> {
    return Promise.reject(
      new CutterFailure(
        `${this.shell.name}: the line ${line} of ${chip} is an output that nobody holds, and libgpiod 1 cannot say at which ` +
          "level. Healing its cable makes it an input.",
      ),
    );
  }
}

/** libgpiod 2. */
class SecondTools extends Tools {
  protected readonly holder = consumer;

  protected setCommand(chip: string, line: string, value: 0 | 1, stays: boolean): readonly string[] {
    // A toggle after no time at all means: set it and end.
    return ["gpioset", ...this.polarity, ...(stays ? [] : ["-t", "0"]), "-C", consumer, "-c", chip, `${line}=${value}`];
  }

  protected inputCommand(): null {
    return null;
  }

  protected async info(chip: string, line: string, untilMs: number): Promise<LineInfo> {
    const text = await this.shell.ask(["gpioinfo", "-c", chip, line], untilMs);
    const [, direction, rest = ""] = /^\S+ [0-9]+\t(?:"[^"]*"|unnamed)\s+(input|output)\b(.*)$/m.exec(text) ?? [];
    if (direction !== "input" && direction !== "output") throw noLine(this.shell.name, chip, line, text);
    return { direction, heldBy: /\bconsumer="([^"]*)"/.exec(rest)?.[1] ?? null };
  }

  protected async isDriven(chip: string, line: string, untilMs: number): Promise<boolean> {
    const command = ["gpioget", ...this.polarity, "--as-is", "--numeric", "-C", consumer, "-c", chip, line];
    return (await this.shell.ask(command, untilMs)).trim() === "1";
  }
}

function noLine(host: string, chip: string, line: string, said: string): CutterFailure {
  return new CutterFailure(
    `${host}: gpioinfo does not say how the line ${line} of ${chip} is: ${said.trim().slice(0, 200)}`,
  );
}

/**
 * A script for POSIX's shell, as every machine has it. It runs one command until that ends, until the script is told to
 * end, or until its standard input ends, since whoever wanted it is gone then; and at last the other command.
 */
function holdScript(hold: readonly string[], release: readonly string[]): string {
  return `
exec 3<&0
${quoted(hold)} </dev/null &
holder=$!
trap 'kill "$holder" 2>/dev/null' TERM INT HUP
{ while read -r line; do :; done; kill "$holder"; } <&3 >/dev/null 2>&1 &
watcher=$!
while kill -0 "$holder" 2>/dev/null; do wait "$holder"; status=$?; done
kill "$watcher" 2>/dev/null
${quoted(release)} </dev/null
exit "$status"
`;
}

function quoted(command: readonly string[]): string {
  return command.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(" ");
}
