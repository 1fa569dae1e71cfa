/** `adrift watch`: what the boards of a running cluster say, live. */

import { setTimeout as pause } from "node:timers/promises";
import { ReadStream } from "node:tty";
import { ConnectError } from "../../../device/mqtt/client.ts";
import { type ExitStatus, exitStatus, type Shell } from "../shell.ts";
import { changesInWords, type Display, jsonLines, liveTable } from "./display.ts";
import { connectTo, findCluster } from "./find-cluster.ts";
import { type BoardObservation, observeBoards } from "./observe-boards.ts";
import type { ClientOptions } from "./options.ts";
import { Story } from "./story.ts";
import { callWitnesses, type Witnesses } from "./witnesses.ts";

const lookEveryMs = 100;
const askEveryMs = 1_000;

/** Shows them until somebody presses q or Ctrl-C, or reads no more. */
export async function watch(shell: Shell, options: ClientOptions): Promise<ExitStatus> {
  const cluster = findCluster(shell.folder, options);
  const display = displayFor(shell, options);
  const ending = listenForEnd(shell);
  try {
    const client = await connectTo(cluster, options);
    const observation = observeBoards(client, cluster);
    const story = new Story((sentence) => display.tell(sentence));
    const complain = (sentence: string): void => shell.err.write(`${sentence}\n`);
    const witnesses = await callWitnesses({ cluster, client, story, complain });
    try {
      await show({ observation, display, story, witnesses }, ending);
    } finally {
      observation.end();
      await witnesses.end();
      await client.close();
    }
    return exitStatus.done;
  } catch (error) {
    if (!(error instanceof ConnectError)) throw error;
    shell.err.write(`${error.message}\n`);
    return exitStatus.failed;
  } finally {
    display.end();
    ending.stopListening();
  }
}

type Scene = {
  readonly observation: BoardObservation;
  readonly display: Display;
  readonly story: Story;
  readonly witnesses: Witnesses;
};

async function show({ observation, display, story, witnesses }: Scene, ending: Ending): Promise<void> {
  const away = new Set<string>();
  let askedMs = Number.NEGATIVE_INFINITY;
  while (!ending.isWanted()) {
    await pause(lookEveryMs);
    const nowMs = performance.now();
    const lines = observation.roll.lines(nowMs);
    story.boards(lines, nowMs);
    for (const { board, presence } of lines) {
      if (presence !== "online") away.add(board);
      else if (away.delete(board)) void witnesses.askReturned(board);
    }
    display.show(lines);
    if (nowMs - askedMs < askEveryMs) continue;
    askedMs = nowMs;
    void observation.ask(askEveryMs);
  }
}

type Ending = { isWanted(): boolean; stopListening(): void };

/** Ctrl-C, or the key q on a terminal, which then hands over each key at once. */
function listenForEnd(shell: Shell): Ending {
  const interruption = shell.noteInterruption();
  const { input } = shell;
  if (!(input instanceof ReadStream && shell.out.isTerminal)) {
    return { isWanted: () => interruption.isRequested || shell.out.isClosed, stopListening: () => undefined };
  }
  let isPressed = false;
  const listen = (keys: Uint8Array): void => {
    isPressed ||= keys.some((key) => endingKeys.has(key));
  };
  input.setRawMode(true);
  input.on("data", listen);
  return {
    isWanted: () => isPressed || interruption.isRequested,
    stopListening() {
      input.off("data", listen);
      input.setRawMode(false);
      input.pause();
    },
  };
}

/** q, Q, and Ctrl-C, which a terminal that hands over keys no longer turns into a signal. */
const endingKeys: ReadonlySet<number> = new Set([0x71, 0x51, 0x03]);

function displayFor({ out }: Shell, { json }: ClientOptions): Display {
  if (json === true) return jsonLines(out);
  return out.isTerminal ? liveTable(out) : changesInWords(out);
}
