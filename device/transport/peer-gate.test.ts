import { beforeEach, describe, expect, test } from "vitest";
import type { PeerEnvelope } from "./envelope.ts";
import { PeerGate } from "./peer-gate.ts";

/** The sender's clock is ahead by an hour: nobody may compare the two. */
const aheadMs = 3_600_000;

let gate = new PeerGate({ boards: [] });
beforeEach(() => {
  gate = new PeerGate({ boards: ["pi-1", "pi-2"], heldUpMsMax: 1_000, forgetAfterMs: 10_000 });
});

describe("given a board that was heard", () => {
  beforeEach(() => {
    expect(gate.accept(sent({ boot: 5, connection: 3, seq: 100, atMs: 0 }), 2)).toBe(null);
  });

  test("when the next payload comes, then it passes", () => {
    expect(gate.accept(sent({ boot: 5, connection: 3, seq: 101, atMs: 10 }), 12)).toBe(null);
  });

  test("when the same payload comes again, or an earlier one, then it is repeated", () => {
    expect(gate.accept(sent({ boot: 5, connection: 3, seq: 100, atMs: 0 }), 3)).toBe("repeated");
    expect(gate.accept(sent({ boot: 5, connection: 3, seq: 99, atMs: 0 }), 3)).toBe("repeated");
  });

  test("when a replaced connection still delivers, then that is dropped", () => {
    expect(gate.accept(sent({ boot: 5, connection: 4, seq: 102, atMs: 20 }), 22)).toBe(null);
    expect(gate.accept(sent({ boot: 5, connection: 3, seq: 101, atMs: 21 }), 23)).toBe("oldConnection");
  });

  test("when an earlier boot still delivers, then that is dropped", () => {
    expect(gate.accept(sent({ boot: 6, connection: 1, seq: 1, atMs: 20 }), 22)).toBe(null);
    expect(gate.accept(sent({ boot: 5, connection: 9, seq: 500, atMs: 21 }), 23)).toBe("oldBoot");
  });

  test("when a board that nobody knows speaks, then it is foreign", () => {
    expect(gate.accept(sent({ from: "pi-9" }), 3)).toBe("foreign");
    expect(gate.accept(sent({ from: "__proto__" }), 3)).toBe("foreign");
  });

  test("when another board speaks, then it is judged by its own", () => {
    expect(gate.accept(sent({ from: "pi-2", boot: 1, connection: 1, seq: 1 }), 3)).toBe(null);
  });

  test("when its disk was lost and its boots count from 1, then it is heard after ten seconds of silence", () => {
    const reborn = (seq: number, nowMs: number) =>
      gate.accept(sent({ boot: 1, connection: 1, seq, atMs: nowMs }), nowMs);
    expect(reborn(1, 3_000)).toBe("oldBoot");
    expect(reborn(2, 10_002)).toBe("oldBoot");
    expect(reborn(3, 10_003)).toBe(null);
    expect(reborn(4, 10_004)).toBe(null);
  });
});

describe("given a cable that is cut and healed", () => {
  test("when it delivers what it held back, then that is stale, even after a silence of an hour", () => {
    expect(gate.accept(sent({ seq: 1, atMs: 0 }), 2)).toBe(null);
    for (let seq = 2; seq < 100; seq += 1) {
      expect(gate.accept(sent({ seq, atMs: seq * 100 }), 3_600_000)).toBe("stale");
    }
    expect(gate.accept(sent({ seq: 100, atMs: 3_600_001 }), 3_600_003)).toBe(null);
  });

  test("when a payload was held up for no longer than allowed, then it passes", () => {
    expect(gate.accept(sent({ seq: 1, atMs: 0 }), 2)).toBe(null);
    expect(gate.accept(sent({ seq: 2, atMs: 100 }), 1_102)).toBe(null);
    expect(gate.accept(sent({ seq: 3, atMs: 101 }), 1_104)).toBe("stale");
  });
});

describe("given clocks that drift apart", () => {
  test.each([-1, 1])(
    "when they differ by ten seconds after some hours, then the board was heard all the time",
    (sign) => {
      let deaf = 0;
      for (let second = 0; second < 20_000; second += 1) {
        const atMs = second * 1_000 * (1 + (sign * 500) / 1_000_000);
        if (gate.accept(sent({ seq: second, atMs }), second * 1_000 + 2) !== null) deaf += 1;
      }
      expect(deaf).toBe(0);
    },
  );
});

function sent(envelope: Partial<PeerEnvelope>): PeerEnvelope {
  const { atMs = 0, ...rest } = envelope;
  return { from: "pi-1", boot: 1, connection: 1, seq: 1, messages: [], ...rest, atMs: atMs + aheadMs };
}
