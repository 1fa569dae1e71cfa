import { describe, expect, it } from "vitest";
import type { BoardStatus } from "../../device/transport/envelope.ts";
import { type BoardLook, judgeBoard, judgeCluster } from "./boards.ts";
import type { Finding } from "./finding.ts";

describe("a board", () => {
  const status: BoardStatus = {
    member: "pi-1",
    role: "follower",
    term: 3,
    leader: "pi-2",
    commitIndex: 9,
    appliedIndex: 9,
    lastIndex: 9,
    voters: ["pi-1", "pi-2"],
    learners: [],
    version: "1.2.0",
    carrier: true,
  };
  const clock = { upMs: 3_600_000, aheadMs: 4, uncertaintyMs: 2 };
  const well: BoardLook = { board: "pi-1", isOnline: true, status, clock };

  it("given one that answers and is as we are, then it is well", () => {
    expect(judgeBoard(well, "1.2.0", "service")).toMatchObject([{ condition: "ok", what: "online (version 1.2.0)" }]);
  });

  it.each<[string, BoardLook, string, RegExp]>([
    ["that nobody ever heard of", { ...well, isOnline: null }, "wrong", /no broker has ever heard of it/],
    ["that is offline", { ...well, isOnline: false }, "wrong", /offline/],
    ["that does not answer", { ...well, clock: null }, "wrong", /does not answer/],
    ["that has stopped", { ...well, status: { ...status, role: "stopped" } }, "wrong", /impossible/],
    ["with an empty card", { ...well, status: { ...status, role: "joining" } }, "warning", /empty card/],
    [
      "of another version",
      { ...well, status: { ...status, version: "1.1.0" } },
      "warning",
      /version 1\.1\.0, and this is 1\.2\.0/,
    ],
    ["without carrier", { ...well, status: { ...status, carrier: false } }, "warning", /no carrier/],
    ["with a clock behind", { ...well, clock: { ...clock, aheadMs: -5_000 } }, "warning", /5\.0 s behind ours/],
    ["with a clock of 1970", { ...well, clock: { ...clock, aheadMs: -1e12 } }, "wrong", /11574 days behind/],
    ["that has only started", { ...well, clock: { ...clock, upMs: 400 } }, "warning", /less than 30 s ago/],
  ])("given one %s, then that is told", (_words, look, condition, what) => {
    expect(judgeBoard(look, "1.2.0", "service")).toMatchObject([{ condition, what: expect.stringMatching(what) }]);
  });

  it("given a board that is no service, then nobody is sent to the log of one", () => {
    const [finding] = judgeBoard({ ...well, isOnline: false }, "1.2.0", "process");
    expect(finding?.advice).toMatch(/adrift up/);
    expect(finding?.advice).not.toMatch(/journalctl/);
  });

  it("given a clock of which the way there and back says too little, then nothing is claimed", () => {
    const vague = { ...well, clock: { ...clock, aheadMs: 1_300, uncertaintyMs: 700 } };
    expect(conditionsOf(judgeBoard(vague, "1.2.0", "service"))).toEqual(["ok"]);
  });

  it("given boards of two versions of which none leads, then both are told", () => {
    const other = { ...well, board: "pi-2", status: { ...status, version: "1.1.0" } };
    expect(judgeCluster([well, other])).toMatchObject([
      { condition: "warning", what: expect.stringContaining("pi-1 1.2.0 and pi-2 1.1.0") },
      { condition: "wrong", where: "leader" },
    ]);
  });

  it("given two that say they lead, then the one of the later term does", () => {
    const leader = (board: string, term: number): BoardLook => ({
      ...well,
      board,
      status: { ...status, role: "leader", term },
    });
    expect(judgeCluster([leader("pi-1", 3), leader("pi-2", 4)])).toMatchObject([
      { condition: "ok", what: "pi-2, term 4" },
    ]);
  });
});

function conditionsOf(findings: readonly Finding[]): readonly string[] {
  return findings.map(({ condition }) => condition);
}
