import { expect, test } from "vitest";
import { Outboxes } from "./outboxes.ts";
import { Turn } from "./turn.ts";

const nextTurn = () => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));

test("given an idle turn, when one input arrives, then it is taken at once and alone", () => {
  const taken: number[] = [];
  const turn = new Turn((inputs) => taken.push(inputs.length));
  turn.input(() => undefined);
  expect(taken).toEqual([1]);
});

test("given a turn that has taken its first input, when more arrive, then they are taken together at its end, in order", async () => {
  const taken: string[] = [];
  const batches: number[] = [];
  const turn = new Turn((inputs) => {
    batches.push(inputs.length);
    for (const input of inputs) input();
  });
  for (const name of ["a", "b", "c"]) turn.input(() => taken.push(name));
  expect(taken).toEqual(["a"]);
  await nextTurn();
  expect(taken).toEqual(["a", "b", "c"]);
  expect(batches).toEqual([1, 2]);
});

test("given a turn that is over, when the next input arrives, then it is taken at once again", async () => {
  const batches: number[] = [];
  const turn = new Turn((inputs) => batches.push(inputs.length));
  turn.input(() => undefined);
  await nextTurn();
  turn.input(() => undefined);
  expect(batches).toEqual([1, 1]);
});

test("given several things for the same receiver in one turn, then they leave together, in order, when the turn is over", async () => {
  const sent: [string, readonly number[]][] = [];
  const outboxes = new Outboxes<string, number>((receiver, items) => sent.push([receiver, items]));
  outboxes.add("pi-2", 1);
  outboxes.add("pi-3", 2);
  outboxes.add("pi-2", 3);
  expect(sent).toEqual([]);
  await nextTurn();
  expect(sent).toEqual([
    ["pi-2", [1, 3]],
    ["pi-3", [2]],
  ]);
});
