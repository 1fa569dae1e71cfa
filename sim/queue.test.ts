import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { EventQueue, noTicket } from "./queue.ts";

describe("the event queue", () => {
  it("lets events happen in the order of their time, and those of one moment in the order of scheduling", () => {
    const queue = new EventQueue();
    const happened: string[] = [];
    const note = (a: number, b: number) => happened.push(`${a}/${b}@${queue.nowUs}`);
    queue.schedule(20, note, 1, -1);
    queue.schedule(10, note, 2, 0);
    queue.schedule(20, note, 3, 0);
    queue.at(10, () => happened.push("closure"));
    queue.runUntil(100);
    expect(happened).toEqual(["2/0@10", "closure", "1/-1@20", "3/0@20"]);
    expect(queue.nowUs).toBe(100);
    expect(queue.happened).toBe(4);
  });

  it("lets an event schedule another one for the same moment", () => {
    const queue = new EventQueue();
    const happened: number[] = [];
    queue.at(5, () => queue.at(5, () => happened.push(queue.nowUs)));
    queue.runUntil(5);
    expect(happened).toEqual([5]);
  });

  it("takes back a cancelled event, once, and never a later one that uses its slot again", () => {
    const queue = new EventQueue();
    const happened: string[] = [];
    const first = queue.at(10, () => happened.push("first"));
    queue.cancel(first);
    queue.cancel(first);
    queue.cancel(noTicket);
    expect(queue.nextUs).toBe(Number.POSITIVE_INFINITY);
    expect(queue.step()).toBe(false);
    queue.at(20, () => happened.push("second"));
    queue.cancel(first);
    queue.runUntil(30);
    expect(happened).toEqual(["second"]);
  });

  it("refuses an event in the past, and one at no time", () => {
    const queue = new EventQueue();
    queue.runUntil(50);
    expect(() => queue.at(49, () => {})).toThrow("scheduled for 49 µs, but it is 50 µs already");
    expect(() => queue.at(Number.NaN, () => {})).toThrow(RangeError);
  });

  it("does what a sorted list would do, whatever is scheduled and cancelled, before and in between", () => {
    const events = fc.array(
      fc.record({ inUs: fc.nat(50), cancels: fc.option(fc.nat(400), { nil: null }), children: fc.nat(3) }),
      { minLength: 1, maxLength: 400 },
    );
    fc.assert(
      fc.property(events, (plan) => {
        expect(runOnQueue(plan)).toEqual(runOnList(plan));
      }),
      { numRuns: 150 },
    );
  });

  it("grows beyond its first size and keeps the order", () => {
    const queue = new EventQueue();
    const happened: number[] = [];
    const note = (a: number) => happened.push(a);
    for (let event = 0; event < 5000; event += 1) queue.schedule((event * 7919) % 5000, note, (event * 7919) % 5000, 0);
    queue.runUntil(5000);
    expect(happened).toEqual(Array.from({ length: 5000 }, (_, index) => index));
  });
});

/** Each event that happens schedules the next `children` of the plan and cancels event `cancels`, if there is one. */
type Plan = readonly { readonly inUs: number; readonly cancels: number | null; readonly children: number }[];

function runOnQueue(plan: Plan): string[] {
  const queue = new EventQueue();
  const tickets: number[] = [];
  const happened: string[] = [];
  const onEvent = (id: number) => {
    happened.push(`${id}@${queue.nowUs}`);
    const { cancels, children } = plan[id] ?? { cancels: null, children: 0 };
    if (cancels !== null) queue.cancel(tickets[cancels] ?? noTicket);
    for (let child = 0; child < children; child += 1) add();
  };
  const add = () => {
    const next = plan[tickets.length];
    if (next !== undefined) tickets.push(queue.schedule(queue.nowUs + next.inUs, onEvent, tickets.length, 0));
  };
  for (let root = 0; root < 20; root += 1) add();
  while (queue.step());
  return happened;
}

function runOnList(plan: Plan): string[] {
  let waiting: { id: number; atUs: number }[] = [];
  let added = 0;
  let nowUs = 0;
  const happened: string[] = [];
  const add = () => {
    const next = plan[added];
    if (next === undefined) return;
    waiting.push({ id: added, atUs: nowUs + next.inUs });
    added += 1;
  };
  for (let root = 0; root < 20; root += 1) add();
  while (waiting.length > 0) {
    // Array sorting is stable: events of one moment stay in the order of scheduling.
    waiting.sort((one, other) => one.atUs - other.atUs);
    const event = waiting.shift();
    if (event === undefined) break;
    nowUs = event.atUs;
    happened.push(`${event.id}@${nowUs}`);
    const { cancels, children } = plan[event.id] ?? { cancels: null, children: 0 };
    if (cancels !== null) waiting = waiting.filter((each) => each.id !== cancels);
    for (let child = 0; child < children; child += 1) add();
  }
  return happened;
}
