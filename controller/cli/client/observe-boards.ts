/** Listens to what the boards of a running cluster say, and asks those that it hears of. */

import type { ConnectedClient } from "../../../device/mqtt/client.ts";
import type { BoardStatus } from "../../../device/transport/envelope.ts";
import { decodeStatus } from "../../../device/transport/status-codec.ts";
import { BoardRoll } from "./board-roll.ts";
import type { RunningCluster } from "./find-cluster.ts";

/** What is known of the boards, kept up to date. */
export type BoardObservation = {
  readonly roll: BoardRoll;
  /** Asks every board that was heard of how it is, and waits until all have answered, or so long. */
  ask(patienceMs: number): Promise<void>;
  end(): void;
};

/** Begins to observe; `changed` is called whenever something was heard. */
export function observeBoards(
  client: ConnectedClient,
  { brokers }: RunningCluster,
  changed: () => void = () => undefined,
): BoardObservation {
  const roll = new BoardRoll();
  const nameOf = (url: string): string => brokers.find((broker) => broker.url === url)?.name ?? url;
  const endStatus = client.onStatus((status, { brokerUrl, isRetained }) => {
    roll.heard(status, nameOf(brokerUrl), performance.now(), isRetained);
    changed();
  });
  const endBroker = client.onBroker((url, isUp) => {
    if (!isUp) roll.lostBroker(nameOf(url));
    changed();
  });

  async function askBoard(board: string): Promise<void> {
    const answer = await client.inquire({ board, ask: { type: "status" } }).catch(() => null);
    // A status on the wire is checked by its codec; an answer is any JSON until then.
    const envelope = JSON.stringify({ v: 1, from: board, boot: 0, seq: 0, online: true, status: answer });
    const decoded = decodeStatus(envelope, { board });
    if (decoded.ok && decoded.value.status !== null) note(board, decoded.value.status);
  }

  function note(board: string, status: BoardStatus): void {
    roll.answered(board, status, performance.now());
    changed();
  }

  return {
    roll,
    async ask(patienceMs) {
      await within(patienceMs, Promise.all(roll.boards.map(askBoard)));
    },
    end() {
      endStatus();
      endBroker();
    },
  };
}

/** Waits for a promise, but not longer than this. */
async function within(patienceMs: number, promise: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  await Promise.race([promise, new Promise((resolve) => (timer = setTimeout(resolve, patienceMs)))]);
  clearTimeout(timer);
}
