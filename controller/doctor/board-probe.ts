/** Asks all boards of a bench how they are, over whichever brokers can be reached. */

import { setTimeout as sleep } from "node:timers/promises";
import type { Json } from "../../device/json.ts";
import { type ConnectedClient, connect } from "../../device/mqtt/client.ts";
import type { Keys } from "../../device/mqtt/keys.ts";
import type { BoardStatus, StatusEnvelope } from "../../device/transport/envelope.ts";
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
const lookAgainMs = 200;
const patienceMsMax = 3_000;

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
    const looks = await Promise.all(bench.boards.map(({ name }) => lookAt(client, name, heard)));
    return await awaitLeader(client, looks, patienceOf(bench));
  } finally {
    await client.close();
  }
}

async function lookAt(
  client: ConnectedClient,
  board: string,
  heard: ReadonlyMap<string, StatusEnvelope>,
): Promise<BoardLook> {
  const [answer, clock] = await Promise.all([askStatus(client, board), lookAtClock(client, board)]);
  const said = heard.get(board);
  const isOnline = answer === null ? (said?.online ?? null) : true;
  return { board, isOnline, status: answer ?? said?.status ?? null, clock };
}

/** An election that goes on just now is no fault: looks again until it has ended, but not for ever. */
async function awaitLeader(
  client: ConnectedClient,
  looks: readonly BoardLook[],
  patienceMs: number,
): Promise<readonly BoardLook[]> {
  const untilMs = performance.now() + patienceMs;
  let latest = looks;
  while (!latest.some(leads) && latest.some(({ isOnline }) => isOnline === true) && performance.now() < untilMs) {
    await sleep(lookAgainMs);
    latest = await Promise.all(
      latest.map(async (look) => {
        // Who did not answer before would only keep the others waiting.
        const status = look.clock === null ? null : await askStatus(client, look.board);
        return { ...look, status: status ?? look.status };
      }),
    );
  }
  return latest;
}

function leads({ isOnline, status }: BoardLook): boolean {
  return isOnline === true && status?.role === "leader";
}

/** Two elections, of which the first may fail. */
function patienceOf({ timing }: Bench): number {
  return Math.min(2 * timing.electionMaxMs, patienceMsMax);
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
    best = { upMs: time.monotonicUs / 1_000, aheadMs, uncertaintyMs };
  }
  return best;
}

/** Finer than `Date.now()`, and as anybody's clock. */
function wallMs(): number {
  return performance.timeOrigin + performance.now();
}

async function askStatus(client: ConnectedClient, board: string): Promise<BoardStatus | null> {
  const answer = await ask(client, board, "status");
  return answer === null ? null : readStatusAnswer(answer);
}

async function ask(client: ConnectedClient, board: string, type: "status" | "time"): Promise<Json | null> {
  return await client.inquire({ board, ask: { type } }).catch(() => null);
}

function isNewer(one: StatusEnvelope, other: StatusEnvelope): boolean {
  return one.boot > other.boot || (one.boot === other.boot && one.seq > other.seq);
}
