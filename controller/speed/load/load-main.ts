/**
 * The load process: the clients of a measurement, apart from everything else, so that what they cost is not taken for
 * what the cluster costs. It ends when the one who started it does.
 */

import { runLoop, write } from "./closed-loop.ts";
import type { LoadClient, LoadTarget } from "./load-client.ts";
import { type LoadAnswer, type LoadOrder, monotonicUs } from "./orders.ts";
import { HistoryRecorder } from "./recorder.ts";

let client: LoadClient | null = null;
let recorder: HistoryRecorder | null = null;
let isWriting = false;
let writing: Promise<void> = Promise.resolve();
let acknowledgedUs: number[] = [];

async function carryOut(order: LoadOrder): Promise<LoadAnswer> {
  switch (order.type) {
    case "connect":
      client = await connectTo(order.target);
      if (order.historyFile !== null) recorder = new HistoryRecorder(order.historyFile);
      return { type: "done" };
    case "loop":
      return { type: "loop", result: await runLoop(connected(), recorder, order.settings) };
    case "beginWriting":
      acknowledgedUs = [];
      isWriting = true;
      writing = keepWriting(connected(), order.valueBytes);
      return { type: "done" };
    case "acknowledgements":
      return { type: "acknowledgements", atUs: acknowledgedUs };
    case "endWriting":
      isWriting = false;
      await writing;
      return { type: "done" };
    case "close":
      recorder?.close();
      await client?.close();
      return { type: "done" };
  }
}

/** Each kind of client brings libraries of its own, which the other shall not pay for. */
async function connectTo(target: LoadTarget): Promise<LoadClient> {
  switch (target.kind) {
    case "adrift":
      return await (await import("./adrift-client.ts")).connectToAdrift(target);
    case "etcd":
      return (await import("./etcd-client.ts")).connectToEtcd(target);
  }
}

async function keepWriting(to: LoadClient, valueBytes: number): Promise<void> {
  while (isWriting) {
    if (await write(to, recorder, "fail-over", valueBytes)) acknowledgedUs.push(monotonicUs());
  }
}

function connected(): LoadClient {
  if (client === null) throw new Error("The load process was not told where the cluster is.");
  return client;
}

function answer(message: LoadAnswer): void {
  process.send?.(message);
}

// Ctrl-C is for the one who started this process, and who then ends it.
process.on("SIGINT", () => undefined);
process.on("disconnect", () => process.exit());
process.on("message", (order: LoadOrder) => {
  carryOut(order).then(answer, (error: unknown) =>
    answer({ type: "failed", error: error instanceof Error ? error.message : String(error) }),
  );
});
