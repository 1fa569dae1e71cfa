import { describe, expect, it } from "vitest";
import { parseBench } from "../../hardware/bench.ts";
import { rosterOf } from "./roster.ts";

const nobody = { clients: [], hosts: [] };

describe("given a bench, when its roster is made", () => {
  it("then each board, each broker with a machine of its own, the controller and the clients are on it", () => {
    const roster = rosterOf(parseBench("boards: 2", "b.yaml"), { clients: ["anna"], hosts: ["10.0.0.3"] });
    expect(roster.map(({ name }) => name)).toEqual(["pi-1", "pi-2", "broker", "controller", "anna"]);
    expect(roster.filter(({ servesAt }) => servesAt !== null)).toEqual([
      { name: "broker", servesAt: ["localhost", "broker", "broker.local", "127.0.0.1", "::1", "10.0.0.3"] },
    ]);
  });

  it("then a board that carries a broker serves under the board's name", () => {
    const text = "boards: [pi-1, pi-2]\nbrokers: [{ name: inbox-1, board: pi-1 }]";
    const roster = rosterOf(parseBench(text, "b.yaml"), nobody);
    expect(roster.map(({ name, servesAt }) => [name, servesAt?.[1] ?? null])).toEqual([
      ["pi-1", "pi-1"],
      ["pi-2", null],
      ["controller", null],
    ]);
  });

  it("then brokers serve at their addresses in the bench, without ports, and boards with brokers at their own", () => {
    const text = `boards: [{ name: pi-1, address: 192.168.7.11 }, { name: pi-2, inbox: broker, address: 192.168.7.12 }]
brokers: [{ name: broker, address: "rack.example.org:8884" }, { name: inbox-1, board: pi-1, address: "[fd00::1]:8883" }]`;
    const roster = rosterOf(parseBench(text, "b.yaml"), nobody);
    expect(roster.map(({ name, servesAt }) => [name, servesAt?.slice(5) ?? null])).toEqual([
      ["pi-1", ["fd00::1", "192.168.7.11"]],
      ["pi-2", null],
      ["broker", ["rack.example.org"]],
      ["controller", null],
    ]);
    const none = parseBench("boards: 1\nbrokers: [{ name: broker, address: 192.168.7.300 }]", "b.yaml");
    expect(() => rosterOf(none, nobody)).toThrow(/192\.168\.7\.300" is neither an address/);
  });

  it("then a client may not be called like anybody else", () => {
    const bench = parseBench("boards: 2", "b.yaml");
    for (const name of ["pi-1", "PI-1", "broker", "controller", "authority"]) {
      expect(() => rosterOf(bench, { clients: [name], hosts: [] })).toThrow(/Choose another name/);
    }
    expect(() => rosterOf(bench, { clients: ["anna", "anna"], hosts: [] })).toThrow(/Choose another name/);
  });

  it("then names of clients and hosts that cannot be are refused", () => {
    const bench = parseBench("boards: 2", "b.yaml");
    for (const name of ["", "a/b", "../x", "anna.key", "x".repeat(65)]) {
      expect(() => rosterOf(bench, { clients: [name], hosts: [] })).toThrow(/cannot be the name of a client/);
    }
    for (const host of ["", "a b", "1.2.3", "-x", "mqtt://x", "*.x"]) {
      expect(() => rosterOf(bench, { clients: [], hosts: [host] })).toThrow(/neither an address/);
    }
  });
});
