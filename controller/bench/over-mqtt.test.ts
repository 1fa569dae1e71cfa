import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Connection } from "../../device/mqtt/connection.ts";
import { startBroker } from "../../device/mqtt/embedded-broker.ts";
import type { BoardStatus, FlightRecord } from "../../device/transport/envelope.ts";
import { encodeEvent } from "../../device/transport/event-codec.ts";
import { encodeReplies } from "../../device/transport/reply-codec.ts";
import { decodeRequests } from "../../device/transport/request-codec.ts";
import { encodeStatus } from "../../device/transport/status-codec.ts";
import { parseTopic, topicsOf } from "../../device/transport/topics.ts";
import { parseBench } from "../../hardware/bench.ts";
import { OverMqtt } from "./over-mqtt.ts";

const bench = parseBench("boards: 3", "bench.yaml");
const topics = topicsOf(bench.cluster);
const closing: (() => Promise<unknown>)[] = [];
let url = "";

beforeAll(async () => {
  const broker = await startBroker({
    name: "broker",
    host: "127.0.0.1",
    port: 0,
    webSocketPort: null,
    keys: null,
    cluster: bench.cluster,
    boards: bench.boards.map(({ name }) => name),
  });
  closing.push(() => broker.close());
  url = `mqtt://127.0.0.1:${broker.port}`;
});
afterAll(async () => {
  for (const close of closing.reverse()) await close();
});

function status(board: string, more: Partial<BoardStatus> = {}): BoardStatus {
  return {
    member: board,
    role: "follower",
    term: 2,
    leader: "pi-1",
    commitIndex: 5,
    appliedIndex: 5,
    lastIndex: 5,
    voters: ["pi-1", "pi-2"],
    learners: [],
    version: "1",
    carrier: null,
    ...more,
  };
}

const record = (number: number): FlightRecord => ({
  number,
  boot: 1,
  wallUs: number,
  monotonicUs: number,
  happening: { kind: "connection", broker: "broker", up: true },
});

/** A board that answers what it is asked, its flight recorder two records at a time. */
async function startBoard(name: string, records: readonly FlightRecord[]): Promise<Connection> {
  return await new Promise((resolve) => {
    const connection = new Connection({
      url,
      name,
      keys: null,
      handlers: {
        up: () => resolve(connection),
        down: () => undefined,
        message(topic, payload) {
          const parsed = parseTopic(bench.cluster, topic);
          if (parsed?.kind !== "boardRequest") return;
          const decoded = decodeRequests(payload.toString("utf8"), { client: parsed.client });
          if (!decoded.ok) return;
          const replies = decoded.value.requests.map((request) => {
            const after = request.type === "flight" ? request.after : 0;
            const value =
              request.type === "flight"
                ? { records: records.filter(({ number }) => number > after).slice(0, 2), last: records.length }
                : status(name);
            return { client: parsed.client, request: request.request, outcome: { kind: "ok", value } } as const;
          });
          // What a board says is made of JSON alone.
          const text = encodeReplies({ from: name, boot: 1, seq: 9, replies: JSON.parse(JSON.stringify(replies)) });
          connection.publish(topics.reply(parsed.client), text);
        },
      },
    });
    connection.subscribe(topics.boardRequests(name));
    closing.push(() => connection.close());
  });
}

async function until(condition: () => boolean): Promise<void> {
  const untilMs = performance.now() + 5_000;
  while (!condition() && performance.now() < untilMs) await new Promise((resolve) => setTimeout(resolve, 5));
  expect(condition()).toBe(true);
}

describe.concurrent("a bench seen over MQTT", () => {
  it("given what boards retain, then it knows who leads and who votes, and the newer status counts", async () => {
    const board = await startBoard("pi-1", []);
    const say = (from: string, seq: number, said: BoardStatus) =>
      board.publish(topics.status(from), encodeStatus({ from, boot: 1, seq, online: true, status: said }), true);
    const cluster = await OverMqtt.connect({ bench, brokers: [url], keys: null });
    closing.push(() => cluster.close());
    expect(cluster.view(["pi-1"])).toEqual({ boards: ["pi-1"], leader: null, voters: ["pi-1", "pi-2", "pi-3"] });
    say("pi-1", 2, status("pi-1", { role: "leader" }));
    await until(() => cluster.view([]).leader === "pi-1");
    expect(cluster.view([]).voters).toEqual(["pi-1", "pi-2"]);
    say("pi-2", 7, status("pi-2", { role: "leader", term: 3, leader: "pi-2", voters: ["pi-2", "pi-3.a"] }));
    await until(() => cluster.view([]).leader === "pi-2");
    say("pi-2", 6, status("pi-2", { term: 3, leader: null, voters: [] }));
    say("pi-3", 1, status("pi-3", { term: 1, leader: "pi-3" }));
    expect((await cluster.statuses()).get("pi-1")?.member).toBe("pi-1");
    expect(cluster.view([])).toEqual({ boards: [], leader: "pi-2", voters: ["pi-2", "pi-3"] });
  });

  it("given flight recorders, then it fetches all of them piece by piece, and keeps what it heard of a board that is silent", async () => {
    const board = await startBoard("pi-2", [1, 2, 3, 4, 5].map(record));
    const cluster = await OverMqtt.connect({ bench, brokers: [url], keys: null });
    closing.push(() => cluster.close());
    let told = 0;
    const telling = setInterval(() => {
      told += 1;
      board.publish(topics.event("pi-3"), encodeEvent({ from: "pi-3", boot: 1, seq: told, record: record(77) }));
    }, 5);
    const records = await cluster.flightRecords();
    clearInterval(telling);
    const of = (name: string) =>
      new Set(records.filter((each) => each.board === name).map((each) => each.record.number));
    expect(of("pi-2")).toEqual(new Set([1, 2, 3, 4, 5]));
    expect(of("pi-3")).toEqual(new Set([77]));
  });
});
