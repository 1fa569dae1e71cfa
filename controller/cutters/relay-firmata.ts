/** A session with StandardFirmata, by johnny-five. The firmware knows no leases: what is cut stays cut until it is told. */

import { CutterFailure, type CutterIdentity } from "./cutter.ts";
import {
  createFirmataBoard,
  createFirmataRelay,
  type FirmataBoard,
  type FirmataIo,
  type FirmataRelay,
  forgetFirmataBoard,
} from "./firmata-library.ts";
import { type RelayOpening, type RelaySession, startSession } from "./relay-cutter.ts";
import { SerialAnswers } from "./serial-answers.ts";
import type { SerialConnection } from "./serial-connection.ts";

/** Opening the port resets most boards; StandardFirmata then answers after two seconds, and tells of its pins for one more. */
const readyMsMax = 10_000;
const answerMsMax = 1_000;

/** Waits for the firmware, and heals the channels. @throws {CutterFailure} if it does not answer */
export async function openFirmataSession({ title, channels, connect }: RelayOpening): Promise<RelaySession> {
  return await startSession(new FirmataSession(title, await connect()), channels);
}

class FirmataSession implements RelaySession {
  readonly #title: string;
  readonly #connection: SerialConnection;
  readonly #io: FirmataIo;
  readonly #board: FirmataBoard;
  readonly #relays = new Map<number, FirmataRelay>();
  readonly #answers: SerialAnswers;

  constructor(title: string, connection: SerialConnection) {
    this.#title = title;
    this.#connection = connection;
    ({ io: this.#io, board: this.#board } = createFirmataBoard(connection));
    this.#answers = new SerialAnswers(connection);
  }

  get isOpen(): boolean {
    return this.#connection.isOpen;
  }

  async start(channels: readonly number[]): Promise<void> {
    const ready = await this.#answers.wait<true>(readyMsMax, (take) => this.#board.once("ready", () => take(true)));
    if (ready === null) {
      throw new CutterFailure(
        `${this.#title} does not answer as StandardFirmata does. Is that the firmware on it? ` +
          `With Adrift's own ("adrift flash relay") write "firmware: adrift" into the bench.`,
      );
    }
    for (const channel of channels) {
      if (this.#io.pins[channel]?.supportedModes.includes(this.#io.MODES.OUTPUT) !== true) {
        throw new CutterFailure(`${this.#title} has no pin ${channel} for a relay: choose one that can be an output.`);
      }
      this.#relays.set(channel, createFirmataRelay(this.#board, channel));
      await this.heal(channel);
    }
  }

  async identify(): Promise<CutterIdentity> {
    const [first] = this.#relays.keys();
    if (first !== undefined) await this.#isEnergised(first);
    const { name, version } = this.#io.firmware;
    return {
      device:
        `${name ?? "a board without a name"} ${version === undefined ? "" : `${version.major}.${version.minor}`}`.trim(),
      remarks: [
        "It does not heal by itself: if this machine dies, what is cut stays cut until the board loses its power or is asked.",
        "While a computer opens its port, its pins let go for two seconds: cables are whole then.",
      ],
    };
  }

  async cut(channel: number): Promise<void> {
    const relay = this.#relayOf(channel);
    await this.#prepare(channel);
    relay.open();
    if (!(await this.#isEnergised(channel))) throw this.#disobeyed(channel, "cut");
  }

  async heal(channel: number): Promise<void> {
    const relay = this.#relayOf(channel);
    relay.close();
    if (await this.#isEnergised(channel)) throw this.#disobeyed(channel, "heal");
  }

  async isCut(channel: number): Promise<boolean> {
    return await this.#isEnergised(channel);
  }

  async close(): Promise<void> {
    forgetFirmataBoard(this.#board);
    await this.#connection.close();
  }

  /** A board that has started anew meanwhile may have made an input of the pin. An output stays as it is. */
  async #prepare(channel: number): Promise<void> {
    await this.#query(channel);
    const { OUTPUT } = this.#io.MODES;
    if (this.#io.pins[channel]?.mode !== OUTPUT) this.#io.pinMode(channel, OUTPUT);
  }

  async #isEnergised(channel: number): Promise<boolean> {
    await this.#query(channel);
    const pin = this.#io.pins[channel];
    return pin?.mode === this.#io.MODES.OUTPUT && pin.state === 1;
  }

  async #query(channel: number): Promise<void> {
    const answer = await this.#answers.wait<true>(answerMsMax, (take) =>
      this.#io.queryPinState(channel, () => take(true)),
    );
    if (answer !== null) return;
    throw new CutterFailure(`${this.#title} does not say how its pin ${channel} is. Plug it out and in again.`);
  }

  #relayOf(channel: number): FirmataRelay {
    const relay = this.#relays.get(channel);
    if (relay === undefined) throw new CutterFailure(`${this.#title} has no cable at its pin ${channel}.`);
    return relay;
  }

  #disobeyed(channel: number, order: "cut" | "heal"): CutterFailure {
    return new CutterFailure(
      `${this.#title} was told to ${order} at its pin ${channel}, and says that it has not. Plug it out and in again.`,
    );
  }
}
