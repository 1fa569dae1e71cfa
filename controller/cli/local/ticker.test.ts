import { expect, test } from "vitest";
import type { StatusEnvelope } from "../../../device/transport/envelope.ts";
import { parseBench } from "../../../hardware/bench.ts";
import { Ticker } from "./ticker.ts";

function leads(from: string, term: number): StatusEnvelope {
  const voters = ["pi-1", "pi-2", "pi-3"];
  const indexes = { commitIndex: 1, appliedIndex: 1, lastIndex: 1 };
  const role = { member: from, role: "leader", term, leader: from, voters, learners: [] } as const;
  return { from, boot: 1, seq: 1, online: true, status: { ...role, ...indexes, version: "1", carrier: null } };
}

test("what happens on a bench is told from the moment it runs, a line each, and a leader once", () => {
  let written = "";
  let nowMs = 5_000;
  const write = (text: string) => {
    written += text;
  };
  const out = { write, isTerminal: false, isColoured: false, isClosed: false, columns: 80 };
  const ticker = new Ticker(out, parseBench("boards: 3", "bench.yaml"), () => nowMs);
  ticker.takeEvent({ atUs: 0, kind: "process", what: "board", name: "pi-1", change: { kind: "started" } });
  ticker.takeStatus(leads("pi-1", 1));
  ticker.takeEvent({ atUs: 0, kind: "joinsAnew", board: "pi-3", isFounder: true });
  ticker.begin();
  nowMs += 1_500;
  for (const status of [leads("pi-1", 1), leads("pi-2", 2), leads("pi-1", 1)]) ticker.takeStatus(status);
  ticker.takeEvent({ atUs: 0, kind: "cut", cable: "pi-2", direction: "both", leaseMs: 60_000 });
  ticker.takeEvent({ atUs: 0, kind: "cut", cable: "pi-3", direction: "fromFirstEnd", leaseMs: null });
  ticker.takeEvent({ atUs: 0, kind: "healed", cable: "pi-2", because: "leaseRanOut" });
  const died = { kind: "died", reason: "it ended with status 1", lines: ["no space"], isStartedAgain: true } as const;
  ticker.takeEvent({ atUs: 0, kind: "process", what: "board", name: "pi-3", change: died });
  ticker.end();
  ticker.takeEvent({ atUs: 0, kind: "process", what: "board", name: "pi-1", change: { kind: "stopped" } });
  expect(written.split("\n")).toEqual([
    "    0.0 s  ● pi-3 has an empty card: what it stored is gone, so it joins anew, under another identity",
    "    0.0 s  ● pi-1 leads, in term 1",
    "    1.5 s  ● pi-2 leads, in term 2",
    "    1.5 s  ● the cable pi-2 is cut, for 1m",
    "    1.5 s  ● the cable pi-3 loses what comes from pi-3",
    "    1.5 s  ● the cable pi-2 is whole again: its time is over",
    "    1.5 s  ● pi-3 died (it ended with status 1); it starts again in a second",
    "             no space",
    "",
  ]);
});
