import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import type { KeyValueOperation } from "../../../device/client/key-value-call.ts";
import { parseBench } from "../../../hardware/bench.ts";
import type { CommandHost, CommandResult } from "../../cutters/surroundings.ts";
import type { BenchClient } from "../bench.ts";
import { rackAccess, urlOf } from "./addresses.ts";
import { BoardService } from "./board-service.ts";
import { circuitSeen } from "./circuits.ts";
import { RunKeys } from "./run-keys.ts";

describe("where a rack's brokers are", () => {
  const folder = mkdtempSync(join(tmpdir(), "rack-"));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it("given an address, then the usual port is taken where none is written, another one with keys", () => {
    expect(urlOf("192.168.7.2", false)).toBe("mqtt://192.168.7.2:1883");
    expect(urlOf("lab.local:2000", true)).toBe("mqtts://lab.local:2000");
    expect(urlOf("[fe80::1]:1884", true)).toBe("mqtts://[fe80::1]:1884");
    expect(urlOf("fe80::1", true)).toBe("mqtts://[fe80::1]:8883");
  });

  it("given a broker on a board, then it is where the board is", () => {
    const bench = parseBench("boards: [{ name: a, address: 10.0.0.1 }]\nbrokers: [{ name: q, board: a }]", "x.yaml");
    expect(rackAccess(bench, folder).brokers).toEqual([{ name: "q", url: "mqtt://10.0.0.1:1883" }]);
  });

  it("given a broker without an address, then it says what to write", () => {
    expect(() => rackAccess(parseBench("boards: 3", "table.yaml"), folder)).toThrow(
      'Where is the broker broker of table? Write its address into the bench\'s file, as in "brokers: [{ name: broker, address: 192.168.7.2 }]".',
    );
  });
});

describe("a run's own keys", () => {
  it("given two runs, then neither sees what the other wrote, and each takes away its own", async () => {
    const store = new Map<string, unknown>();
    const client: BenchClient = {
      perform(operation: KeyValueOperation) {
        if (operation.op === "write") store.set(operation.key, operation.value);
        if (operation.op === "delete") store.delete(operation.key);
        const result = operation.op === "read" ? (store.get(operation.key) ?? null) : null;
        return Promise.resolve({ type: "ok", result: result as string | null });
      },
      close: () => Promise.resolve(),
    };
    const [one, other] = [new RunKeys("1"), new RunKeys("2")];
    await one.over(client).perform({ op: "write", key: "x", value: 1 });
    await other.over(client).perform({ op: "write", key: "x", value: 2 });
    expect(await one.over(client).perform({ op: "read", key: "x" })).toEqual({ type: "ok", result: 1 });
    await one.clear(client);
    expect(store).toEqual(new Map([["run-2/x", 2]]));
  });
});

describe("a cable as boards and brokers show it", () => {
  const bench = parseBench(
    'boards: [a, b]\nswitches: [s, t]\nbrokers: [{ name: q, switch: s }]\ncables: [{ name: one, ends: ["a:eth0", "s:1"] }, { name: long, ends: ["b:eth0", "s:2"] }, { name: two, ends: ["b:eth1", "t:1"] }, { name: trunk, ends: ["s:8", "t:8"] }]',
    "table.yaml",
  );
  const seen = (name: string, online: boolean | null, carrier: boolean | null) => {
    const cable = bench.cables.find((each) => each.name === name);
    if (cable === undefined) throw new Error(`There is no cable ${name}.`);
    return circuitSeen(cable, bench, { isOnline: () => online, hasCarrier: () => carrier });
  };

  it("given a board with one cable, then it is whole as long as the brokers have the board", () => {
    expect([seen("one", true, false), seen("one", false, true), seen("one", null, null)]).toEqual([
      "whole",
      "both",
      null,
    ]);
  });

  it("given a board with two, then its own word counts; of a trunk nobody can tell", () => {
    expect([seen("two", true, false), seen("long", true, true), seen("two", true, null)]).toEqual([
      "both",
      "whole",
      null,
    ]);
    expect(seen("trunk", true, true)).toBeNull();
  });
});

describe("the service of a board", () => {
  function boardThatAnswers(result: CommandResult) {
    const commands: string[] = [];
    const host: CommandHost = {
      name: "pi-1 (ssh 10.0.0.1)",
      place: { kind: "ssh", host: "10.0.0.1", user: null },
      run(command) {
        commands.push(command.slice(4).join(" "));
        return Promise.resolve(result);
      },
      hold: () => {
        throw new Error("Nothing is held.");
      },
    };
    return { service: new BoardService(host), commands };
  }

  it("given a crash, then the process is killed at once and systemd does not start it again until it is told to", async () => {
    const { service, commands } = boardThatAnswers({ status: 0, out: "", err: "" });
    await service.kill();
    await service.start();
    expect(commands).toEqual([
      "systemctl kill --signal=KILL adrift.service",
      "systemctl stop adrift.service",
      "systemctl start adrift.service",
    ]);
  });

  it("given a board that refuses, then it is said which, and why", async () => {
    const { service } = boardThatAnswers({ status: 1, out: "", err: "sudo: a password is required\n" });
    await expect(service.pause()).rejects.toThrow(
      'pi-1 (ssh 10.0.0.1): "systemctl kill --signal=STOP adrift.service" failed with 1: sudo: a password is required',
    );
  });
});
