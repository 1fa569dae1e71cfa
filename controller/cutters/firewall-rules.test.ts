import { describe, expect, test } from "vitest";
import { boardsDropping, circuitOf, parseSets, ruleset } from "./firewall-rules.ts";

describe("what boards have to drop", () => {
  const states = ["whole", "both", "fromFirstEnd", "fromSecondEnd"] as const;

  test.each(states)("given a cable that is to be %s, when one or both of its ends drop it, then it is so", (wanted) => {
    for (const ends of [[true], [false], [true, false]]) {
      const places = ends.map((isFirstEnd) => ({ isFirstEnd }));
      const lost = places.map(({ isFirstEnd }) => boardsDropping(wanted, isFirstEnd));
      expect(circuitOf(lost, places)).toBe(wanted);
    }
  });

  test("given two boards that each lose what comes in, then the cable is cut both ways", () => {
    const lost = { incoming: true, outgoing: false };
    expect(circuitOf([lost, lost], [{ isFirstEnd: true }, { isFirstEnd: false }])).toBe("both");
  });
});

test("given a lease, then the interface stands in the set for so long, and what is not lost is taken out", () => {
  const rules = ruleset("eth0", { incoming: true, outgoing: false }, 1_499.6);
  expect(rules).toContain('add element inet adrift cut_incoming { "eth0" timeout 1500ms }');
  expect(rules.trim().split("\n").at(-1)).toBe('delete element inet adrift cut_outgoing { "eth0" }');
});

describe("what nft lists", () => {
  test("given a listing, then the interfaces in the sets are found, with a lease or without", () => {
    const set = (name: string, elem: unknown, table = "adrift") => ({ set: { family: "inet", table, name, elem } });
    const listing = {
      nftables: [
        { metainfo: { version: "1.0.6" } },
        { table: { family: "inet", name: "adrift", handle: 1 } },
        set("cut_incoming", [{ elem: { val: "eth0", timeout: 15, expires: 14 } }, "eth1"]),
        set("cut_outgoing", undefined),
        set("cut_outgoing", ["eth0"], "of somebody else"),
        set("controllers4", [{ concat: ["10.0.0.1", 22] }]),
      ],
    };
    expect(parseSets(JSON.stringify(listing))).toEqual({
      isThere: true,
      incoming: new Set(["eth0", "eth1"]),
      outgoing: new Set(),
    });
  });

  test("given an empty listing, then nothing is cut; given something else, then nobody can tell", () => {
    expect(parseSets('{"nftables":[]}')).toEqual({ isThere: false, incoming: new Set(), outgoing: new Set() });
    for (const text of ["", "nft: command not found", "[]", "{}"]) expect(parseSets(text)).toBeNull();
  });
});
