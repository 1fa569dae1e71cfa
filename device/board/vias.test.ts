import { expect, test } from "vitest";
import { Vias } from "./vias.ts";

test("the same client on the same broker has one number, on another broker another", () => {
  const vias = new Vias();
  const first = vias.numberOf(0, "alice");
  expect(vias.numberOf(0, "alice")).toBe(first);
  expect(vias.numberOf(1, "alice")).not.toBe(first);
  expect(vias.wayOf(first)).toEqual({ broker: 0, client: "alice" });
});

test("given more ways than are kept, then the oldest is forgotten and gets a new number when it comes again", () => {
  const vias = new Vias();
  const first = vias.numberOf(0, "c0");
  for (let client = 1; client <= 65_536; client += 1) vias.numberOf(0, `c${client}`);
  expect(vias.wayOf(first)).toBeNull();
  const again = vias.numberOf(0, "c0");
  expect(again).not.toBe(first);
  expect(vias.wayOf(again)).toEqual({ broker: 0, client: "c0" });
});
