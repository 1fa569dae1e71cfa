import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Leases } from "./leases.ts";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
});
afterEach(() => {
  vi.useRealTimers();
});

function createLeases() {
  const ended: string[] = [];
  return { ended, leases: new Leases((name) => ended.push(name)) };
}

describe("a lease", () => {
  test("ends by itself, once, and says meanwhile how long it still holds", () => {
    const { ended, leases } = createLeases();
    leases.hold("trunk", 30_000);
    vi.advanceTimersByTime(10_000);
    expect([leases.remainingMs("trunk"), ended]).toEqual([20_000, []]);
    vi.advanceTimersByTime(60_000);
    expect([leases.remainingMs("trunk"), ended]).toEqual([null, ["trunk"]]);
  });

  test("given that it is taken anew, then only the new one counts", () => {
    const { ended, leases } = createLeases();
    leases.hold("trunk", 1_000);
    leases.hold("trunk", 5_000);
    vi.advanceTimersByTime(4_999);
    expect(ended).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(ended).toEqual(["trunk"]);
  });

  test("given that somebody ends it, or holds the thing without one, then nothing ends by itself", () => {
    const { ended, leases } = createLeases();
    for (const name of ["pi-1", "pi-2", "pi-3"]) leases.hold(name, 1_000);
    leases.end("pi-1");
    leases.hold("pi-2", null);
    leases.endAll();
    vi.advanceTimersByTime(10_000);
    expect(ended).toEqual([]);
  });
});
