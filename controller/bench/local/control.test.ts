import { mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { parseBench } from "../../../hardware/bench.ts";
import type { CutDirection } from "../../../sim/network-types.ts";
import { readyBench } from "../../experiment/ready.ts";
import { type Controllable, carryOutRequest } from "./control.ts";
import { askBench, NoBenchError } from "./control-client.ts";
import type { ControlRequest } from "./control-protocol.ts";
import { ControlServer } from "./control-server.ts";

let folder: string;
let path: string;
let server: ControlServer;
let cuts: Map<string, { readonly direction: CutDirection; readonly leaseMs: number | null }>;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "adrift-control-"));
  path = join(folder, "control");
  cuts = new Map();
  const bench = parseBench(readyBench("two-switches")?.text ?? "", "two-switches.yaml");
  const on: Controllable = {
    bench,
    get state() {
      const cut = [...cuts].map(([cable, { direction, leaseMs }]) => ({ cable, direction, remainingMs: leaseMs }));
      return { cuts: cut, boards: [], brokers: [] };
    },
    cut: (cable, direction, leaseMs) => void cuts.set(cable, { direction, leaseMs }),
    heal: (cable) => void (cable === undefined ? cuts.clear() : cuts.delete(cable)),
  };
  server = await ControlServer.open(path, (request) => carryOutRequest(on, request));
});

afterEach(async () => {
  await server.close();
  rmSync(folder, { recursive: true, force: true });
});

async function did(request: ControlRequest) {
  const reply = await askBench(path, request);
  if (!reply.ok) throw new Error(reply.error);
  return reply.did;
}

async function refusal(request: ControlRequest) {
  const reply = await askBench(path, request);
  return reply.ok ? null : reply.error;
}

const lease = { leaseMs: 30_000 };

describe("a request over the socket", () => {
  test("cuts a cable for a while, and says who hears whom then", async () => {
    expect(await did({ do: "cut", names: ["trunk"], from: null, ...lease })).toEqual({
      cables: ["trunk"],
      groups: [
        ["pi-1", "pi-2"],
        ["pi-3", "pi-4", "pi-5"],
      ],
      alone: [],
    });
    expect(cuts).toEqual(new Map([["trunk", { direction: "both", leaseMs: 30_000 }]]));
  });

  test("cuts one way, from the end that it names", async () => {
    await did({ do: "cut", names: ["trunk"], from: "switch-b", ...lease });
    expect(cuts.get("trunk")?.direction).toBe("fromSecondEnd");
    expect(await refusal({ do: "cut", names: ["trunk"], from: "pi-1", ...lease })).toBe(
      "pi-1 is no end of the cable trunk: it joins switch-a and switch-b.",
    );
  });

  test("given the name of a switch, then it means all cables that are plugged in there", async () => {
    const { cables } = await did({ do: "cut", names: ["switch-a"], from: null, ...lease });
    expect(cables).toEqual(["pi-1", "pi-2", "broker-a", "trunk"]);
  });

  test("heals what it names, or everything, and says what was healed", async () => {
    await did({ do: "cut", names: ["pi-1", "pi-2", "trunk"], from: null, ...lease });
    expect((await did({ do: "heal", names: ["trunk", "pi-5"] })).cables).toEqual(["trunk"]);
    expect((await did({ do: "heal", names: [] })).cables).toEqual(["pi-1", "pi-2"]);
    expect((await did({ do: "heal", names: [] })).cables).toEqual([]);
  });

  test("parts the boards", async () => {
    const { cables, alone } = await did({ do: "partition", groups: [["pi-1", "pi-2"]], ...lease });
    expect({ cables, alone }).toEqual({ cables: ["trunk"], alone: [] });
    expect(await refusal({ do: "partition", groups: [["pi-1"], ["pi-1"]], ...lease })).toContain("two groups");
  });

  test("given a name that nothing has, then nothing is cut, and it says which was probably meant", async () => {
    const error = await refusal({ do: "cut", names: ["pi-1", "trnk"], from: null, ...lease });
    expect(error).toMatch(/^There is no cable "trnk" .* Did you mean "trunk"\?$/);
    expect(cuts.size).toBe(0);
  });

  test("given nonsense, then it is told so, and the bench lives on", async () => {
    const socket = connect(path);
    const answers: string[] = [];
    socket.setEncoding("utf8").on("data", (piece: string) => answers.push(piece));
    socket.write('nonsense\n{"do":"explode"}\n{"do":"cut","names":["trunk"],"from":null,"leaseMs":-1}\n');
    await expect.poll(() => answers.join("").split("\n").length).toBe(4);
    expect(answers.join("").match(/no request/g)).toHaveLength(3);
    socket.destroy();
    expect((await did({ do: "state" })).groups).toHaveLength(1);
  });

  test("given that the bench is gone, then whoever asks is told so", async () => {
    await server.close();
    await expect(askBench(path, { do: "state" })).rejects.toThrow(NoBenchError);
  });
});
