import { generateKeyPairSync, verify } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { BoardStatus } from "../../device/transport/envelope.ts";
import { CutterFailure } from "../cutters/cutter.ts";
import type { CommandHost } from "../cutters/surroundings.ts";
import { BoardUpdater } from "./board-updater.ts";
import { type DeployParts, deploy } from "./deploy.ts";
import type { Look } from "./order.ts";
import { type Program, signProgram } from "./release.ts";

const names = ["a", "b", "c"];
const program: Program = { content: Buffer.from("new"), sha256: "1".repeat(64), version: "2.0.0" };
const old = "0".repeat(64);
const token = "f".repeat(32);
const release = { statement: "", signature: "", certificate: "", program: "" };

/** Three boards that are only their scripts' answers; `a` leads until it hands over. */
class StandIns {
  readonly log: string[] = [];
  readonly programs = new Map(names.map((name) => [name, old]));
  readonly trials = new Map<string, string>();
  /** Cannot be reached by SSH. */
  readonly unreachable = new Set<string>();
  readonly away = new Set<string>();
  readonly claims = new Map<string, string>();
  leader = "a";
  /** Happens after a board has changed. */
  changed: (board: string) => void = () => undefined;

  parts(changes: Partial<DeployParts> = {}): DeployParts {
    return {
      program,
      release,
      cluster: {
        look: () => Promise.resolve(this.#look()),
        handOver: (to) => {
          this.log.push(`to ${to}`);
          this.leader = to;
          return Promise.resolve(null);
        },
        close: () => Promise.resolve(),
      },
      updaters: new Map(names.map((name) => [name, new BoardUpdater(this.#host(name))])),
      benchSize: names.length,
      token,
      times: { trialSeconds: 0.3, steadyMs: 0, backMs: 0 },
      tell: () => undefined,
      isInterrupted: () => false,
      ...changes,
    };
  }

  #look(): Look {
    const present = names.filter((name) => !this.away.has(name));
    return new Map(present.map((name) => [name, this.#status(name)]));
  }

  #status(member: string): BoardStatus {
    const indexes = { term: 1, commitIndex: 5, appliedIndex: 5, lastIndex: 5 };
    const role = member === this.leader ? "leader" : "follower";
    return { member, role, leader: this.leader, voters: names, learners: [], version: "1", carrier: null, ...indexes };
  }

  #host(name: string): CommandHost {
    return {
      name,
      place: { kind: "here" },
      run: (command) => {
        if (this.unreachable.has(name)) return Promise.reject(new CutterFailure(`${name} does not answer.`));
        return Promise.resolve({ status: 0, out: "", err: "", ...this.#answer(name, command.slice(6)) });
      },
      hold: () => {
        throw new Error("Nothing is held here.");
      },
    };
  }

  #answer(name: string, [verb = "", ...args]: readonly string[]) {
    switch (verb) {
      case "state": {
        const trial = this.trials.get(name);
        const lines = trial === undefined ? [] : [`trial-new=${trial}`, `trial-token=${token}`, "trial-starts=1"];
        return { out: [`current=${this.programs.get(name)}`, "last=", ...lines].join("\n") };
      }
      case "claim":
        if (this.claims.get(name) === "other") return { status: 3, err: "another controller is at work here" };
        this.claims.set(name, "own");
        return {};
      case "unclaim":
        if (this.claims.get(name) === "own") this.claims.delete(name);
        return {};
      case "switch":
        this.log.push(name);
        this.programs.set(name, args[0] ?? "");
        this.trials.set(name, args[0] ?? "");
        this.changed(name);
        return {};
      case "revert":
        this.programs.set(name, old);
        this.trials.delete(name);
        return {};
      case "confirm":
        this.trials.delete(name);
        return {};
      default:
        return {};
    }
  }
}

describe("given three boards of which the first leads", () => {
  it("when all are updated, then the leader hands over to one that was, and comes last; nothing stays claimed", async () => {
    const bench = new StandIns();
    const outcomes = await deploy(names, bench.parts());
    expect(outcomes.map(({ outcome }) => outcome)).toEqual(["updated", "updated", "updated"]);
    expect(bench.log).toEqual(["b", "c", "to b", "a"]);
    expect(bench.claims.size).toBe(0);
  });

  it("when another controller has claimed one of them, then nothing moves, and its claim stays", async () => {
    const bench = new StandIns();
    bench.claims.set("c", "other");
    const [first] = await deploy(["b"], bench.parts());
    expect(first).toEqual({ board: "b", outcome: "left", detail: "c: another controller is at work here." });
    expect([bench.log, [...bench.claims]]).toEqual([[], [["c", "other"]]]);
  });

  it("when too few boards can be claimed, then nothing moves", async () => {
    const bench = new StandIns();
    for (const name of ["a", "c"]) bench.unreachable.add(name);
    const [first] = await deploy(["b"], bench.parts());
    expect(first?.detail).toMatch(/^Fewer than half of the boards can be reached by SSH/);
    expect(bench.log).toEqual([]);
  });

  it("when a board is cut off in the middle and stays away, then nobody knows, it says so, and the others are left", async () => {
    const bench = new StandIns();
    bench.changed = (board) => {
      bench.unreachable.add(board);
      bench.away.add(board);
    };
    const outcomes = await deploy(names, bench.parts());
    expect(outcomes.map(({ outcome }) => outcome)).toEqual(["left", "unknown", "left"]);
    expect(outcomes[1]?.detail).toMatch(/it changes back by itself/);
    expect(bench.log).toEqual(["b"]);
  });

  it("when a board does not join with the new program, then it goes back to the old one, and the others are left", async () => {
    const bench = new StandIns();
    bench.changed = (board) => void bench.away.add(board);
    const outcomes = await deploy(names, bench.parts());
    expect(outcomes.map(({ outcome }) => outcome)).toEqual(["left", "undone", "left"]);
    expect(outcomes[1]?.detail).toMatch(/^it did not join the others within 0.3 s/);
    expect([bench.log, bench.programs.get("b")]).toEqual([["b"], old]);
  });

  it("when somebody presses Ctrl-C, then the board whose turn it is gets done, and no other is begun", async () => {
    const bench = new StandIns();
    const outcomes = await deploy(names, bench.parts({ isInterrupted: () => bench.log.length > 0 }));
    expect(outcomes.map(({ outcome, detail }) => outcome + detail)).toEqual([
      "leftStopped, as you asked.",
      "updated",
      "left",
    ]);
  });
});

it("given a program, when it is signed, then the statement says for which cluster, and the signature holds", () => {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const pem = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  const signed = signProgram(program, "rack", { authority: "", certificate: "", privateKey: pem });
  expect(signed.statement).toBe(`adrift release 1\ncluster rack\nversion 2.0.0\nsha256 ${program.sha256}\n`);
  const signature = Buffer.from(signed.signature, "base64");
  expect(verify("sha256", Buffer.from(signed.statement), publicKey, signature)).toBe(true);
});
