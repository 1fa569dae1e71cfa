import { describe, expect, it } from "vitest";
import type { BoardLine } from "./board-roll.ts";
import { Story } from "./story.ts";

function line(board: string, role: "leader" | "follower", term: number, presence: BoardLine["presence"] = "online") {
  const status = {
    member: board,
    role,
    term,
    leader: null,
    commitIndex: 0,
    appliedIndex: 0,
    lastIndex: 0,
    voters: [],
    learners: [],
    version: "1",
    carrier: true,
  } as const;
  return { board, presence, status, lastSeenMs: 0, brokers: [] } satisfies BoardLine;
}

function storyOf(happens: (story: Story) => void): readonly string[] {
  const told: string[] = [];
  happens(new Story((sentence) => told.push(sentence)));
  return told;
}

const port = { board: "pi-3", cable: "pi-3", how: "its switch port", isCommanded: false } as const;

describe("the story of a running cluster", () => {
  it("given a leader's cable that a hand pulls, then it tells who led, who leads now, after how long, and who waited", () => {
    expect(
      storyOf((story) => {
        story.boards([line("pi-1", "follower", 7), line("pi-3", "leader", 7)], 0);
        story.cable({ ...port, up: false }, 1_000);
        story.boards([line("pi-1", "leader", 8), line("pi-3", "leader", 7)], 1_610);
        story.clientsWaited(720);
        story.boards([line("pi-1", "leader", 8), line("pi-3", "leader", 7, "silent")], 2_000);
        story.cable({ ...port, up: true }, 6_000);
        story.boards([line("pi-1", "leader", 8), line("pi-3", "follower", 8)], 6_100);
        story.wasOut("pi-3", 5_004);
      }),
    ).toEqual([
      "pi-3 leads term 7",
      "cable of pi-3 pulled (its switch port is down); pi-3 led term 7",
      "pi-1 leads term 8 after 0.61 s",
      "clients waited 0.72 s",
      "cable of pi-3 plugged in after 5.00 s",
      "pi-3 is back",
      "pi-3 says that its cable was out for 5.00 s",
    ]);
  });

  it("given a cut by a program, then it is no hand's", () => {
    expect(
      storyOf((story) => {
        story.cable({ ...port, isCommanded: true, up: false }, 0);
        story.cable({ ...port, isCommanded: true, up: false }, 100);
        story.cable({ ...port, isCommanded: true, up: true }, 2_500);
      }),
    ).toEqual(["cable of pi-3 cut (its switch port is down)", "cable of pi-3 healed after 2.50 s"]);
  });

  it("given a board of which only silence is known, then it is told once, and who led until then", () => {
    expect(
      storyOf((story) => {
        story.boards([line("pi-1", "follower", 1), line("pi-3", "leader", 1)], 0);
        story.boards([line("pi-1", "leader", 2), line("pi-3", "leader", 1)], 500);
        story.boards([line("pi-1", "leader", 2), line("pi-3", "leader", 1, "offline")], 1_500);
        story.boards([line("pi-1", "leader", 2), line("pi-3", "leader", 1, "silent")], 1_600);
        story.boards([line("pi-1", "leader", 2), line("pi-3", "follower", 2)], 3_000);
      }),
    ).toEqual([
      "pi-3 leads term 1",
      "pi-1 leads term 2; pi-3 led term 1",
      "pi-3 is silent: its cable, its power, or its process",
      "pi-3 is back",
    ]);
  });
});
