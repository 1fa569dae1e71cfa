/**
 * One LED as Linux has it: `/sys/class/leds/<name>/`. The board's own is called `ACT`; those on GPIO lines get names by the
 * overlay `gpio-led`. Whoever writes there needs the right to.
 */

import { writeFileSync } from "node:fs";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Pattern, patterns } from "./led-patterns.ts";

/** Where Linux keeps its LEDs. */
export const usualLedRoot = "/sys/class/leds";

/** An LED that is ours until it is let go. */
export type Led = {
  /** Switches it, soon: of what is asked for faster than the LED takes it, the last counts. */
  light(lit: boolean): void;
  /** Has the kernel play SOS, also when this process has ended. */
  leaveBroken(): void;
  /** Gives it back to what had it before. */
  close(): Promise<void>;
};

/** What plays in the kernel when a process has left it there; to go back to that would say something untrue. */
const leftBehind: ReadonlySet<string> = new Set(["none", "timer", "pattern"]);

/** Takes an LED over. @throws {Error} which says why there is none, and which there are. */
export async function openLed(name: string, root: string, failed: (reason: string) => void): Promise<Led> {
  const folder = join(root, name);
  const write = (file: string, text: string): Promise<void> => writeFile(join(folder, file), text);
  const [triggers, brightest] = await Promise.all([
    readFile(join(folder, "trigger"), "latin1"),
    readFile(join(folder, "max_brightness"), "latin1"),
  ]).catch((error: unknown) => readingFailed(name, root, error));
  const trigger = /\[(\S+)\]/.exec(triggers)?.[1] ?? "none";
  const lit = brightest.trim();
  let wanted: boolean | null = null;
  let writing: Promise<void> | null = null;
  let isClosed = false;
  let hasFailed = false;

  function tell(error: unknown): void {
    if (hasFailed) return;
    hasFailed = true;
    failed(`The LED ${name} cannot be switched: ${messageOf(error)}. The board goes on without it.`);
  }
  async function writeWanted(): Promise<void> {
    while (wanted !== null) {
      const text = wanted ? lit : "0";
      wanted = null;
      await write("brightness", text).catch(tell);
    }
    writing = null;
  }

  await write("trigger", "none").catch(tell);
  return {
    light(isLit) {
      if (isClosed) return;
      wanted = isLit;
      writing ??= writeWanted();
    },
    leaveBroken() {
      isClosed = true;
      // Not every kernel plays patterns; every one blinks.
      for (const steps of [sosOf(lit), blinkingSteps]) if (writeAll(folder, steps)) return;
    },
    async close() {
      isClosed = true;
      await writing;
      await write("brightness", "0").catch(tell);
      if (!leftBehind.has(trigger)) await write("trigger", trigger).catch(tell);
    },
  };
}

type Step = readonly [file: string, text: string];

const blinkingSteps: readonly Step[] = [
  ["trigger", "timer"],
  ["delay_on", "100"],
  ["delay_off", "100"],
];

function sosOf(lit: string): readonly Step[] {
  return [
    ["trigger", "pattern"],
    ["pattern", kernelPattern(patterns.broken, lit)],
  ];
}

/** As ledtrig-pattern wants it: a brightness and its milliseconds, and a step of no length where it is to change at once. */
export function kernelPattern(pattern: Pattern, lit: string): string {
  return pattern.map((forMs, at) => (at % 2 === 0 ? `${lit} ${forMs} ${lit} 0` : `0 ${forMs} 0 0`)).join(" ");
}

/** At once: whoever calls this is about to end. */
function writeAll(folder: string, steps: readonly Step[]): boolean {
  try {
    for (const [file, text] of steps) writeFileSync(join(folder, file), text);
    return true;
  } catch {
    return false;
  }
}

async function readingFailed(name: string, root: string, error: unknown): Promise<never> {
  const present = await readdir(root).catch((): string[] => []);
  const hint = present.length === 0 ? "This machine has none." : `There are ${present.toSorted().join(", ")}.`;
  throw new Error(`There is no LED ${name} that can be used (${messageOf(error)}). ${hint}`);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
