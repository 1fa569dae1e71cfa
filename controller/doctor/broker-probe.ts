/** Says something over a broker and hears it again: how long that takes, and whether the broker holds small messages back. */

import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { Connection } from "../../device/mqtt/connection.ts";
import type { Keys } from "../../device/mqtt/keys.ts";
import { controllerName, topicsOf } from "../../device/transport/topics.ts";
import { reasonOf } from "./finding.ts";

/** What a broker showed. */
export type BrokerLook =
  /** Nobody let us in; why, as far as it was told. */
  | { readonly kind: "unreachable"; readonly reason: string }
  /** We were let in, and what we said did not come back. */
  | { readonly kind: "silent" }
  | {
      readonly kind: "answers";
      /** From saying one message to hearing it, the median. */
      readonly roundTripMs: number;
      /** The same for the slowest of a few messages that were said one shortly after the other, the median. */
      readonly burstMs: number;
    };

/** Which broker, and how to be let in. */
export type BrokerProbe = { readonly url: string; readonly cluster: string; readonly keys: Keys | null };

const upMsMax = 2_000;
const answerMsMax = 1_000;
const roundTripsBetween = 6;
const bursts = 7;
/** Said so far apart that each goes out in a segment of its own. */
const burstLength = 4;
const burstGapMs = 2;

/**
 * Looks. Never rejects, and ends within a few seconds.
 *
 * One connection listens and another one speaks: whoever only listens acknowledges late (40 ms), and a broker with
 * Nagle's algorithm (RFC 896) waits for that before it passes on the next small message.
 */
export async function probeBroker(probe: BrokerProbe): Promise<BrokerLook> {
  const { cluster, keys } = probe;
  const name = keys === null ? `doctor-${randomBytes(4).toString("hex")}` : controllerName;
  // No board has this name, so whatever is said is heard by us alone.
  const topic = topicsOf(cluster).boardRequest(`nobody-${randomBytes(4).toString("hex")}`, name);
  const echo = new Echo();
  const lines: Line[] = [];
  try {
    lines.push(new Line(probe, (text) => echo.heard(text)), new Line(probe, () => undefined));
    const [listener, speaker] = lines;
    if (listener === undefined || speaker === undefined) return { kind: "silent" };
    const failures = await Promise.all(lines.map((line) => line.failure()));
    const [reason] = failures.filter((failure) => failure !== null);
    if (reason !== undefined) return { kind: "unreachable", reason };
    await listener.subscribe(topic);
    return await measure({
      echo,
      sayByListener: (text) => listener.say(topic, text),
      say: (text) => speaker.say(topic, text),
    });
  } catch (error) {
    return { kind: "unreachable", reason: reasonOf(error) };
  } finally {
    await Promise.all(lines.map((line) => line.close()));
  }
}

type Measuring = { readonly echo: Echo; readonly sayByListener: Say; readonly say: Say };
type Say = (text: string) => void;

async function measure({ echo, sayByListener, say }: Measuring): Promise<BrokerLook> {
  const single: number[] = [];
  const slowest: number[] = [];
  for (let turn = 0; turn < bursts; turn += 1) {
    // Linux acknowledges at once unless it has seen both sides speak in turns, and goes back to that after every delay.
    for (let at = 0; at < roundTripsBetween; at += 1) {
      const tookMs = await echo.of(sayByListener, `single ${turn} ${at}`);
      if (tookMs === null) return { kind: "silent" };
      single.push(tookMs);
    }
    const heard: Promise<number | null>[] = [];
    for (let at = 0; at < burstLength; at += 1) {
      if (at > 0) await sleep(burstGapMs);
      heard.push(echo.of(say, `burst ${turn} ${at}`));
    }
    const took = await Promise.all(heard);
    if (took.includes(null)) return { kind: "silent" };
    slowest.push(Math.max(...took.map((ms) => ms ?? 0)));
  }
  return { kind: "answers", roundTripMs: medianOf(single), burstMs: medianOf(slowest) };
}

/** A connection to the broker. */
class Line {
  readonly #connection: Connection;
  readonly #isUp: Promise<true>;
  #reason = "no answer";

  /** @throws {RangeError} for an `mqtts` address without keys */
  constructor({ url, keys }: BrokerProbe, heard: Say) {
    let noteUp = (): void => {};
    this.#isUp = new Promise((resolve) => {
      noteUp = () => resolve(true);
    });
    this.#connection = new Connection({
      url,
      name: "doctor",
      keys,
      handlers: {
        up: noteUp,
        down: () => undefined,
        message: (_topic, payload) => heard(payload.toString("utf8")),
        failed: (why) => {
          this.#reason = why;
        },
      },
    });
  }

  /** Why it does not come up; `null` once it is up. */
  async failure(): Promise<string | null> {
    return (await inTime(this.#isUp, upMsMax)) === null ? this.#reason : null;
  }

  async subscribe(topic: string): Promise<void> {
    await inTime(new Promise<void>((resolve) => this.#connection.subscribe(topic, resolve)), answerMsMax);
  }

  say(topic: string, text: string): void {
    this.#connection.publish(topic, text);
  }

  async close(): Promise<void> {
    await this.#connection.close();
  }
}

/** Waits for what was said to come back. */
class Echo {
  readonly #waiting = new Map<string, () => void>();

  heard(text: string): void {
    this.#waiting.get(text)?.();
    this.#waiting.delete(text);
  }

  /** How long it takes, in milliseconds; `null` if it does not come back. */
  async of(say: Say, text: string): Promise<number | null> {
    const fromMs = performance.now();
    const back = new Promise<number>((resolve) => {
      this.#waiting.set(text, () => resolve(performance.now() - fromMs));
    });
    say(text);
    return await inTime(back, answerMsMax);
  }
}

async function inTime<Value>(promise: Promise<Value>, ms: number): Promise<Value | null> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<null>((resolve) => {
    timer = setTimeout(() => resolve(null), ms);
  });
  return await Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

function medianOf(numbers: readonly number[]): number {
  return numbers.toSorted((one, other) => one - other)[Math.floor(numbers.length / 2)] ?? 0;
}
