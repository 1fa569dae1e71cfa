import { describe, expect, it } from "vitest";
import { painter } from "../report/paint.ts";
import { type Check, examine } from "./examine.ts";
import { ok, unchecked, warning, wrong } from "./finding.ts";
import { doctorText, tallyOf } from "./text.ts";

describe("looking at everything at once", () => {
  it("given looks that fail or never end, then all others are told, in the order of the groups", async () => {
    const checks: readonly Check[] = [
      { group: "boards", where: "pi-1", look: () => new Promise(() => {}) },
      { group: "keys", where: "keys", look: () => [ok("keys", "well")] },
      { group: "keys", where: "more keys", look: () => broken() },
      { group: "this machine", where: "Node", look: () => Promise.reject(new Error("it is gone")) },
    ];
    expect(await examine(checks, 20)).toMatchObject([
      { name: "this machine", findings: [{ condition: "unchecked", where: "Node", what: "it is gone" }] },
      {
        name: "keys",
        findings: [{ condition: "ok" }, { condition: "unchecked", where: "more keys", what: "no such thing" }],
      },
      { name: "boards", findings: [{ condition: "unchecked", where: "pi-1", what: "no answer within 0.02 s" }] },
    ]);
  });
});

describe("what a person reads", () => {
  const options = { columns: 100, paint: painter(false) };

  it("given that all is well, then a line for each group, and for what should be known of it", () => {
    const groups = [
      { name: "brokers", findings: [ok("one", "a message takes 0.4 ms"), ok("two", "a message takes 0.4 ms")] },
      { name: "cutters", findings: [ok("hand", "a person", ["It takes seconds."])] },
    ] as const;
    expect(doctorText(groups, options)).toBe(
      `brokers       ok           one and two: a message takes 0.4 ms
cutters       ok           hand: a person
                           It takes seconds.

Nothing is wrong.
`,
    );
  });

  it("given that something is not, then what and where and what to do; the same of several once", () => {
    const groups = [
      {
        name: "boards",
        findings: [
          ok("pi-3", "online"),
          wrong("pi-1", "it is offline", "Switch it on."),
          wrong("pi-2", "it is offline", "Switch it on."),
          warning("versions", "boards run different ones", "Bring all to one version."),
          unchecked("cards", "nobody tells", null),
        ],
      },
    ] as const;
    expect(doctorText(groups, options)).toBe(
      `boards        ok           pi-3: online
              wrong        each of pi-1 and pi-2: it is offline. Switch it on.
              warning      versions: boards run different ones. Bring all to one version.
              not checked  cards: nobody tells.

Something is wrong: 1 wrong, 1 warning and 1 could not be checked.
`,
    );
    expect(tallyOf(groups)).toEqual({ ok: 1, warning: 1, wrong: 2, unchecked: 1 });
  });
});

function broken(): never {
  throw new Error("no such thing");
}
