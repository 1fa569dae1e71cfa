import { describe, expect, test } from "vitest";
import { chooseBench } from "./files.ts";
import { UsageError } from "./shell.ts";

describe("what --bench names", () => {
  test.each([
    [undefined, { kind: "simulated", bench: null }],
    ["two-switches", { kind: "simulated", bench: "two-switches" }],
    ["./benches/mine.yaml", { kind: "simulated", bench: "./benches/mine.yaml" }],
    ["local", { kind: "local", bench: null }],
    ["netns", { kind: "netns", bench: null }],
    ["netns:two-switches", { kind: "netns", bench: "two-switches" }],
    ["qemu:./mine.yaml", { kind: "qemu", bench: "./mine.yaml" }],
    ["rack:bench.yaml", { kind: "rack", bench: "bench.yaml" }],
    ["C:\\benches\\mine.yaml", { kind: "simulated", bench: "C:\\benches\\mine.yaml" }],
  ])("given %s, then it is known", (given, choice) => {
    expect(chooseBench(given)).toEqual(choice);
  });

  test("given a kind that there is not, then the kinds are named", () => {
    expect(() => chooseBench("netms:two-switches")).toThrow(UsageError);
    expect(() => chooseBench("netms:two-switches")).toThrow(/local:BENCH, netns:BENCH, qemu:BENCH, rack:BENCH/);
  });

  test("given a rack without its description, then it is asked for", () => {
    expect(() => chooseBench("rack")).toThrow(/Which rack\?/);
  });
});
