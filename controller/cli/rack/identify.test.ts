import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startStandIns } from "../../client/stand-in.fixture.ts";
import { createTestShell, type TestShell } from "../shell.fixture.ts";

let shell: TestShell;
let bench: Awaited<ReturnType<typeof startStandIns>>;

beforeAll(async () => {
  shell = createTestShell();
  bench = await startStandIns(["pi-1"]);
});
afterAll(async () => {
  await bench?.close();
  shell?.remove();
});

async function identify(board: string, ...more: readonly string[]): Promise<string> {
  const [url = ""] = bench.urls;
  const where = ["--broker", url, "--cluster", bench.cluster, "--timeout", "500ms"];
  const { status, out, err } = await shell.adrift(["identify", board, ...where, ...more]);
  return `${status} ${out}${err}`.trimEnd();
}

describe("a person who looks for a board", () => {
  it("given a board that has a light, when it is to blink, then it says for how long", async () => {
    expect(await identify("pi-1")).toBe("0 pi-1 blinks for 10 s");
    expect(await identify("pi-1", "--for", "500ms", "--json")).toBe('0 {"board":"pi-1","blinksForMs":500}');
  });

  it("given a board that is not there, then it says so in time", async () => {
    expect(await identify("pi-9")).toMatch(
      /^1 identify of pi-9 had no effect: pi-9 did not answer within 500 ms\. See /,
    );
  });

  it.each(["0s", "1h", "long"])("given %s as a time, then it is refused", async (time) => {
    expect(await identify("pi-1", "--for", time)).toMatch(/^64 .*must be a time/);
  });
});
