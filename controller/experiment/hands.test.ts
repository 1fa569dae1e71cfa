import { describe, expect, it } from "vitest";
import { parseBench } from "../../hardware/bench.ts";
import { Chronicler } from "./chronicler.ts";
import type { Fault } from "./model.ts";
import type { RunEvent } from "./run-result.ts";

const bench = parseBench("boards: 3", "table.yaml");
const second = 1_000_000;
const cut: Fault = { kind: "cut", target: { kind: "leader" } };

function carrier(atUs: number, board: string, up: boolean): RunEvent {
  return { atUs, kind: "happening", board, uncertaintyUs: 300, happening: { kind: "carrier", interface: "eth0", up } };
}

function step(atUs: number, kind: "begin" | "end", fault: Fault, targets: readonly string[]): RunEvent {
  return { atUs, kind: "step", step: kind, fault, targets, isWhole: kind === "end" };
}

function tell(...events: readonly RunEvent[]) {
  const chronicler = new Chronicler(bench);
  for (const event of events) chronicler.tell(event);
  const { faults, moments } = chronicler.finish(60 * second);
  const spans = faults.map(({ fault, targets, fromUs, toUs }) => [fault.kind, targets[0], fromUs, toUs]);
  return { spans, moments: moments.map(({ kind, atUs }) => [kind, atUs]) };
}

describe("cables that a person pulls", () => {
  it("given a carrier that is lost while nothing was cut, then a hand pulled the cable, and plugged it in again", () => {
    const { spans, moments } = tell(carrier(second, "pi-2", false), carrier(4 * second, "pi-2", true));
    expect(spans).toEqual([["hand", "pi-2", second, 4 * second]]);
    expect(moments).toEqual([
      ["fault", second],
      ["heal", 4 * second],
    ]);
  });

  it("given a cable that stays out, then it is out to the end of the run", () => {
    expect(tell(carrier(second, "pi-2", false)).spans).toEqual([["hand", "pi-2", second, 60 * second]]);
  });

  it("given a cable that the experiment cut, then no hand pulled it, also while the carrier comes back", () => {
    const { spans } = tell(
      step(second, "begin", cut, ["pi-2"]),
      carrier(second + 5, "pi-2", false),
      step(3 * second, "end", cut, ["pi-2"]),
      carrier(5 * second, "pi-2", false),
      carrier(6 * second, "pi-2", true),
    );
    expect(spans).toEqual([["cut", "pi-2", second, 3 * second]]);
  });

  it("given a hand that pulls after the cut was healed and the carrier was back, then that is told as well", () => {
    const { spans } = tell(
      step(second, "begin", cut, ["pi-2"]),
      carrier(second + 5, "pi-2", false),
      step(3 * second, "end", cut, ["pi-2"]),
      carrier(4 * second, "pi-2", true),
      carrier(5 * second, "pi-2", false),
    );
    expect(spans.map(([kind]) => kind)).toEqual(["cut", "hand"]);
  });

  it("given another cable cut by the experiment, then a hand at this one is still seen", () => {
    const { spans } = tell(step(second, "begin", cut, ["pi-1"]), carrier(2 * second, "pi-2", false));
    expect(spans.map(([kind, cable]) => [kind, cable])).toEqual([
      ["cut", "pi-1"],
      ["hand", "pi-2"],
    ]);
  });

  it("given a switch port that goes down and a carrier that is told of later, then it is one cable, pulled at once", () => {
    const { spans } = tell(
      { atUs: second, kind: "link", cable: "pi-2", up: false },
      carrier(second + 90, "pi-2", false),
      { atUs: 3 * second, kind: "link", cable: "pi-2", up: true },
      carrier(3 * second + 90, "pi-2", true),
    );
    expect(spans).toEqual([["hand", "pi-2", second, 3 * second]]);
  });

  it("given a switch without power, then nobody pulled the cables that lead there", () => {
    const off: Fault = { kind: "switch-off", target: { kind: "all" } };
    const { spans } = tell(step(second, "begin", off, ["switch"]), carrier(second + 9, "pi-3", false));
    expect(spans.map(([kind]) => kind)).toEqual(["switch-off"]);
  });
});
