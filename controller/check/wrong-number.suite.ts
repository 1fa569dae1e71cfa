/** What the checker must say of long histories of adds in which one number is wrong: quickly for some, at length for more. */

import { describe, expect, it } from "vitest";
import { isLinearizable } from "./brute-force.ts";
import { checkHistory } from "./check.ts";
import type { HistoryEvent } from "./history.ts";

/** @param counts how many adds the histories have */
export function describeWrongNumber(counts: readonly number[]): void {
  describe("one wrong number in a long history of adds", () => {
    const manners = ["one after the other", "all at once"] as const;
    const faults = ["counted twice", "said too much"] as const;
    const cases = counts.flatMap((count) =>
      manners.flatMap((manner) => faults.map((fault) => [count, manner, fault] as const)),
    );
    it.each(cases)(
      "given %i adds of ten clients, %s, when one of them %s, then a few show it",
      (count, manner, fault) => {
        const { verdict, operations, diagram, checks } = checkHistory(adds(count, manner, fault === "counted twice"));
        expect(verdict).toBe("invalid");
        expect(operations.length).toBeLessThanOrEqual(10);
        expect(isLinearizable(operations)).toBe(false);
        expect(diagram.length).toBeLessThan(1_000);
        for (const check of checks) expect(check.operations.length).toBeLessThanOrEqual(10);
      },
    );
  });
}

/** @param counts Whether the add that came out too high truly counted twice, or only said so. */
function adds(count: number, manner: "one after the other" | "all at once", counts: boolean): HistoryEvent[] {
  const events: HistoryEvent[] = [];
  const call = (client: number) => ({ process: `c${client}`, op: "add", key: "n", value: 1 }) as const;
  let sum = 0;
  const invoke = (client: number): void => {
    events.push({ ...call(client), type: "invoke", atUs: events.length });
  };
  const complete = (client: number, isWrong: boolean): void => {
    sum += isWrong && counts ? 2 : 1;
    const result = isWrong && !counts ? sum + 1 : sum;
    events.push({ ...call(client), type: "ok", result, atUs: events.length });
  };
  const clients = Array.from({ length: 10 }, (_, client) => client);
  for (let round = 0; round < count / 10; round += 1) {
    const isWrong = (client: number): boolean => client === 6 && round === count / 20;
    if (manner === "all at once") clients.forEach(invoke);
    for (const client of clients) {
      if (manner === "one after the other") invoke(client);
      complete(client, isWrong(client));
    }
  }
  return events;
}
