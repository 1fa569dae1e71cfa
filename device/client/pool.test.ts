import { describe, expect, it } from "vitest";
import { createRandom } from "../random.ts";
import type { Request } from "../transport/protocol.ts";
import { keyValueCall } from "./key-value-call.ts";
import { createClientPool } from "./pool.ts";

const increment = keyValueCall({ op: "add", key: "x", value: 1 });

/** A pool, and a cluster that opens sessions 1, 2, ... and answers each command with its request number. */
function poolAndCluster(inFlightMax: number) {
  const pool = createClientPool({ name: "c1", random: createRandom(1), inFlightMax });
  const results = new Map<number, unknown>();
  const underWay: Request[] = [];
  let sessions = 0;

  function look(): void {
    const { requests, finished } = pool.drain();
    underWay.push(...requests);
    for (const { handle, outcome } of finished) {
      if (results.has(handle)) throw new Error(`Call ${handle} finished twice.`);
      results.set(handle, outcome.type);
    }
  }

  return {
    pool,
    results,
    underWay,
    submit(): number {
      const handle = pool.submit(increment, 0);
      look();
      return handle;
    },
    /** Answers what is under way now, the latest first. */
    answerAll(): void {
      for (const request of underWay.splice(0).reverse()) {
        const value = request.type === "register" ? ++sessions : request.request;
        pool.receive({ client: "c1", request: request.request, outcome: { kind: "ok", value } }, 0);
        look();
      }
    },
    sessions: () => sessions,
  };
}

describe("a pool of sessions", () => {
  it("given few calls, when they are made, then one session is enough", () => {
    const { submit, answerAll, sessions, results, pool } = poolAndCluster(2_000);
    for (let count = 0; count < 100; count += 1) submit();
    answerAll();
    answerAll();
    expect(sessions()).toBe(1);
    expect(results.size).toBe(100);
    expect(pool.load).toBe(0);
  });

  it("given room for 1,500 calls, when 1,500 are made at once, then all are under way, in three sessions", () => {
    const { submit, answerAll, underWay, sessions, results } = poolAndCluster(1_500);
    const handles = Array.from({ length: 1_500 }, submit);
    expect(new Set(handles).size).toBe(1_500);
    answerAll();
    expect(sessions()).toBe(3);
    expect(underWay).toHaveLength(1_500);
    expect(new Set(underWay.map(({ request }) => request)).size).toBe(1_500);
    answerAll();
    expect([...results.keys()].sort()).toEqual([...handles].sort());
  });

  it("given a full pool, when more calls are made, then they wait, and all are answered in the end", () => {
    const { submit, answerAll, underWay, results } = poolAndCluster(600);
    for (let count = 0; count < 1_500; count += 1) submit();
    answerAll();
    expect(underWay.length).toBeLessThanOrEqual(600);
    for (let round = 0; round < 10; round += 1) answerAll();
    expect(results.size).toBe(1_500);
    expect(new Set(results.values())).toEqual(new Set(["ok"]));
  });

  it("given replies to requests that no session made, when they come, then nothing happens", () => {
    const { pool, submit, results } = poolAndCluster(600);
    submit();
    for (const request of [0, 2, 1_099_511_627_777, Number.MAX_SAFE_INTEGER]) {
      pool.receive({ client: "c1", request, outcome: { kind: "ok", value: 1 } }, 0);
    }
    expect(results.size).toBe(0);
    expect(pool.drain()).toMatchObject({ requests: [], finished: [] });
  });
});
