/** The lights of a board: LEDs that say how it stands. Whatever they do, the board goes on. */

import type { BoardConfiguration } from "./configuration.ts";
import { type Led, openLed, usualLedRoot } from "./led.ts";
import { type Pattern, patterns, type Signal } from "./led-patterns.ts";
import { type Later, PatternPlayer } from "./pattern-player.ts";

/** What lights are made of. */
export type LightsSettings = {
  readonly leds: BoardConfiguration["leds"];
  /** Told once of each LED that does not work, in words for people. */
  readonly failed: (reason: string) => void;
  readonly root?: string;
  readonly later?: Later;
};

type Light = { readonly led: Led; readonly shows: Signal | null; readonly player: PatternPlayer };

/** Lit as long as its signal is shown. */
const steady: Pattern = [1_000];

/** See the head of this file. */
export class Lights {
  readonly #lights: readonly Light[];
  #signal: Signal | null = null;
  #identifying: NodeJS.Timeout | null = null;

  /** Takes over the LEDs that there are. Never fails. */
  static async open({ leds, failed, root = usualLedRoot, later }: LightsSettings): Promise<Lights> {
    const opened = await Promise.all(
      leds.map(async ({ name, shows }): Promise<Light | null> => {
        try {
          const led = await openLed(name, root, failed);
          return { led, shows, player: new PatternPlayer((lit) => led.light(lit), later) };
        } catch (error) {
          failed(error instanceof Error ? error.message : String(error));
          return null;
        }
      }),
    );
    return new Lights(opened.filter((light) => light !== null));
  }

  private constructor(lights: readonly Light[]) {
    this.#lights = lights;
  }

  /** From now on how the board stands; `null`: what the lights show stays. */
  show(signal: Signal | null): void {
    this.#signal = signal ?? this.#signal;
    if (this.#identifying === null) this.#play(this.#signal);
  }

  /** Blinks all lights for so long, then goes on. Says whether there is any. */
  identify(forMs: number): boolean {
    if (this.#identifying !== null) clearTimeout(this.#identifying);
    this.#identifying = setTimeout(() => {
      this.#identifying = null;
      this.show(this.#signal);
    }, forMs).unref();
    this.#play("identify");
    return this.#lights.length > 0;
  }

  /** Leaves the lights to say, without this process, that the board cannot go on. */
  leaveBroken(): void {
    for (const { led, player } of this.#lights) {
      player.stop();
      led.leaveBroken();
    }
  }

  /** Gives the LEDs back to what had them before. */
  async close(): Promise<void> {
    if (this.#identifying !== null) clearTimeout(this.#identifying);
    for (const { player } of this.#lights) player.stop();
    await Promise.all(this.#lights.map(({ led }) => led.close()));
  }

  #play(signal: Signal | null): void {
    if (signal === null) return;
    for (const { shows, player } of this.#lights) {
      if (shows === null || signal === "identify") player.play(patterns[signal]);
      else player.play(shows === signal ? steady : null);
    }
  }
}
