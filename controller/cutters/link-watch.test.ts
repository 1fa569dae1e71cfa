import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { parseBench } from "../../hardware/bench.ts";
import { CutterFailure, type OpenCutter } from "./cutter.ts";
import { watchLinks } from "./link-watch.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const [cable] = parseBench("boards: 2", "table.yaml").cables;

/** A cutter that sees what is in `links`, one after the other; `null`: it does not answer. */
function watch(links: (boolean | null)[], told: string[]) {
  const hasLink = (): Promise<boolean> => {
    const up = links.length > 1 ? links.shift() : links[0];
    return up === null || up === undefined ? Promise.reject(new CutterFailure("silence")) : Promise.resolve(up);
  };
  const cutter = { name: "managed", hasLink } as Partial<OpenCutter> as OpenCutter;
  if (cable === undefined) throw new Error("The bench has cables.");
  return watchLinks([{ cable, cutter }], (name, up) => told.push(`${name} ${up ? "up" : "down"}`));
}

test("given a link that goes and comes back, then each is told once, and of how it was found nothing", async () => {
  const told: string[] = [];
  const end = watch([true, true, false, false, true], told);
  await vi.advanceTimersByTimeAsync(5_000);
  expect(told).toEqual(["pi-1 down", "pi-1 up"]);
  end();
});

test("given a switch that does not answer for a while, then nothing is told but what has changed since", async () => {
  const told: string[] = [];
  const end = watch([true, null, null, true, null, false], told);
  await vi.advanceTimersByTimeAsync(5_000);
  expect(told).toEqual(["pi-1 down"]);
  end();
});

test("given a watch that was ended, then nothing is told any more", async () => {
  const told: string[] = [];
  const links = [true];
  const end = watch(links, told);
  await vi.advanceTimersByTimeAsync(1_000);
  end();
  links[0] = false;
  await vi.advanceTimersByTimeAsync(1_000);
  expect(told).toEqual([]);
});
