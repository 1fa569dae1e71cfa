import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { mayPublish, maySubscribe, type Party, roleOf } from "./permissions.ts";

const party = (name: string): Party => ({ cluster: "c", boards: ["pi-1", "pi-2"], name });

describe("who may do what", () => {
  test("given a name, then the cluster knows its role", () => {
    expect(["pi-1", "controller", "ann"].map((name) => roleOf(party(name)))).toEqual(["board", "controller", "client"]);
  });

  test("given a board, then only its status may be retained", () => {
    expect(mayPublish(party("pi-1"), "adrift/c/board/pi-1/status", true)).toBe(true);
    expect(mayPublish(party("pi-1"), "adrift/c/board/pi-1/event", false)).toBe(true);
    expect(mayPublish(party("pi-1"), "adrift/c/board/pi-1/event", true)).toBe(false);
    expect(mayPublish(party("pi-1"), "adrift/c/raft/pi-2/pi-1", true)).toBe(false);
  });

  test("given a filter that reaches further than a rule, then it is refused", () => {
    expect(maySubscribe(party("pi-1"), "adrift/c/raft/pi-1/+")).toBe(true);
    expect(maySubscribe(party("pi-1"), "adrift/c/raft/pi-1/pi-2")).toBe(true);
    for (const filter of [
      "adrift/c/raft/+/+",
      "adrift/c/raft/pi-1/#",
      "adrift/+/raft/pi-1/+",
      "adrift/c/raft/pi-1",
      "#",
    ]) {
      expect(maySubscribe(party("pi-1"), filter)).toBe(false);
    }
  });

  test("given the controller, then it hears all of its cluster and nothing else", () => {
    for (const filter of ["adrift/c/#", "adrift/c/raft/+/+", "adrift/c/reply/ann"]) {
      expect(maySubscribe(party("controller"), filter)).toBe(true);
    }
    for (const filter of ["#", "adrift/#", "adrift/+/#", "adrift/d/raft/+/+", "$SYS/#"]) {
      expect(maySubscribe(party("controller"), filter)).toBe(false);
    }
  });

  test("given a name that could be taken for a wildcard, then it may do nothing", () => {
    for (const name of ["", "+", "#", "pi-1/x", "a+b"]) {
      expect(mayPublish(party(name), `adrift/c/request/${name}`, false)).toBe(false);
      expect(maySubscribe(party(name), `adrift/c/reply/${name}`)).toBe(false);
    }
  });

  test("given any two names, then neither publishes a Raft message as the other", () => {
    const names = fc.constantFrom("pi-1", "pi-2", "controller", "ann");
    fc.assert(
      fc.property(names, names, names, (speaker, to, from) => {
        const isOwnName = speaker === from && roleOf(party(speaker)) === "board";
        expect(mayPublish(party(speaker), `adrift/c/raft/${to}/${from}`, false)).toBe(isOwnName);
      }),
    );
  });
});
