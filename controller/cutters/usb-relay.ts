/**
 * The driver `usb-relay`: relay boards of the LCUS kind, which take four bytes at 9600 baud. Each relay is wired normally
 * closed, so that a cable is whole while its relay rests. When the port is opened, all cables of the cutter are healed.
 *
 * Boards with several relays mostly say how their relays are when they are asked; those with one do not. What such a board
 * was told has then left for it, and nobody can say more: `cut` and `heal` resolve, and `read` fails.
 */

import type { Cutter } from "../../hardware/bench.ts";
import { CutterFailure, type CutterIdentity, type OpenCutter } from "./cutter.ts";
import {
  channelsOf,
  openRelays,
  RelayCutter,
  type RelayOpening,
  type RelaySession,
  startSession,
} from "./relay-cutter.ts";
import { SerialAnswers } from "./serial-answers.ts";
import { type ConnectSerial, connectSerial, type SerialConnection } from "./serial-connection.ts";
import { Refusal, SerialLine } from "./serial-line.ts";
import type { CutterSurroundings } from "./surroundings.ts";
import { relayFrame, statusIn, statusQuery } from "./usb-relay-frames.ts";

/** A cutter of this driver, as the bench describes it. */
export type UsbRelaySettings = Extract<Cutter, { driver: "usb-relay" }>;

const baudRate = 9_600;
const range = { min: 1, max: 8, what: "a relay of the board" };
/** A board with eight relays sends eighty characters, which take 85 ms. */
const answerMsMax = 600;

/**
 * Opens it: all cables are whole, as far as the board can say so.
 *
 * @param connect how a serial port is opened
 * @throws {CutterFailure} if the board is not there
 */
export async function openUsbRelayCutter(
  cutter: UsbRelaySettings,
  surroundings: Pick<CutterSurroundings, "bench">,
  connect: ConnectSerial = connectSerial,
): Promise<OpenCutter> {
  const { name, serialPort } = cutter;
  const title = `The cutter ${name} (${serialPort})`;
  const channels = channelsOf(name, surroundings.bench.cables, range);
  const opening = { title, channels, connect: () => connect(serialPort, baudRate) };
  /** Whether it ever answered: a board that did and falls silent is broken, and not one that cannot answer. */
  const habits = { readsBack: false };
  const line = new SerialLine(title, () => openLcusSession(opening, habits));
  return await openRelays(new RelayCutter({ name, healsByItself: false, channels: range, line }));
}

type Habits = { readsBack: boolean };

async function openLcusSession({ title, channels, connect }: RelayOpening, habits: Habits): Promise<RelaySession> {
  return await startSession(new LcusSession(title, await connect(), habits), channels);
}

class LcusSession implements RelaySession {
  readonly #title: string;
  readonly #connection: SerialConnection;
  readonly #answers: SerialAnswers;
  readonly #habits: Habits;
  #heard = "";
  #onHeard = (): void => {};

  constructor(title: string, connection: SerialConnection, habits: Habits) {
    this.#title = title;
    this.#connection = connection;
    this.#answers = new SerialAnswers(connection);
    this.#habits = habits;
    connection.onBytes((bytes) => {
      this.#heard += Buffer.from(bytes).toString("latin1");
      this.#onHeard();
    });
  }

  get isOpen(): boolean {
    return this.#connection.isOpen;
  }

  async start(channels: readonly number[]): Promise<void> {
    for (const channel of channels) await this.#connection.write(relayFrame(channel, false));
    if (!this.#habits.readsBack) this.#habits.readsBack = (await this.#status(channels[0] ?? 1)) !== null;
    for (const channel of channels) await this.heal(channel);
  }

  async identify(): Promise<CutterIdentity> {
    if (this.#habits.readsBack) await this.isCut(1);
    else await this.#connection.write(Uint8Array.of(statusQuery));
    return {
      device: "a USB relay board of the LCUS kind",
      remarks: [
        ...(this.#habits.readsBack
          ? []
          : ["It cannot be read back: that it cuts and heals as told is believed, until carrier and broker show it."]),
        "It does not heal by itself: if this machine dies, what is cut stays cut until the board is unplugged or told.",
      ],
    };
  }

  async cut(channel: number): Promise<void> {
    await this.#set(channel, true);
  }

  async heal(channel: number): Promise<void> {
    await this.#set(channel, false);
  }

  async isCut(channel: number): Promise<boolean> {
    if (!this.#habits.readsBack) {
      throw new Refusal(`${this.#title} cannot be read back: nobody knows whether its relay ${channel} cuts.`);
    }
    const isOn = await this.#status(channel);
    if (isOn === null) {
      throw new CutterFailure(
        `${this.#title} does not say how its relay ${channel} is, though it answered before. Plug it out and in again.`,
      );
    }
    return isOn;
  }

  async close(): Promise<void> {
    await this.#connection.close();
  }

  async #set(channel: number, isOn: boolean): Promise<void> {
    await this.#connection.write(relayFrame(channel, isOn));
    if (!this.#habits.readsBack) return;
    if ((await this.isCut(channel)) === isOn) return;
    throw new CutterFailure(
      `${this.#title} was told to ${isOn ? "cut" : "heal"} with its relay ${channel}, and says that it has not. ` +
        "Plug it out and in again: unplugged, its cables are whole.",
    );
  }

  /** Whether the relay is on; `null` if the board does not say. */
  async #status(channel: number): Promise<boolean | null> {
    this.#heard = "";
    await this.#connection.write(Uint8Array.of(statusQuery));
    return await this.#answers.wait<boolean>(answerMsMax, (take) => {
      this.#onHeard = () => {
        const isOn = statusIn(this.#heard, channel);
        if (isOn !== null) take(isOn);
      };
      this.#onHeard();
    });
  }
}
