import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { dropReasons } from "./decoded.ts";
import { DropCounters } from "./drop-counters.ts";

test("every reason is counted from 0, and a snapshot stays as it was", () => {
  const drops = new DropCounters();
  const before = drops.snapshot();
  drops.count("stale");
  drops.count("stale");
  drops.count("foreign");
  expect([...before]).toEqual(dropReasons.map((reason) => [reason, 0]));
  expect(new Map([...drops.snapshot()].filter(([, count]) => count > 0))).toEqual(
    new Map([
      ["foreign", 1],
      ["stale", 2],
    ]),
  );
});

test("the reference explains every reason, and no other", () => {
  const reference = readFileSync(new URL("../../docs/reference/mqtt.md", import.meta.url), "utf8");
  const [, table = ""] = reference.split("| reason |");
  expect(Array.from(table.matchAll(/^\| `(\w+)`/gm), ([, reason]) => reason)).toEqual([...dropReasons]);
});
