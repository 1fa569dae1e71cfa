import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { RunningBroker } from "../mqtt/broker.ts";
import { type ClusterClient, connect } from "../mqtt/client.ts";
import { Connection } from "../mqtt/connection.ts";
import { startBroker } from "../mqtt/embedded-broker.ts";
import type { BoardConfiguration } from "./configuration.ts";
import { provision } from "./disk/data-folder.ts";
import { createLog } from "./log.ts";
import { Station } from "./station.ts";

const names = ["pi-1", "pi-2", "pi-3"];
const withinMs = { timeout: 8_000, interval: 10 };

let folder: string;
let broker: RunningBroker;
let stations: Map<string, Station>;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "adrift-board-"));
  broker = await serve(0);
  stations = new Map();
  for (const name of names) {
    await provision(join(folder, name), { cluster: "c", board: name });
    await start(name);
  }
});

afterEach(async () => {
  const isLeader = (station: Station): boolean => station.board.status.role === "leader";
  const [leaders, followers] = [true, false].map((leads) =>
    [...stations.values()].filter((each) => isLeader(each) === leads),
  );
  for (const group of [followers, leaders]) await Promise.all((group ?? []).map((station) => station.leave()));
  await broker.close();
  rmSync(folder, { recursive: true, force: true });
});

test("given three boards on a broker, when they start, then one leads, and a client's writes are on all of them", async () => {
  const client = await newClient();
  await client.write("x", 1);
  expect(await client.add("n", 2)).toBe(2);
  expect(await client.read("x")).toBe(1);
  await vi.waitFor(() => {
    const applied = [...stations.values()].map(({ board }) => board.status.appliedIndex);
    expect(new Set(applied).size).toBe(1);
  }, withinMs);
  await client.close();
});

test("given a leader, when it is told to go, then another leads before it has gone, and clients lose nothing", async () => {
  const client = await newClient();
  await client.write("x", 1);
  const first = await leader();
  const { term } = board(first).status;
  const station = stations.get(first);
  stations.delete(first);
  await station?.leave();
  const second = await leader();
  expect(second).not.toBe(first);
  expect(board(second).status.term).toBe(term + 1);
  expect(await client.read("x")).toBe(1);
  await client.close();
});

test("given a broker that dies and returns, then the cluster goes on with all that it had", async () => {
  const client = await newClient();
  await client.write("x", 1);
  const { port } = broker;
  await broker.close();
  broker = await serve(port);
  await client.write("y", 2);
  expect(await client.read("x")).toBe(1);
  await client.close();
});

test("given payloads of all kinds that no board sent, when they come in, then they are counted, and the cluster goes on", async () => {
  const client = await newClient();
  await client.write("x", 1);
  const victim = await leader();
  const terms = names.map((name) => board(name).status.term);
  const forger = await newConnection();
  const payloads = [
    "",
    "{}",
    "[]",
    "null",
    "\u0000",
    "x".repeat(1_000),
    '{"v":9}',
    '{"v":1,"crc":"00000000","messages":[]}',
  ];
  for (let round = 0; round < 25; round += 1) {
    for (const payload of payloads) {
      forger.publish(`adrift/c/raft/${victim}/pi-9`, payload);
      forger.publish(`adrift/c/raft/${victim}/${names.find((name) => name !== victim)}`, payload);
      forger.publish("adrift/c/request/eve", payload);
      forger.publish(`adrift/c/board/${victim}/request/eve`, payload);
    }
  }
  await vi.waitFor(() => {
    const dropped = [...board(victim).drops.snapshot().values()].reduce((sum, count) => sum + count, 0);
    expect(dropped).toBe(25 * payloads.length * 4);
  }, withinMs);
  expect(names.map((name) => board(name).status.term)).toEqual(terms);
  expect(await client.read("x")).toBe(1);
  await forger.close();
  await client.close();
});

test("given a request that somebody had the broker retain, when a board hears it, then it is old news, and dropped", async () => {
  const first = await leader();
  const eve = await newConnection();
  const payload = JSON.stringify({ v: 1, requests: [{ type: "register", request: 1 }] });
  eve.publish(`adrift/c/board/${first}/request/eve`, payload, true);
  await eve.close();
  const station = stations.get(first);
  stations.delete(first);
  await station?.leave();
  await start(first);
  await vi.waitFor(() => expect(board(first).drops.snapshot().get("stale")).toBe(1), withinMs);
});

test("given a board without lights, when it is asked to blink, then it refuses; and it tells its time to whoever asks", async () => {
  const client = await newClient();
  const blink = client.inquire({ board: "pi-1", ask: { type: "identify", forMs: 1 } });
  await expect(blink).rejects.toThrow(/pi-1 has no LED that works: name one under `leds`/);
  const time = await client.inquire({ board: "pi-2", ask: { type: "time" } });
  const boot = stations.get("pi-2")?.boot;
  expect(time).toEqual({ boot, monotonicUs: expect.any(Number), wallUs: expect.any(Number) });
  await client.close();
});

test("given a client that is not the controller, when it asks for another leader, then nothing changes", async () => {
  const first = await leader();
  const target = names.find((name) => name !== first);
  const eve = await newConnection();
  const payload = JSON.stringify({ v: 1, requests: [{ type: "transfer", request: 1, to: target }] });
  eve.publish("adrift/c/request/eve", payload);
  await vi.waitFor(() => expect(board(first).drops.snapshot().get("forbidden")).toBe(1), withinMs);
  expect(board(first).status.role).toBe("leader");
  await eve.close();
});

function board(name: string): Station["board"] {
  const station = stations.get(name);
  if (station === undefined) throw new Error(`${name} does not run.`);
  return station.board;
}

/** The board that leads, once one does and a majority knows. */
async function leader(): Promise<string> {
  return await vi.waitFor(() => {
    const running = [...stations].map(([name, station]) => ({ name, status: station.board.status }));
    const found = running.find(({ status }) => status.role === "leader");
    const followers = running.filter(({ status }) => status.leader === found?.name);
    if (found === undefined || followers.length * 2 <= names.length) throw new Error("Nobody leads a majority yet.");
    return found.name;
  }, withinMs);
}

async function start(name: string): Promise<void> {
  const configuration: BoardConfiguration = {
    board: name,
    cluster: "c",
    data: join(folder, name),
    boards: names.map((each) => ({ name: each, inbox: "broker" })),
    founders: names,
    brokers: [{ name: "broker", url: `mqtt://127.0.0.1:${broker.port}` }],
    serves: null,
    // Patient enough for a machine that is busy with other tests: none of these waits for an election time-out.
    timing: { heartbeatMs: 50, electionMinMs: 2_000, electionMaxMs: 2_500 },
    raft: { leaseReads: false, clockDriftPpmMax: null, snapshotAfterEntries: null, trailingEntries: null },
    rejoinAfterDamage: false,
    keys: null,
    metricsPort: null,
    logLevel: "silent",
    interfaces: [],
    leds: [],
    console: null,
  };
  const log = createLog("silent", name);
  const stopped = (reason: string): never => {
    throw new Error(`${name} stopped: ${reason}`);
  };
  stations.set(name, await Station.open({ configuration, log, takesOrders: false, stopped }));
}

function serve(port: number): Promise<RunningBroker> {
  const host = "127.0.0.1";
  return startBroker({ name: "broker", host, port, webSocketPort: null, keys: null, cluster: "c", boards: names });
}

function newClient(): Promise<ClusterClient> {
  return connect({ cluster: "c", brokers: [`mqtt://127.0.0.1:${broker.port}`] });
}

async function newConnection(): Promise<Connection> {
  const handlers = { up: () => undefined, down: () => undefined, message: () => undefined };
  const connection = new Connection({ url: `mqtt://127.0.0.1:${broker.port}`, name: "eve", keys: null, handlers });
  await vi.waitFor(() => expect(connection.isUp).toBe(true), withinMs);
  return connection;
}
