import { describe, expect, it } from "vitest";
import type { BoardStatus } from "../../device/transport/envelope.ts";
import { isAgreed } from "./recovery.ts";

function status(member: string, more: Partial<BoardStatus> = {}): BoardStatus {
  return {
    member,
    role: member === "pi-1" ? "leader" : "follower",
    term: 3,
    leader: "pi-1",
    commitIndex: 9,
    appliedIndex: 9,
    lastIndex: 9,
    voters: ["pi-1", "pi-2", "pi-3"],
    learners: [],
    version: "1",
    carrier: null,
    ...more,
  };
}

function agreed(...statuses: readonly BoardStatus[]): boolean {
  return isAgreed(new Map(statuses.map((each) => [each.member.split(".")[0] ?? "", each])));
}

const three = [status("pi-1"), status("pi-2"), status("pi-3")] as const;

describe("agreement, asked from outside", () => {
  it("given that all follow one leader and hold what it holds, then they agree", () => {
    expect(agreed(...three)).toBe(true);
  });

  it.each([
    ["nobody leads", [status("pi-1", { role: "candidate" }), three[1], three[2]]],
    ["a board does not answer", [three[0], three[1]]],
    ["a board follows in an earlier term", [three[0], three[1], status("pi-3", { term: 2 })]],
    ["a board lacks entries", [three[0], three[1], status("pi-3", { lastIndex: 8, commitIndex: 8, appliedIndex: 8 })]],
    ["a board has not applied them yet", [three[0], three[1], status("pi-3", { appliedIndex: 8 })]],
    ["the leader's last entry is not committed", [status("pi-1", { lastIndex: 10 }), three[1], three[2]]],
    ["a board is back under a new identity that does not vote yet", [three[0], three[1], status("pi-3.a")]],
  ])("given that %s, then they do not", (_, statuses) => {
    expect(agreed(...statuses)).toBe(false);
  });

  it("given a former leader that does not know it yet, then the later term counts", () => {
    const former = status("pi-2", { role: "leader", term: 2, leader: "pi-2" });
    expect(agreed(three[0], former, three[2])).toBe(false);
    expect(agreed(...three, status("pi-4", { role: "leader", term: 2 }))).toBe(true);
  });
});
