/** Three boards and a broker as processes of this machine, with the settings that Adrift comes with. */

import { type ConnectedClient, connect } from "../../device/mqtt/client.ts";
import { boardOf } from "../../device/replica/identity.ts";
import type { BoardStatus } from "../../device/transport/envelope.ts";
import { parseBench } from "../../hardware/bench.ts";
import { readStatusAnswer } from "../bench/board-answers.ts";
import { type LocalBench, startLocalBench } from "../bench/local/local-bench.ts";
import { readyBench } from "../experiment/ready.ts";
import { type Contestant, type Fault, type FaultName, until } from "./contestant.ts";
import { LoadProcess } from "./load/load-process.ts";
import { monotonicUs } from "./load/orders.ts";

/** How the cluster is asked and looked at. */
export type AdriftSettings = {
  readonly version: string;
  /** Whether cables can be cut. Each is then a hop more on the way. */
  readonly cables: boolean;
  /** Where to write down what clients see; `null`: nowhere. */
  readonly historyFile: string | null;
  readonly inFlightMax: number;
};

/** Starts the boards, waits for a leader, and has a load process ask them. */
export async function startAdrift(settings: AdriftSettings): Promise<Contestant> {
  const bench = parseBench(readyBench("three-boards")?.text ?? "", "three-boards.yaml");
  const local = await startLocalBench({
    bench,
    folder: null,
    forwarders: settings.cables,
    firstPort: null,
    logLevel: "error",
  });
  const brokers = local.brokers.map(({ url }) => url);
  let watch: BoardsWatch | null = null;
  let load: LoadProcess | null = null;

  async function close(): Promise<void> {
    await load?.kill();
    await watch?.close();
    await local.close();
  }

  try {
    const boards = await BoardsWatch.begin(bench.cluster, brokers);
    watch = boards;
    await boards.leader();
    load = await LoadProcess.start(
      { kind: "adrift", cluster: bench.cluster, brokers, inFlightMax: settings.inFlightMax },
      settings.historyFile,
    );
    return {
      name: `adrift ${settings.version}`,
      load,
      folder: local.folder,
      members: () => pidsOf(local),
      restart: () => restart(local, boards),
      faults: settings.cables
        ? { cut: () => strike("cut", local, boards) }
        : { kill: () => strike("kill", local, boards) },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

function pidsOf(local: LocalBench): ReadonlyMap<string, number> {
  return new Map(local.state.boards.flatMap(({ name, pid }) => (pid === null ? [] : [[name, pid]])));
}

async function strike(fault: FaultName, local: LocalBench, boards: BoardsWatch): Promise<Fault> {
  const board = await boards.leader();
  const atUs = monotonicUs();
  // On this bench the cable of a board has the board's name.
  if (fault === "cut") local.cut(board, "both", null);
  else await local.carryOut({ kind: "kill", board });
  return {
    atUs,
    async mend() {
      if (fault === "cut") local.heal(board);
      else await local.carryOut({ kind: "start", board });
      await until(`${board} has caught up`, () => boards.hasCaughtUp(board));
    },
  };
}

/** All boards at once, with what their disks hold. The time from their start until one says that it leads. */
async function restart(local: LocalBench, boards: BoardsWatch): Promise<number> {
  const names = local.bench.boards.map(({ name }) => name);
  await Promise.all(names.map((board) => local.carryOut({ kind: "kill", board })));
  boards.forget();
  const beganUs = monotonicUs();
  const starts = names.map((board) => local.carryOut({ kind: "start", board }));
  await boards.leader();
  const tookUs = monotonicUs() - beganUs;
  await Promise.all(starts);
  return tookUs;
}

/** Somebody writes all the time: who is no further behind than this has caught up. */
const behindMax = 1_000;
const answerWithinMs = 1_000;

/** What the boards say of themselves. */
class BoardsWatch {
  readonly #client: ConnectedClient;
  #leader: { readonly board: string; readonly term: number } | null = null;
  #waiting: ((board: string) => void)[] = [];

  static async begin(cluster: string, brokers: readonly string[]): Promise<BoardsWatch> {
    return new BoardsWatch(await connect({ cluster, brokers, deadlineMs: answerWithinMs }));
  }

  private constructor(client: ConnectedClient) {
    this.#client = client;
    client.onStatus(({ online, status }) => {
      if (online && status !== null) this.#take(status);
    });
  }

  /** The board that leads; waits until one says that it does. */
  async leader(): Promise<string> {
    if (this.#leader !== null) return this.#leader.board;
    return await new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error("Waited 20 s in vain for a board that leads.")), 20_000);
      this.#waiting.push((board) => {
        clearTimeout(timer);
        resolve(board);
      });
    });
  }

  /** Nobody leads, until somebody says so anew. */
  forget(): void {
    this.#leader = null;
  }

  async hasCaughtUp(board: string): Promise<boolean> {
    const leader = this.#leader?.board ?? null;
    if (leader === null || leader === board) return false;
    const [leading, own] = await Promise.all([this.#statusOf(leader), this.#statusOf(board)]);
    if (leading?.role !== "leader" || own?.role !== "follower") return false;
    return own.term === leading.term && own.appliedIndex >= leading.commitIndex - behindMax;
  }

  close(): Promise<void> {
    return this.#client.close();
  }

  async #statusOf(board: string): Promise<BoardStatus | null> {
    try {
      return readStatusAnswer(await this.#client.inquire({ board, ask: { type: "status" } }));
    } catch {
      return null;
    }
  }

  #take({ role, term, member }: BoardStatus): void {
    if (role !== "leader" || term < (this.#leader?.term ?? 0)) return;
    const board = boardOf(member);
    this.#leader = { board, term };
    for (const resolve of this.#waiting.splice(0)) resolve(board);
  }
}
