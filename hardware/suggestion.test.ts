import { describe, expect, it } from "vitest";
import { closest, suggestion, unknownName } from "./suggestion.ts";

describe("a suggestion for a misspelt name", () => {
  const known = ["broker", "broker-a", "switch", "pi-1", "pi-2"];

  it.each([
    ["brokr", "broker"],
    ["borker", "broker"],
    ["brokker", "broker"],
    ["Switch", "switch"],
    ["pi1", "pi-1"],
    ["broker-b", "broker-a"],
  ])("takes %s for %s", (typed, meant) => {
    expect(closest(typed, known)).toBe(meant);
  });

  it("prefers the name with the fewest changes, and the first of equals", () => {
    expect(closest("pi-3", known)).toBe("pi-1");
    expect(closest("broker", known)).toBe("broker");
  });

  it("keeps silent when nothing resembles what was typed", () => {
    expect(closest("mosquitto", known)).toBeNull();
    expect(closest("x", known)).toBeNull();
    expect(suggestion("mosquitto", known)).toBe("");
    expect(suggestion("", [])).toBe("");
  });

  it("stands at the end of the sentence that lists what is known", () => {
    expect(unknownName("board", "pi-9", ["pi-1"])).toBe('there is no board "pi-9" (known: pi-1). Did you mean "pi-1"?');
    expect(unknownName("board", "pi-9", [])).toBe('there is no board "pi-9" (none are declared).');
  });
});
