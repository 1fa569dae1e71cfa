/** The relay firmware on a chip in virtual time, and somebody who talks to it. */

import { readFileSync } from "node:fs";
import { AvrChip, type ChipOptions, cyclesPerMs, type PinName } from "./avr-chip.fixture.ts";
import { encodeLine, LineReader } from "./relay-line.ts";

/** The committed firmware, as it is written to a board. */
export const relayHex = readFileSync(new URL("../../hardware/firmware/relay.hex", import.meta.url), "utf8");

export const channels = [1, 2, 3, 4, 5, 6] as const;
export type Channel = (typeof channels)[number];

/** Longer than any start takes. */
const startMs = 40;
const answerMsMax = 60;

export class RelayFirmware {
  readonly chip: AvrChip;
  /** Everything that it has said, without checksums. */
  readonly said: string[] = [];
  /** When which relays were energised, in cycles, as often as that changed. */
  readonly changes: { readonly cycles: number; readonly cut: string }[] = [];
  damaged = 0;
  #tag = 0;
  /** To the latest request. */
  #answer: string | null = null;
  readonly #reader = new LineReader();

  constructor(options: ChipOptions = {}) {
    this.chip = new AvrChip(relayHex, options);
    this.chip.onByte = (byte) => {
      const { texts, damaged } = this.#reader.take(Uint8Array.of(byte));
      this.said.push(...texts);
      this.#answer ??= texts.find((text) => text.startsWith(`${this.#tag} `)) ?? null;
      this.damaged += damaged;
    };
    this.chip.onPins = () => {
      const cut = this.cut;
      if (this.changes.at(-1)?.cut !== cut) this.changes.push({ cycles: this.chip.cycles, cut });
    };
    this.chip.runFor(startMs);
  }

  /** The channels whose relays are energised, as in `13`. */
  get cut(): string {
    return channels.filter((channel) => this.chip.pin(relayPin(channel)) === "high").join("");
  }

  get lit(): string {
    return channels.filter((channel) => this.chip.pin(ledPin(channel)) === "high").join("");
  }

  /** When the relays last changed, in milliseconds. */
  get changedAtMs(): number {
    return (this.changes.at(-1)?.cycles ?? 0) / cyclesPerMs;
  }

  /** Sends a request and gives its answer without the tag; `null` if none comes. */
  ask(request: string): string | null {
    this.#tag++;
    this.#answer = null;
    this.send(`${this.#tag} ${request}`);
    this.chip.runUntil(() => this.#answer !== null, answerMsMax);
    return this.#answerText();
  }

  #answerText(): string | null {
    return this.#answer?.slice(`${this.#tag} `.length) ?? null;
  }

  send(text: string): void {
    this.chip.receive(Buffer.from(encodeLine(text)));
  }

  /** Keeps the line alive for so long. */
  stayFor(ms: number): void {
    const end = this.chip.cycles + ms * cyclesPerMs;
    const sayEveryMs = 2_000;
    while (this.chip.cycles < end) {
      this.send("9 version");
      this.chip.runFor(Math.min(sayEveryMs, (end - this.chip.cycles) / cyclesPerMs));
    }
  }

  press(channel: Channel): void {
    this.chip.hold(buttonPin(channel), true);
  }

  release(channel: Channel): void {
    this.chip.hold(buttonPin(channel), false);
  }

  /** Starts anew as the chip itself would. */
  start(): void {
    this.chip.runFor(startMs);
  }
}

const relayPins = { 1: "D2", 2: "D3", 3: "D4", 4: "D5", 5: "D6", 6: "D7" } as const;
const ledPins = { 1: "B0", 2: "B1", 3: "B2", 4: "B3", 5: "B4", 6: "B5" } as const;
const buttonPins = { 1: "C0", 2: "C1", 3: "C2", 4: "C3", 5: "C4", 6: "C5" } as const;

export function relayPin(channel: Channel): PinName {
  return relayPins[channel];
}

function ledPin(channel: Channel): PinName {
  return ledPins[channel];
}

export function buttonPin(channel: Channel): PinName {
  return buttonPins[channel];
}
