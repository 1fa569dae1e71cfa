/**
 * Who sees what happens to a running cluster beside what its boards say: ports of managed switches, a client that asks all
 * the time, serial consoles, and the flight recorders of boards that come back.
 */

import { keyValueCall } from "../../../device/client/key-value-call.ts";
import type { ConnectedClient } from "../../../device/mqtt/client.ts";
import type { Bench } from "../../../hardware/bench.ts";
import { readFlightAnswer } from "../../bench/board-answers.ts";
import { readSerialConsole } from "../../bench/serial-console.ts";
import type { OpenCutter } from "../../cutters/cutter.ts";
import { watchLinks } from "../../cutters/link-watch.ts";
import { readHappening } from "../../experiment/flight-events.ts";
import type { RunningCluster } from "./find-cluster.ts";
import type { Story } from "./story.ts";

/** What witnesses are called with. */
export type WitnessSettings = {
  readonly cluster: RunningCluster;
  readonly client: ConnectedClient;
  readonly story: Story;
  /** Hears, once each, why somebody can see nothing. */
  readonly complain: (sentence: string) => void;
};

/** Witnesses at work. */
export type Witnesses = {
  /** A board that was away is back: it is asked for how long its cable was out. */
  askReturned(board: string): Promise<void>;
  end(): Promise<void>;
};

/** The key that the asking client reads; nobody need ever have written it. */
const askedKey = "adrift/watch";
const askEveryMs = 100;
/** Whoever waits longer has noticed it. */
const noticedMs = 250;

/** Calls them. What one of them cannot see the others still do. */
export async function callWitnesses(settings: WitnessSettings): Promise<Witnesses> {
  const { client, story, cluster } = settings;
  const cutters = cluster.rack === null ? [] : await openSwitches(cluster.rack, settings.complain);
  const endLinks = cluster.rack === null ? () => undefined : followLinks(cluster.rack.bench, cutters, story);
  const consoles = cluster.rack === null ? [] : followConsoles(cluster.rack.bench, settings);
  const endAsking = keepAsking(client, story);
  const read = new Map<string, number>();
  return {
    async askReturned(board) {
      const { outMs, last } = await carrierOut(client, board, read.get(board) ?? 0);
      read.set(board, last);
      if (outMs !== null) story.wasOut(board, outMs);
    },
    async end() {
      endAsking();
      endLinks();
      await Promise.all([...cutters.map((cutter) => cutter.close()), ...consoles.map((reader) => reader.close())]);
    },
  };
}

async function openSwitches(
  { bench, folder }: { readonly bench: Bench; readonly folder: string },
  complain: (sentence: string) => void,
): Promise<readonly OpenCutter[]> {
  const switches = bench.cutters.filter((cutter) => cutter.driver === "switch");
  if (switches.length === 0) return [];
  const { openSwitchCutter } = await import("../../cutters/switch.ts");
  const { lookOnly } = await import("../../cutters/surroundings-look.ts");
  const opened = switches.map(async (cutter) => {
    try {
      return [await openSwitchCutter(cutter, lookOnly(bench, folder))];
    } catch (error) {
      complain(
        `The ports of ${cutter.switch} are not watched: ${error instanceof Error ? error.message : String(error)}`,
      );
      return [];
    }
  });
  return (await Promise.all(opened)).flat();
}

function followLinks(bench: Bench, cutters: readonly OpenCutter[], story: Story): () => void {
  const watched = bench.cables.flatMap((cable) => {
    const cutter = cutters.find(({ name }) => name === cable.cutter.name);
    return cutter === undefined ? [] : [{ cable, cutter }];
  });
  /** Cables whose port was closed on purpose. */
  const commanded = new Set<string>();
  return watchLinks(watched, (name, up) => {
    const found = watched.find(({ cable }) => cable.name === name);
    if (found !== undefined) void tell(found, up);
  });

  async function tell({ cable, cutter }: (typeof watched)[number], up: boolean): Promise<void> {
    const nowMs = performance.now();
    if (!up && (await cutter.read(cable).catch(() => "whole")) !== "whole") commanded.add(cable.name);
    const isCommanded = commanded.has(cable.name);
    if (up) commanded.delete(cable.name);
    const board = cable.ends.find(({ node }) => bench.boards.some(({ name }) => name === node))?.node ?? null;
    story.cable({ cable: cable.name, board, up, how: "its switch port", isCommanded }, nowMs);
  }
}

function followConsoles({ boards }: Bench, { story, complain }: WitnessSettings) {
  return boards.flatMap(({ name, console }) => {
    if (console === null) return [];
    const onTrouble = (trouble: string | null): void => {
      if (trouble !== null) complain(`The console of ${name} cannot be read: ${trouble}`);
    };
    return [
      readSerialConsole({
        path: console,
        onTrouble,
        onStatus: ({ board, role, term }) => story.believes(board, role, term),
      }),
    ];
  });
}

/** A client as any other, which asks again as soon as it is answered. @returns ends it */
function keepAsking(client: ConnectedClient, story: Story): () => void {
  let isEnded = false;
  let timer: NodeJS.Timeout | undefined;
  const ask = async (sinceMs: number): Promise<void> => {
    const { type } = await client.submit(keyValueCall({ op: "read", key: askedKey }));
    if (isEnded) return;
    const waitedMs = performance.now() - sinceMs;
    if (type !== "ok") return void ask(sinceMs);
    if (waitedMs > noticedMs) story.clientsWaited(waitedMs);
    timer = setTimeout(() => void ask(performance.now()), askEveryMs);
  };
  void ask(performance.now());
  return () => {
    isEnded = true;
    clearTimeout(timer);
  };
}

/** For how long the board's cable was out last, by its own clock; `null` if it notes no such thing after that record. */
async function carrierOut(
  client: ConnectedClient,
  board: string,
  after: number,
): Promise<{ readonly outMs: number | null; readonly last: number }> {
  let outMs: number | null = null;
  let lostUs: number | null = null;
  for (let last = after; ; ) {
    const answer = await client.inquire({ board, ask: { type: "flight", after: last } }).catch(() => null);
    const flight = answer === null ? null : readFlightAnswer(answer);
    const newest = flight?.records.at(-1);
    if (flight === null || newest === undefined) return { outMs, last };
    for (const { happening, monotonicUs } of flight.records) {
      const read = readHappening(happening);
      if (read?.kind !== "carrier") continue;
      if (!read.up) lostUs = monotonicUs;
      else if (lostUs !== null) outMs = (monotonicUs - lostUs) / 1_000;
    }
    last = newest.number;
    if (last >= flight.last) return { outMs, last };
  }
}
