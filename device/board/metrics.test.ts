import { request } from "node:http";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { BoardStatus } from "../transport/envelope.ts";
import { createMetrics, type Metrics } from "./metrics.ts";
import { type MetricsServer, serveMetrics } from "./metrics-server.ts";

const status: BoardStatus = {
  member: "pi-1",
  role: "leader",
  term: 7,
  leader: "pi-1",
  commitIndex: 40,
  appliedIndex: 39,
  lastIndex: 42,
  voters: ["pi-1", "pi-2", "pi-3"],
  learners: [],
  version: "0.1.0",
  carrier: true,
};

let present = status;
let dropped = new Map<string, number>();
let metrics: Metrics;

beforeEach(() => {
  present = status;
  dropped = new Map([["stale", 2]]);
  metrics = createMetrics({
    status: () => present,
    brokers: () => [
      { broker: "left", isUp: true, waitingBytes: 17 },
      { broker: "right", isUp: false, waitingBytes: 0 },
    ],
    drops: () => dropped,
    pendingRequests: () => 5,
    lostRecords: () => 1,
  });
});
afterEach(() => metrics.close());

describe("given the metrics of a leader", () => {
  test("when they are asked for, then they say how it takes part, and what waits", async () => {
    expect(await values()).toMatchObject({
      adrift_term: 7,
      'adrift_role{role="leader"}': 1,
      'adrift_role{role="follower"}': 0,
      adrift_commit_index: 40,
      adrift_applied_index: 39,
      adrift_last_index: 42,
      adrift_carrier: 1,
      'adrift_version{version="0.1.0"}': 1,
      'adrift_broker_connected{broker="left"}': 1,
      'adrift_broker_connected{broker="right"}': 0,
      'adrift_broker_waiting_bytes{broker="left"}': 17,
      adrift_pending_requests: 5,
      'adrift_dropped_payloads_total{reason="stale"}': 2,
      adrift_lost_flight_records_total: 1,
      process_resident_memory_bytes: expect.any(Number),
      'adrift_event_loop_delay_seconds{quantile="0.99"}': expect.any(Number),
    });
  });

  test("when it becomes a follower and more is dropped, then the next answer says so", async () => {
    await values();
    present = { ...status, role: "follower", term: 8, carrier: null };
    dropped.set("stale", 3);
    const now = await values();
    expect(now).toMatchObject({
      adrift_term: 8,
      'adrift_role{role="leader"}': 0,
      'adrift_role{role="follower"}': 1,
      'adrift_dropped_payloads_total{reason="stale"}': 3,
    });
    expect(now).not.toHaveProperty("adrift_carrier");
  });

  test("when it stands for election and hears of leaders, then both are counted", async () => {
    const role = { type: "role", term: 8, reason: "no word from the leader" } as const;
    metrics.happened({ kind: "replica", event: { ...role, role: "preCandidate" } });
    metrics.happened({ kind: "replica", event: { ...role, role: "candidate" } });
    metrics.happened({ kind: "replica", event: { type: "leader", leader: null, term: 8 } });
    metrics.happened({ kind: "replica", event: { type: "leader", leader: "pi-2", term: 8 } });
    metrics.happened({ kind: "carrier", interface: "eth0", up: false, withinUs: 50_000 });
    expect(await values()).toMatchObject({ adrift_elections_total: 1, adrift_leader_changes_total: 1 });
  });

  test("when commits and flushes are timed, then each is counted by how long it took", async () => {
    metrics.commitTook(1_200);
    metrics.flushTook(300);
    metrics.flushTook(411_000);
    expect(await values()).toMatchObject({
      'adrift_commit_seconds_bucket{le="0.001"}': 0,
      'adrift_commit_seconds_bucket{le="0.0025"}': 1,
      'adrift_flush_seconds_bucket{le="0.0005"}': 1,
      'adrift_flush_seconds_bucket{le="0.25"}': 1,
      'adrift_flush_seconds_bucket{le="0.5"}': 2,
      adrift_flush_seconds_sum: 0.4113,
      adrift_flush_seconds_count: 2,
    });
  });
});

describe("given metrics that are served", () => {
  let server: MetricsServer;
  beforeEach(async () => {
    server = await serveMetrics(metrics, 0);
  });
  afterEach(() => server.close());

  test("when Prometheus asks, then it gets them as it wants them", async () => {
    const { status: code, type, text } = await ask("/metrics");
    expect([code, type]).toEqual([200, "text/plain; version=0.0.4; charset=utf-8"]);
    expect(text).toContain("\nadrift_term 7\n");
  });

  test.each([
    ["another page is asked for", "/", "GET", "127.0.0.1", 404],
    ["something is to be written", "/metrics", "POST", "127.0.0.1", 405],
    ["a page asks that has a name of its own lead here", "/metrics", "GET", "evil.example.org", 403],
    ["the machine is called by its name", "/metrics", "GET", "localhost:9464", 200],
  ])("when %s, then the answer is right", async (_, path, method, host, code) => {
    expect((await ask(path, method, host)).status).toBe(code);
  });

  test("when another program wants the same port, then it is told which, and what to do", async () => {
    await expect(serveMetrics(metrics, server.port)).rejects.toThrow(
      new RegExp(`127\\.0\\.0\\.1:${server.port} .*EADDRINUSE.*: set another metricsPort`),
    );
  });

  function ask(path: string, method = "GET", host = "127.0.0.1") {
    return new Promise<{ status: number | undefined; type: string | undefined; text: string }>((resolve, reject) => {
      const asked = request({ host: "127.0.0.1", port: server.port, path, method, headers: { host } }, (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (part) => {
          text += part;
        });
        response.on("end", () =>
          resolve({ status: response.statusCode, type: response.headers["content-type"], text }),
        );
      });
      asked.on("error", reject).end();
    });
  }
});

/** All numbers of the answer by their names with labels. */
async function values(): Promise<Record<string, number>> {
  const lines = (await metrics.text()).split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return Object.fromEntries(
    lines.map((line) => [line.slice(0, line.lastIndexOf(" ")), Number(line.split(" ").at(-1))]),
  );
}
