/** Asks all boards of a bench how they are, over whichever brokers can be reached. */

import { setTimeout as sleep } from "node:timers/promises";
import type { Json } from "../../device/json.ts";
import { type ConnectedClient, connect } from "../../device/mqtt/client.ts";
import type { Keys } from "../../device/mqtt/keys.ts";
import type { StatusEnvelope } from "../../device/transport/envelope.ts";
import type { Bench } from "../../hardware/bench.ts";
import { readStatusAnswer, readTimeAnswer } from "../bench/board-answers.ts";
import type { BoardLook, ClockLook } from "./boards.ts";

/** Where the boards are to be asked. */
export type BoardsProbe = { readonly bench: Bench; readonly brokers: readonly string[]; readonly keys: Keys | null };

const connectMsMax = 2_000;
/** What brokers have retained comes at once; this is enough for brokers that come up a little later. */
const listenMs = 400;
const answerMsMax = 1_500;
/** The quickest answer says most about a clock. */
const clockExchanges = 3;

/** Asks. @throws {ConnectError} if no broker can be reached */
export async function probeBoards({ bench, brokers, keys }: BoardsProbe): Promise<readonly BoardLook[]> {
  const client = await connect({
    cluster: bench.cluster,
    brokers,
    deadlineMs: answerMsMax,
    connectWithinMs: connectMsMax,
    ...(keys === null ? {} : { keys }),
  });
  try {
    const heard = new Map<string, StatusEnvelope>();
    client.onStatus((envelope) => {
      const before = heard.get(envelope.from);
      if (before === undefined || isNewer(envelope, before)) heard.set(envelope.from, envelope);
    });
    await sleep(listenMs);
    return await Promise.all(
      bench.boards.map(async ({ name }): Promise<BoardLook> => {
        const [answer, clock] = await Promise.all([ask(client, name, "status"), lookAtClock(client, name)]);
        const said = heard.get(name);
        const status = (answer === null ? null : readStatusAnswer(answer)) ?? said?.status ?? null;
        return { board: name, isOnline: answer === null ? (said?.online ?? null) : true, status, clock };
      }),
    );
  } finally {
    await client.close();
  }
}

async function lookAtClock(client: ConnectedClient, board: string): Promise<ClockLook | null> {
  let best: ClockLook | null = null;
  for (let exchange = 0; exchange < clockExchanges; exchange += 1) {
    const fromMs = wallMs();
    const answer = await ask(client, board, "time");
    const toMs = wallMs();
    const time = answer === null ? null : readTimeAnswer(answer);
    if (time === null) return best;
    const uncertaintyMs = (toMs - fromMs) / 2;
    if (best !== null && best.uncertaintyMs <= uncertaintyMs) continue;
    const aheadMs = time.wallUs / 1_000 - (fromMs + toMs) / 2;
    best = { boot: time.boot, upMs: time.monotonicUs / 1_000, aheadMs, uncertaintyMs };
  }
  return best;
}

/** Finer than `Date.now()`, and as anybody's clock. */
function wallMs(): number {
  return performance.timeOrigin + performance.now();
}

async function ask(client: ConnectedClient, board: string, type: "status" | "time"): Promise<Json | null> {
  return await client.inquire({ board, ask: { type } }).catch(() => null);
}

function isNewer(one: StatusEnvelope, other: StatusEnvelope): boolean {
  return one.boot > other.boot || (one.boot === other.boot && one.seq > other.seq);
}
