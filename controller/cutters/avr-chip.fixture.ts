/**
 * An ATmega328P at 16 MHz that runs real firmware in virtual time: time passes only while `runFor` or `runUntil` runs, and
 * the same inputs give the same outputs to the cycle.
 *
 * What avr8js leaves to its user stands here: sleep, the instruction after `sei`, resets that clear the registers but not
 * the memory, and a serial line on which one byte follows the other.
 */

import {
  AVRClock,
  AVRIOPort,
  AVRTimer,
  AVRUSART,
  AVRWatchdog,
  avrInstruction,
  CPU,
  clockConfig,
  PinState,
  portBConfig,
  portCConfig,
  portDConfig,
  timer0Config,
  timer1Config,
  timer2Config,
  usart0Config,
  watchdogConfig,
} from "avr8js";

export const cyclesPerMs = 16_000;

/** A port and its bit, as in `D2`. */
export type PinName = `${"B" | "C" | "D"}${0 | 1 | 2 | 3 | 4 | 5 | 6 | 7}`;
export type PinLevel = "high" | "low" | "floating";
/** Why the chip starts: the bit of MCUSR that it finds set. */
export type ResetCause = keyof typeof resetFlags;

export type ChipOptions = { readonly jumpsIdleTime?: boolean; readonly flagsAreTaken?: boolean };

type Peripherals = {
  readonly cpu: CPU;
  readonly usart: AVRUSART;
  readonly ports: { readonly B: AVRIOPort; readonly C: AVRIOPort; readonly D: AVRIOPort };
};

const flashBytes = 32_768;
const memoryBytes = 2_048;
const memoryStart = 0x100;
const frequencyHz = 16_000_000;
const resetFlags = { power: 0x01, external: 0x02, "brown-out": 0x04, watchdog: 0x08 };
const registers = { sleepControl: 0x53, resetFlags: 0x54, watchdogControl: 0x60 };
const sleepEnable = 0x01;
const watchdogEnable = 0x08;
const instructions = { enableInterrupts: 0x9478, sleep: 0x9588, calmWatchdog: 0x95a8, jumpToItself: 0xcfff };
/** Longer than any watchdog waits. */
const calmMsMax = 10_000;
/** The last word of the flash, which no firmware here reaches. */
const emptyPlace = flashBytes / 2 - 1;

export class AvrChip {
  /** Each byte that it sends, when its first bit leaves. */
  onByte: (byte: number) => void = () => {};
  /** Called when the levels of its pins may have changed. */
  onPins: () => void = () => {};
  readonly #flash: Uint16Array;
  /** Whether sleep is jumped over, or walked through cycle by cycle, which only shows that the jump is right. */
  readonly #jumpsIdleTime: boolean;
  /** Whether a boot loader runs first, which takes note of why the chip started and keeps it to itself. */
  readonly #flagsAreTaken: boolean;
  readonly #held = new Set<PinName>();
  #input: number[] = [];
  #parts: Peripherals;
  #isAsleep = false;
  #resetAsked: ResetCause | null = null;

  /** @param hex firmware in Intel's format; the chip has power from now on */
  constructor(hex: string, { jumpsIdleTime = true, flagsAreTaken = false }: ChipOptions = {}) {
    this.#flagsAreTaken = flagsAreTaken;
    this.#flash = readIntelHex(hex);
    this.#jumpsIdleTime = jumpsIdleTime;
    this.#parts = this.#start("power", null);
  }

  /** Since power came. */
  get cycles(): number {
    return this.#parts.cpu.cycles;
  }

  runFor(ms: number): void {
    this.#run(this.cycles + Math.round(ms * cyclesPerMs), () => false);
  }

  /** Runs until the condition holds, at most so long; says whether it holds. It is looked at after each instruction. */
  runUntil(condition: () => boolean, msMax: number): boolean {
    if (condition()) return true;
    return this.#run(this.cycles + Math.round(msMax * cyclesPerMs), condition);
  }

  /** Bytes that come in one after the other, at the speed of the line, from now on. */
  receive(bytes: Iterable<number>): void {
    this.#input.push(...bytes);
    this.#feed();
  }

  pin(name: PinName): PinLevel {
    switch (this.#port(name).pinState(bitOf(name))) {
      case PinState.High:
        return "high";
      case PinState.Low:
        return "low";
      default:
        return "floating";
    }
  }

  /** Joins a pin to ground, as a button does, or lets go of it. */
  hold(name: PinName, isHeld: boolean): void {
    if (isHeld) this.#held.add(name);
    else this.#held.delete(name);
    this.#port(name).setPin(bitOf(name), !isHeld);
  }

  /** The memory, which lasts through all resets but that of power, stays as it is. */
  reset(cause: ResetCause): void {
    const { cpu } = this.#parts;
    this.#input = [];
    this.#parts = this.#start(cause, cause === "power" ? null : cpu);
    this.onPins();
  }

  /**
   * From the next time on that its program would calm the watchdog it does nothing, as after a fault of that program: the
   * same instruction over and over.
   */
  hang({ withInterrupts }: { readonly withInterrupts: boolean }): void {
    const isAboutToCalm = (): boolean => this.#flash[this.#parts.cpu.pc] === instructions.calmWatchdog;
    if (!this.runUntil(isAboutToCalm, calmMsMax)) throw new Error("This program does not calm the watchdog.");
    const { cpu } = this.#parts;
    this.#flash[emptyPlace] = instructions.jumpToItself;
    cpu.pc = emptyPlace;
    const interruptFlag = 0x80;
    const status = 95;
    const flags = cpu.SREG & ~interruptFlag;
    cpu.data[status] = withInterrupts ? flags | interruptFlag : flags;
    this.#isAsleep = false;
  }

  #run(until: number, condition: () => boolean): boolean {
    while (this.#parts.cpu.cycles < until) {
      this.#step(this.#parts.cpu, until);
      if (this.#resetAsked !== null) this.reset(this.#resetAsked);
      if (condition()) return true;
    }
    return false;
  }

  #step(cpu: CPU, until: number): void {
    if (this.#isAsleep) {
      this.#sleep(cpu, until);
      return;
    }
    const instruction = this.#flash[cpu.pc];
    avrInstruction(cpu);
    if (instruction === instructions.enableInterrupts) return;
    if (instruction === instructions.sleep)
      this.#isAsleep = ((cpu.data[registers.sleepControl] ?? 0) & sleepEnable) !== 0;
    this.#tick(cpu);
  }

  /** Nothing changes while the CPU is asleep but by what the peripherals have planned: time can go there at once. */
  #sleep(cpu: CPU, until: number): void {
    const next = this.#jumpsIdleTime ? Math.max(cpu.cycles + 1, nextEventAt(cpu)) : cpu.cycles + 1;
    cpu.cycles = Math.min(next, until);
    this.#tick(cpu);
  }

  /** Lets the peripherals do what is due; an interrupt wakes the CPU. */
  #tick(cpu: CPU): void {
    const before = cpu.pc;
    cpu.tick();
    if (cpu.pc !== before) this.#isAsleep = false;
  }

  #feed(): void {
    const { usart } = this.#parts;
    if (this.#input.length === 0 || usart.rxBusy) return;
    if (!usart.rxEnable) return;
    const byte = this.#input.shift();
    if (byte !== undefined) usart.writeByte(byte);
  }

  #port(name: PinName): AVRIOPort {
    const { B, C, D } = this.#parts.ports;
    return name.startsWith("B") ? B : name.startsWith("C") ? C : D;
  }

  #start(cause: ResetCause, before: CPU | null): Peripherals {
    const cpu = new CPU(this.#flash, memoryBytes);
    if (before !== null) {
      cpu.cycles = before.cycles;
      cpu.data.set(before.data.subarray(memoryStart), memoryStart);
    }
    const ports = {
      B: new AVRIOPort(cpu, portBConfig),
      C: new AVRIOPort(cpu, portCConfig),
      D: new AVRIOPort(cpu, portDConfig),
    };
    for (const port of Object.values(ports)) port.addListener(() => this.onPins());
    for (const config of [timer0Config, timer1Config, timer2Config]) new AVRTimer(cpu, config);
    const usart = new AVRUSART(cpu, usart0Config, frequencyHz);
    usart.onByteTransmit = (byte) => this.onByte(byte);
    usart.onRxComplete = () => this.#feed();
    usart.onConfigurationChange = () => this.#feed();
    new AVRWatchdog(cpu, watchdogConfig, new AVRClock(cpu, frequencyHz, clockConfig));
    cpu.data[registers.resetFlags] = this.#flagsAreTaken ? 0 : resetFlags[cause];
    if (cause === "watchdog") cpu.data[registers.watchdogControl] = watchdogEnable;
    cpu.reset = () => {
      this.#resetAsked = "watchdog";
    };
    this.#isAsleep = false;
    this.#resetAsked = null;
    for (const [letter, port] of Object.entries(ports)) pullUp(letter, port, this.#held);
    return { cpu, usart, ports };
  }
}

/** What is joined to nothing reads as high: all inputs here have their pull-ups on. */
function pullUp(letter: string, port: AVRIOPort, held: ReadonlySet<string>): void {
  for (let bit = 0; bit < 8; bit++) port.setPin(bit, !held.has(`${letter}${bit}`));
}

function bitOf(name: PinName): number {
  return Number(name[1]);
}

/** When the first of the peripherals has something to do. avr8js keeps it to itself, so it is looked at with care. */
function nextEventAt(cpu: CPU): number {
  const event: unknown = Reflect.get(cpu, "nextClockEvent");
  if (event === null) return Number.POSITIVE_INFINITY;
  if (typeof event === "object" && event !== undefined && "cycles" in event && typeof event.cycles === "number") {
    return event.cycles;
  }
  throw new Error("This version of avr8js keeps its events in another way: look at nextEventAt.");
}

/** The words of the flash. @throws {Error} if a line's sum is wrong. */
function readIntelHex(hex: string): Uint16Array {
  const flash = new Uint8Array(flashBytes).fill(0xff);
  for (const line of hex.split(/\r?\n/)) {
    if (!line.startsWith(":")) continue;
    const bytes = Buffer.from(line.slice(1), "hex");
    if ((bytes.reduce((sum, byte) => sum + byte, 0) & 0xff) !== 0) throw new Error(`A damaged line of hex: ${line}`);
    const isData = bytes[3] === 0;
    if (isData) flash.set(bytes.subarray(4, -1), bytes.readUInt16BE(1));
  }
  return new Uint16Array(flash.buffer);
}
