/**
 * A device at a serial port that may go and come back. Talking to it is a session, from the opening of the port until it
 * fails; the next call opens another. What a driver does with its device it does one thing after the other.
 */

import { CutterFailure } from "./cutter.ts";
import { within, wordsOf } from "./lease-bounds.ts";

/** A device that has answered and has been set up. */
export type SerialSession = {
  readonly isOpen: boolean;
  /** May be called again. */
  close(): Promise<void>;
};

/** How long a call may take, its wait for the calls before it and for the device's start included. */
const callMsMax = 5_000;
/** At the first start a person waits, who is better served by a reason than by haste. */
const startMsMax = 12_000;

export class SerialLine<Session extends SerialSession> {
  readonly #name: string;
  readonly #open: () => Promise<Session>;
  #session: Session | null = null;
  #isClosed = false;
  #latest: Promise<unknown> = Promise.resolve();

  /** @param name for messages: `The cutter relays (/dev/ttyACM0)` */
  constructor(name: string, open: () => Promise<Session>) {
    this.#name = name;
    this.#open = open;
  }

  /**
   * Does something with the device when what was asked for before is done. What takes too long goes on meanwhile, such as
   * the start of a device that is back, so that a later call finds it done. A session in which something fails is over: a
   * device that did one thing wrongly is trusted again after a new start only.
   *
   * @throws {CutterFailure} if it fails, or takes too long
   */
  async use<Result>(work: (session: Session) => Promise<Result>): Promise<Result> {
    return await this.#take(work, callMsMax);
  }

  /** The same for the first call, to which the device may take longer. */
  async start<Result>(work: (session: Session) => Promise<Result>): Promise<Result> {
    return await this.#take(work, startMsMax);
  }

  async #take<Result>(work: (session: Session) => Promise<Result>, msMax: number): Promise<Result> {
    const turn = this.#latest.then(() => this.#workInSession(work));
    this.#latest = turn.catch(() => {});
    return await within(turn, msMax, this.#name);
  }

  /** Lets go of the device. Later calls fail. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await within(
      this.#latest.then(() => this.#end()),
      callMsMax,
      this.#name,
    ).catch(() => {});
  }

  async #workInSession<Result>(work: (session: Session) => Promise<Result>): Promise<Result> {
    if (this.#isClosed) throw new CutterFailure(`${this.#name} has been closed.`);
    try {
      if (this.#session?.isOpen !== true) {
        await this.#end();
        this.#session = await this.#open();
      }
      return await work(this.#session);
    } catch (error) {
      if (!(error instanceof Refusal)) await this.#end();
      throw error instanceof CutterFailure ? error : new CutterFailure(`${this.#name}: ${wordsOf(error)}`);
    }
  }

  async #end(): Promise<void> {
    const session = this.#session;
    this.#session = null;
    await session?.close();
  }
}

/** The device is well, and says no. */
export class Refusal extends CutterFailure {}
