import { describe, expect, it } from "vitest";
import type { PeerMessage } from "../../device/transport/protocol.ts";
import { type SimulatedBench, simulate } from "../harness.ts";

/** A write of this value, as a client commands it. */
const write = (value: number) => ({ op: "write", key: "x", value }) as const;

/** The values written on a board, in the order in which it knows them to be committed. */
function written(bench: SimulatedBench, board: string): readonly unknown[] {
  return bench.committedCommands(board).map((command) => Object(command).value);
}

describe("lab 3B, the log", () => {
  it("given commands one by one, when each is answered, then no board had it before it was sent, and all have it after", () => {
    const bench = simulate({ boards: 5 });
    bench.expectReady();
    for (const value of [100, 200, 300]) {
      for (const board of bench.boards) expect(written(bench, board)).not.toContain(value);
      bench.expectAnswer(write(value));
      bench.expectCommitted();
    }
    for (const board of bench.boards) expect(written(bench, board)).toEqual([100, 200, 300]);
  });

  it("given large commands, when they are replicated, then each goes to each follower once", () => {
    let bytes = 0;
    const count = (message: PeerMessage): void => {
      bytes += JSON.stringify(message).length;
    };
    const bench = simulate({ boards: 3, overhear: count });
    bench.expectReady();
    bench.expectAnswer(write(0), { client: "c1" });
    bytes = 0;
    let commandBytes = 0;
    for (let round = 1; round <= 10; round += 1) {
      const value = "x".repeat(5_000);
      bench.expectAnswer({ op: "write", key: "large", value }, { client: "c1" });
      commandBytes += value.length;
    }
    expect(bytes).toBeGreaterThan(2 * commandBytes);
    expect(bytes).toBeLessThan(2 * commandBytes + 20_000);
  });

  it("given followers that fail one after the other, when a majority is left, then commands go on, and otherwise not", () => {
    const bench = simulate({ boards: 3, wiring: "direct", timeout: "2s" });
    const { board: leader, term } = bench.expectReady();
    const [one = "", other = ""] = bench.others(leader);
    bench.expectAnswer(write(101));
    bench.isolate(one);
    bench.expectAnswer(write(102));
    bench.advance("2s");
    bench.expectAnswer(write(103));
    expect(bench.expectOneLeader()).toEqual({ board: leader, term });
    bench.isolate(other);
    expect(bench.submit(write(104)).type).toBe("info");
    for (const board of bench.boards) expect(written(bench, board)).not.toContain(104);
  });

  it("given leaders that fail one after the other, when a majority is left, then commands go on, and otherwise not", () => {
    const bench = simulate({ boards: 3, timeout: "3s" });
    const first = bench.expectReady();
    bench.expectAnswer(write(101));
    bench.cut(first.board);
    bench.expectAnswer(write(102));
    bench.advance("1s");
    bench.expectAnswer(write(103));
    const second = bench.expectOneLeader({ among: bench.others(first.board) });
    bench.cut(second.board);
    expect(bench.submit(write(104)).type).toBe("info");
    for (const board of bench.boards) expect(written(bench, board)).not.toContain(104);
  });

  it("given a follower that was cut off while commands were committed, when it is back, then it has them and takes part", () => {
    const bench = simulate({ boards: 3 });
    const [follower = ""] = bench.others(bench.expectReady().board);
    bench.expectAnswer(write(101));
    bench.cut(follower);
    for (const value of [102, 103]) bench.expectAnswer(write(value));
    bench.advance("1s");
    for (const value of [104, 105]) bench.expectAnswer(write(value));
    bench.heal(follower);
    for (const value of [106, 107]) bench.expectAnswer(write(value));
    bench.expectCommitted();
    expect(written(bench, follower)).toEqual([101, 102, 103, 104, 105, 106, 107]);
  });

  it("given three of five followers gone, when a client commands, then nothing is committed until they are back", () => {
    const bench = simulate({ boards: 5, wiring: "direct", timeout: "2s" });
    const { board: leader } = bench.expectReady();
    bench.expectAnswer(write(10));
    const [one = "", two = "", three = "", rest = ""] = bench.others(leader);
    bench.partition([leader, rest], [one], [two], [three]);
    const index = bench.world.invariants.committedIndex;
    expect(bench.submit(write(20)).type).toBe("info");
    expect(bench.world.invariants.committedIndex).toBe(index);
    bench.healAll();
    bench.expectReady();
    bench.expectAnswer(write(30));
    bench.expectAgreement();
  });

  it("given many clients at once, when all command, then all are answered, and every command has an index of its own", () => {
    const bench = simulate({ boards: 3, clients: 20 });
    bench.expectReady();
    const all = bench.world.clients.map((_, value) => bench.begin(write(value)));
    for (const pending of all) expect(bench.outcome(pending).type).toBe("ok");
    const { board } = bench.expectOneLeader();
    expect(written(bench, board).toSorted((one, other) => Number(one) - Number(other))).toEqual([...all.keys()]);
  });

  it("given a leader that was cut off with its own entries, when it leads again after others did, then theirs stand", () => {
    const bench = simulate({ boards: 3, wiring: "direct", timeout: "250ms" });
    const first = bench.expectReady();
    for (const client of ["c1", "c2", "c3"]) bench.expectAnswer(write(101), { client });
    bench.isolate(first.board);
    const lost = ["c1", "c2", "c3"].map((client, place) => bench.begin(write(102 + place), { client }));
    for (const pending of lost) expect(bench.outcome(pending).type).toBe("info");
    const second = bench.expectOneLeader({ among: bench.others(first.board) });
    bench.advance("1s");
    bench.expectAnswer(write(103));
    bench.isolate(second.board);
    bench.heal(first.board);
    bench.isolate(second.board);
    bench.expectOneLeader({ among: bench.others(second.board) });
    bench.advance("2s");
    bench.expectAnswer(write(104));
    bench.healAll();
    bench.expectAgreement();
    expect(written(bench, first.board)).toEqual([101, 101, 101, 103, 104]);
  });

  it("given a follower with many wrong entries, when it hears the new leader, then they are found and replaced at once", () => {
    const clients = Array.from({ length: 50 }, (_, place) => `c${place + 1}`);
    const rejections: PeerMessage[] = [];
    const overhear = (message: PeerMessage) => message.type === "appendRejected" && rejections.push(message);
    const bench = simulate({ boards: 5, wiring: "direct", clients: clients.length, timeout: "200ms", overhear });
    const { board: leader } = bench.expectReady();
    for (const client of clients) bench.expectAnswer(write(1), { client });
    const [friend = "", ...majority] = bench.others(leader);
    bench.partition([leader, friend], majority);
    for (const pending of clients.map((client) => bench.begin(write(2), { client }))) bench.outcome(pending);
    expect(bench.log(friend).filter(({ committed }) => !committed)).toHaveLength(50);

    bench.expectOneLeader({ among: majority });
    bench.advance("1s");
    for (const client of clients) bench.expectAnswer(write(3), { client });
    rejections.length = 0;
    bench.healAll();
    bench.expectAgreement(bench.boards, { within: "2s" });
    expect(written(bench, friend)).not.toContain(2);
    expect(rejections.filter((message) => message.from === friend).length).toBeLessThan(4);
  });

  it("given elections, commands and idle times, when messages are counted, then there are no more than needed", () => {
    let messages = 0;
    const count = (): void => {
      messages += 1;
    };
    const bench = simulate({ boards: 3, clients: 10, overhear: count });
    bench.expectReady();
    expect(messages).toBeLessThan(30);

    for (const { name: client } of bench.world.clients) bench.expectAnswer(write(0), { client });
    messages = 0;
    const all = bench.world.clients.map((_, value) => bench.begin(write(value)));
    for (const pending of all) bench.outcome(pending);
    expect(messages).toBeLessThan(10 * 2 * 2 + 20);

    messages = 0;
    bench.advance("1s");
    // A heartbeat each 50 ms to each of two followers, and its answer.
    expect(messages).toBeLessThanOrEqual(4 * 21);
  });
});
