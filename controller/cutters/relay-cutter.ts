/** A cutter whose channels are relays at a serial port, whatever is said to them. */

import type { Cable } from "../../hardware/bench.ts";
import type { CutDirection } from "../../sim/network-types.ts";
import { type CircuitState, CutterFailure, type CutterIdentity, type OpenCutter } from "./cutter.ts";
import type { SerialConnection } from "./serial-connection.ts";
import type { SerialLine, SerialSession } from "./serial-line.ts";

/** A board of relays that has answered. Its functions ask the board, and believe nothing else. */
export type RelaySession = SerialSession & {
  /** Asked anew each time. */
  identify(): Promise<CutterIdentity>;
  /** Resolves when the board says that the relay is energised. */
  cut(channel: number, leaseMs: number): Promise<void>;
  heal(channel: number): Promise<void>;
  isCut(channel: number): Promise<boolean>;
};

/** Has a session begin, which heals these channels; one that cannot is closed. */
export async function startSession(
  session: RelaySession & { start(channels: readonly number[]): Promise<void> },
  channels: readonly number[],
): Promise<RelaySession> {
  try {
    await session.start(channels);
    return session;
  } catch (error) {
    await session.close();
    throw error;
  }
}

/** What a session is opened with. */
export type RelayOpening = {
  /** For messages. */
  readonly title: string;
  /** Those that cables use: they are healed at the start. */
  readonly channels: readonly number[];
  connect(): Promise<SerialConnection>;
};

/** Which channels there are, and what they are called in messages. */
export type ChannelRange = { readonly min: number; readonly max: number; readonly what: string };

export type RelayCutterParts = {
  readonly name: string;
  readonly healsByItself: boolean;
  readonly channels: ChannelRange;
  readonly line: SerialLine<RelaySession>;
};

/** The channels of all cables of this cutter. @throws {CutterFailure} if the device cannot have one of them */
export function channelsOf(name: string, cables: readonly Cable[], range: ChannelRange): readonly number[] {
  return cables.filter((cable) => cable.cutter.name === name).map((cable) => channelOf(cable, range));
}

/** Waits for the device, whose cables are whole then. A cutter that cannot be used is closed again. */
export async function openRelays(relays: RelayCutter): Promise<RelayCutter> {
  try {
    await relays.start();
    return relays;
  } catch (error) {
    await relays.close();
    throw error;
  }
}

export class RelayCutter implements OpenCutter {
  readonly name: string;
  readonly healsByItself: boolean;
  readonly cutsOneWay = false;
  readonly #channels: ChannelRange;
  readonly #line: SerialLine<RelaySession>;

  constructor({ name, healsByItself, channels, line }: RelayCutterParts) {
    this.name = name;
    this.healsByItself = healsByItself;
    this.#channels = channels;
    this.#line = line;
  }

  /** Waits until the device has answered. */
  async start(): Promise<void> {
    await this.#line.start((session) => session.identify());
  }

  async cut(cable: Cable, direction: CutDirection, leaseMs: number): Promise<void> {
    const channel = this.#channelOf(cable);
    if (direction !== "both") {
      throw new CutterFailure(
        `${this.name} cannot cut one direction of ${cable.name} alone: a relay opens the whole cable. Use the cutter firewall.`,
      );
    }
    await this.#line.use((session) => session.cut(channel, leaseMs));
  }

  async heal(cable: Cable): Promise<void> {
    const channel = this.#channelOf(cable);
    await this.#line.use((session) => session.heal(channel));
  }

  async read(cable: Cable): Promise<CircuitState> {
    const channel = this.#channelOf(cable);
    const isCut = await this.#line.use((session) => session.isCut(channel));
    return isCut ? "both" : "whole";
  }

  async identify(): Promise<CutterIdentity> {
    return await this.#line.use((session) => session.identify());
  }

  close(): Promise<void> {
    return this.#line.close();
  }

  #channelOf(cable: Cable): number {
    if (cable.cutter.name !== this.name) {
      throw new CutterFailure(`The cable ${cable.name} is not opened by ${this.name} but by ${cable.cutter.name}.`);
    }
    return channelOf(cable, this.#channels);
  }
}

function channelOf({ name, cutter }: Cable, { min, max, what }: ChannelRange): number {
  const channel = Number(cutter.channel ?? Number.NaN);
  if (Number.isInteger(channel) && channel >= min && channel <= max) return channel;
  throw new CutterFailure(
    `The cable ${name}: ${cutter.name}:${cutter.channel ?? ""} is not ${what}. Write a channel from ${min} to ${max}.`,
  );
}
