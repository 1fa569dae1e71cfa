import { existsSync } from "node:fs";
import { afterEach, describe, expect, test, vi } from "vitest";
import { type ConnectedClient, connect } from "../../../device/mqtt/client.ts";
import { boardOf } from "../../../device/replica/identity.ts";
import type { BoardStatus, StatusEnvelope } from "../../../device/transport/envelope.ts";
import { parseBench } from "../../../hardware/bench.ts";
import { readyBench } from "../../experiment/ready.ts";
import { BenchFailure } from "../bench.ts";
import { type LocalBench, type LocalBenchEvent, startLocalBench } from "./local-bench.ts";

const patience = { timeout: 30_000, interval: 20 };

type Watched = {
  readonly local: LocalBench;
  readonly client: ConnectedClient;
  readonly events: LocalBenchEvent[];
  /** The last word of each board, `null` from its will. */
  readonly statuses: Map<string, BoardStatus | null>;
  /** Waits until a board leads that is none of these, in a term above this. */
  leader(condition?: {
    readonly other?: string;
    readonly aboveTerm?: number;
  }): Promise<BoardStatus & { board: string }>;
};

let watched: Watched | null = null;
afterEach(async () => {
  await watched?.client.close();
  await watched?.local.close();
  watched = null;
});

async function start(name: string): Promise<Watched> {
  const events: LocalBenchEvent[] = [];
  const local = await startLocalBench({
    bench: parseBench(readyBench(name)?.text ?? "", `${name}.yaml`),
    folder: null,
    forwarders: true,
    tell: (event) => events.push(event),
  });
  const brokers = local.brokers.map(({ url }) => url);
  const client = await connect({ cluster: local.bench.cluster, brokers, deadlineMs: 20_000 });
  const statuses = new Map<string, BoardStatus | null>();
  client.onStatus(({ from, status }: StatusEnvelope) => statuses.set(from, status));
  watched = {
    local,
    client,
    events,
    statuses,
    leader: ({ other, aboveTerm = 0 } = {}) =>
      vi.waitUntil(() => {
        for (const [board, status] of statuses) {
          if (status?.role === "leader" && board !== other && status.term > aboveTerm) return { ...status, board };
        }
        return null;
      }, patience),
  };
  return watched;
}

describe("five boards as processes", () => {
  test("given that the leader's cable is cut, then another leads; healed, the old one follows it", async () => {
    const { local, client, events, statuses, leader } = await start("five-boards");
    const first = await leader();
    await client.write("x", 1);
    local.cut(first.board, "both", 60_000);
    const second = await leader({ other: first.board, aboveTerm: first.term });
    await client.write("x", 2);
    expect(local.state.cuts).toMatchObject([{ cable: first.board, direction: "both" }]);
    local.heal();
    await vi.waitUntil(() => {
      const old = statuses.get(first.board);
      return old?.role === "follower" && old.term >= second.term;
    }, patience);
    expect(await client.read("x")).toBe(2);
    expect(events.map(({ kind }) => kind)).toEqual(expect.arrayContaining(["cut", "healed"]));
  });

  test("given that the leader loses its power, and comes back with an empty card, then it votes again under a new identity", async () => {
    const { local, client, statuses, leader } = await start("five-boards");
    const { board, term } = await leader();
    await client.write("x", 1);
    await local.carryOut({ kind: "powerOff", board });
    expect(local.state.boards.find(({ name }) => name === board)).toMatchObject({ pid: null, hasPower: false });
    await leader({ other: board, aboveTerm: term });
    await local.carryOut({ kind: "eraseCard", board });
    await local.carryOut({ kind: "start", board });
    await vi.waitUntil(() => {
      const status = statuses.get(board);
      const isNew = status != null && status.member !== board && boardOf(status.member) === board;
      return isNew && status.voters.includes(status.member);
    }, patience);
    await expect(local.carryOut({ kind: "eraseCard", board })).rejects.toThrow(BenchFailure);
  });

  test("given that a board is paused, then it is silent until it goes on", async () => {
    const { local, client, leader } = await start("five-boards");
    const { board, term } = await leader();
    await local.carryOut({ kind: "pause", board });
    await leader({ other: board, aboveTerm: term });
    await client.write("x", 1);
    await local.carryOut({ kind: "resume", board });
    expect(await client.inquire({ board, ask: { type: "status" } })).toMatchObject({ member: board });
  });

  test("given that the broker dies and comes back at its port, then the cluster goes on", async () => {
    const { local, client, leader } = await start("five-boards");
    await leader();
    await client.write("x", 1);
    await local.carryOut({ kind: "stopBroker", broker: "broker", loses: ["sessions", "retained"] });
    await local.carryOut({ kind: "startBroker", broker: "broker" });
    await vi.waitUntil(
      () =>
        client.write("x", 2).then(
          () => true,
          () => false,
        ),
      patience,
    );
  });

  test("given that a board dies by itself, then it is started again, and that is told", async () => {
    const { local, events, leader } = await start("five-boards");
    await leader();
    const { name, pid } = local.state.boards[0] ?? { name: "", pid: null };
    process.kill(pid ?? Number.NaN, "SIGKILL");
    await vi.waitUntil(() => {
      const now = local.state.boards[0];
      return now?.state === "running" && now.pid !== pid;
    }, patience);
    const changes = events.flatMap((event) => (event.kind === "process" && event.name === name ? [event.change] : []));
    expect(changes).toMatchObject([
      { kind: "started" },
      { kind: "died", reason: "it was ended by SIGKILL", isStartedAgain: true },
      { kind: "started" },
    ]);
  });

  test("given an order about leadership and members, then the cluster follows it", async () => {
    const { local, leader } = await start("five-boards");
    const first = await leader();
    const next = local.bench.boards.map(({ name }) => name).find((name) => name !== first.board) ?? "";
    expect(await local.carryOut({ kind: "transferLeadership", board: next })).not.toHaveProperty("refusal");
    const second = await leader({ other: first.board, aboveTerm: first.term });
    expect(second.board).toBe(next);
    await local.carryOut({ kind: "removeMembers", boards: [first.board] });
    const voters = async () => (await leader()).voters;
    await expect.poll(voters, patience).not.toContain(first.board);
    await local.carryOut({ kind: "addMembers", boards: [first.board] });
    await expect.poll(voters, patience).toContain(first.board);
  });
});

test("given a broker on every board, then a board without its cable still hears its own broker, and the others go on", async () => {
  const { local, client, leader } = await start("inbox-per-board");
  const first = await leader();
  local.cut(first.board, "both", null);
  await leader({ other: first.board, aboveTerm: first.term });
  await client.write("x", 1);
  const [inbox] = local.bench.brokers.filter(({ node }) => node !== first.board);
  await local.carryOut({ kind: "stopBroker", broker: inbox?.name ?? "", loses: [] });
  await local.carryOut({ kind: "startBroker", broker: inbox?.name ?? "" });
  local.heal();
  await client.write("x", 2);
});

test("given that it is closed, then no process and no file of it is left", async () => {
  const { local, client } = await start("three-boards");
  await client.close();
  const pids = [...local.state.boards, ...local.state.brokers].map(({ pid }) => pid ?? Number.NaN);
  await local.carryOut({ kind: "pause", board: "pi-2" });
  await local.close();
  expect(pids.filter((pid) => existsSync(`/proc/${pid}`))).toEqual([]);
  expect(existsSync(local.folder)).toBe(false);
});
