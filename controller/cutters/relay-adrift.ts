/** A session with the relay firmware of `hardware/firmware`: requests, their answers, and a line that is never quiet. */

import { randomInt } from "node:crypto";
import { CutterFailure, type CutterIdentity } from "./cutter.ts";
import { type RelayOpening, type RelaySession, startSession } from "./relay-cutter.ts";
import { encodeLine, LineReader } from "./relay-line.ts";
import { SerialAnswers } from "./serial-answers.ts";
import type { SerialConnection } from "./serial-connection.ts";

const protocolVersion = 1;
const leaseMsMax = 3_600_000;
/** Opening the port resets most boards, and their boot loader waits for a new program before it gives way. */
const startMsMax = 3_000;
const startAskEveryMs = 250;
const answerMsMax = 700;
/** Line noise spoils a request now and then; what is asked twice does no harm. */
const attempts = 2;
/** The firmware heals all after five seconds without a word. */
const wordEveryMs = 1_000;
const tagMax = 65_535;

/** Waits for the firmware, and heals the channels. @throws {CutterFailure} if it does not answer, or is another one */
export async function openAdriftSession({ title, channels, connect }: RelayOpening): Promise<RelaySession> {
  return await startSession(new AdriftSession(title, await connect()), channels);
}

class AdriftSession implements RelaySession {
  readonly #title: string;
  readonly #connection: SerialConnection;
  readonly #answers: SerialAnswers;
  readonly #reader = new LineReader();
  readonly #awaited = new Map<string, (answer: string) => void>();
  readonly #words: NodeJS.Timeout;
  #tag = randomInt(1, tagMax);
  #damaged = 0;
  #hasFailed = false;

  constructor(title: string, connection: SerialConnection) {
    this.#title = title;
    this.#connection = connection;
    this.#answers = new SerialAnswers(connection);
    connection.onBytes((bytes) => this.#take(bytes));
    this.#words = setInterval(() => this.#say(), wordEveryMs);
    this.#words.unref();
    void connection.ended.then(() => clearInterval(this.#words));
  }

  get isOpen(): boolean {
    return this.#connection.isOpen && !this.#hasFailed;
  }

  async start(channels: readonly number[]): Promise<void> {
    const deadline = performance.now() + startMsMax;
    let answer: string | null = null;
    while (answer === null && performance.now() < deadline) answer = await this.#attempt("version", startAskEveryMs);
    if (answer === null) throw this.#unanswered("its start");
    if (!new RegExp(`^ok \\S+ protocol=${protocolVersion}$`).test(answer)) {
      throw new CutterFailure(
        `${this.#title} speaks another protocol ("${answer}"): write the firmware anew with "adrift flash relay".`,
      );
    }
    for (const channel of channels) await this.heal(channel);
  }

  async identify(): Promise<CutterIdentity> {
    const version = /^ok (\S+)/.exec(await this.#ask("version"))?.[1] ?? "of no version";
    const answer = await this.#ask("identify");
    const fields = /^ok (\S+) channels=(\d+) reset=(\S+) damaged=(\d+)$/.exec(answer);
    if (fields === null) throw this.#wrong("identify", answer);
    const [, name, count, reset, damaged] = fields;
    const remarks = ["A button cuts and heals its cable too, and what was cut there heals after 5 minutes."];
    if (reset === "watchdog" || reset === "brown-out") {
      const why = reset === "watchdog" ? "it hung" : "its supply was too weak";
      remarks.push(`It started by itself because ${why}; all was healed then.`);
    }
    if (damaged !== "0") remarks.push(`${damaged} damaged lines came to it since its start: look at its USB cable.`);
    return { device: `${name} ${version}, ${count} channels`, remarks };
  }

  async cut(channel: number, leaseMs: number): Promise<void> {
    if (leaseMs > leaseMsMax) {
      throw new CutterFailure(`${this.#title} cuts for an hour at most at a time, not for ${leaseMs / 1_000} s.`);
    }
    const request = `set ${channel} cut ${Math.max(1, Math.round(leaseMs))}`;
    if (!(await this.#askState(request, channel))) throw this.#wrong(request, "whole");
  }

  async heal(channel: number): Promise<void> {
    const request = `set ${channel} whole`;
    if (await this.#askState(request, channel)) throw this.#wrong(request, "cut");
  }

  async isCut(channel: number): Promise<boolean> {
    return await this.#askState(`read ${channel}`, channel);
  }

  async close(): Promise<void> {
    clearInterval(this.#words);
    await this.#connection.close();
  }

  /** Whether the channel is cut, by the firmware's measure of the pin. */
  async #askState(request: string, channel: number): Promise<boolean> {
    const answer = await this.#ask(request);
    if (answer === "no pin") {
      throw new CutterFailure(
        `The pin of relay ${channel} of ${this.#title} does not do what the firmware says: look for a short circuit.`,
      );
    }
    const state = /^ok (\d+) (whole|cut (?:host|hand) \d+)$/.exec(answer);
    if (state?.[1] !== String(channel)) throw this.#wrong(request, answer);
    return state[2] !== "whole";
  }

  async #ask(request: string): Promise<string> {
    for (let attempt = 0; attempt < attempts; attempt++) {
      const answer = await this.#attempt(request, answerMsMax);
      if (answer !== null) return answer;
    }
    throw this.#unanswered(`"${request}"`);
  }

  /** The answer; `null` if none comes in time. */
  async #attempt(request: string, msMax: number): Promise<string | null> {
    this.#tag = (this.#tag % tagMax) + 1;
    const tag = String(this.#tag);
    const answer = this.#answers.wait<string>(msMax, (take) => this.#awaited.set(tag, take));
    try {
      await this.#connection.write(Buffer.from(encodeLine(`${tag} ${request}`)));
      return await answer;
    } finally {
      this.#awaited.delete(tag);
    }
  }

  /** Any request will do. If it does not get through, the next call finds out. */
  #say(): void {
    this.#attempt("version", answerMsMax).catch(() => {
      this.#hasFailed = true;
    });
  }

  #take(bytes: Uint8Array): void {
    const { texts, damaged } = this.#reader.take(bytes);
    this.#damaged += damaged;
    for (const text of texts) {
      const space = text.indexOf(" ");
      this.#awaited.get(text.slice(0, space))?.(text.slice(space + 1));
    }
  }

  #unanswered(what: string): CutterFailure {
    const heard =
      this.#damaged > 0
        ? `answers ${what} with damaged lines only`
        : `does not answer ${what}, though its port is there`;
    return new CutterFailure(
      `${this.#title} ${heard}. Does it run the relay firmware ("adrift flash relay")? Plug it out and in again.`,
    );
  }

  #wrong(request: string, answer: string): CutterFailure {
    return new CutterFailure(
      `${this.#title} was told "${request}" and says "${answer}". Plug it out and in again: unplugged, its cables are whole.`,
    );
  }
}
