/** What every cutter must do, whatever it is made of: one suite, which each driver passes against its real peer. */

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Cable } from "../../hardware/bench.ts";
import type { CutDirection } from "../../sim/network-types.ts";
import { type CircuitState, CutterFailure, type OpenCutter } from "./cutter.ts";

/** A cutter, two cables or more that it can open, and the device behind it. */
export type CutterOnTable = {
  readonly cutter: OpenCutter;
  readonly cables: readonly [Cable, Cable, ...Cable[]];
  readonly peer: CutterPeer;
};

/** The device, or what stands in for it, as a hand and an eye beside the driver. What it does not allow is `null`. */
export type CutterPeer = {
  /** Looks at the circuit itself, past the driver: the pin, the port in the kernel, the frames that come through. */
  look(cable: Cable): CircuitState | Promise<CircuitState>;
  /** Changes the circuit behind the driver's back, as a button, another program or an operator would. */
  readonly change: ((cable: Cable, state: "whole" | "both") => void | Promise<void>) | null;
  readonly troubles: {
    /** The device is gone, and comes back. What it was told before may be forgotten then. */
    readonly unplugged: Trouble | null;
    /** The device is there and says nothing. */
    readonly silent: Trouble | null;
    /** The device answers late, but soon enough: everything still works. */
    readonly slow: Trouble | null;
    /** The device answers nonsense or refuses, or does not do what it says. */
    readonly wrong: Trouble | null;
  };
  /** The shortest lease after which it heals by itself, for a cutter with `healsByItself`. */
  readonly leaseMsMin: number | null;
  /** Takes everything away again. Called once, also after a test that failed. */
  dispose(): void | Promise<void>;
};

/** Something that goes wrong with a device, from `begin` to `end`. */
export type Trouble = { begin(): void | Promise<void>; end(): void | Promise<void> };

/** "All promises end within a few seconds." */
const promiseMsMax = 6_000;
/** How soon a device that is back must be found again. */
const returnMsMax = 15_000;
/** How soon the circuit itself must follow its device. */
const circuitMsMax = 3_000;
/** A lease that does not run out within a test. */
const longLeaseMs = 120_000;

/**
 * The tests of a cutter. They share one device, which `setUp` prepares and `peer.dispose` takes away; before each of them
 * all cables are healed, and the last one closes the cutter.
 */
export function describeCutter(title: string, setUp: () => Promise<CutterOnTable>): void {
  describe(title, { timeout: 90_000 }, () => {
    let table: CutterOnTable | null = null;
    let cutter: OpenCutter;
    let peer: CutterPeer;
    let first: Cable;
    let second: Cable;
    let inTrouble: Trouble | null = null;

    beforeAll(async () => {
      table = await setUp();
      ({ cutter, peer } = table);
      [first, second] = table.cables;
    }, 120_000);
    beforeEach(async () => {
      for (const cable of table?.cables ?? []) await eventually(() => cutter.heal(cable));
    });
    afterEach(() => leaveTrouble());
    afterAll(async () => {
      await table?.cutter.close();
      await table?.peer.dispose();
    }, 60_000);

    const cut = (cable: Cable, direction: CutDirection = "both"): Promise<void> =>
      inTime(cutter.cut(cable, direction, longLeaseMs));
    const heal = (cable: Cable): Promise<void> => inTime(cutter.heal(cable));
    /** The driver says so, and so it is. */
    async function expectState(cable: Cable, state: CircuitState): Promise<void> {
      expect(await inTime(cutter.read(cable))).toBe(state);
      await expectCircuit(cable, state);
    }
    async function expectCircuit(cable: Cable, state: CircuitState): Promise<void> {
      await expect.poll(() => peer.look(cable), { timeout: circuitMsMax, interval: 10 }).toBe(state);
    }
    /** Whatever the driver says of the cable, it is true; that it cannot say is true as well. */
    async function expectNoLie(cable: Cable): Promise<void> {
      const said = await inTime(settled(cutter.read(cable)));
      if (said.ok) await expectCircuit(cable, said.value);
      else expect(said.reason).toBeInstanceOf(CutterFailure);
    }
    async function enterTrouble(trouble: Trouble): Promise<void> {
      inTrouble = trouble;
      await trouble.begin();
    }
    async function leaveTrouble(): Promise<void> {
      const trouble = inTrouble;
      inTrouble = null;
      await trouble?.end();
    }
    async function expectToWorkAgain(): Promise<void> {
      await leaveTrouble();
      await eventually(() => cutter.cut(first, "both", longLeaseMs));
      await expectState(first, "both");
      await heal(first);
      await expectState(first, "whole");
    }

    test("given whole cables, then they are read as whole, and so they are", async () => {
      await expectState(first, "whole");
      await expectState(second, "whole");
    });

    test("given a whole cable, when it is cut and healed, then each is done and read back", async () => {
      await cut(first);
      await expectState(first, "both");
      await heal(first);
      await expectState(first, "whole");
    });

    test("given a cut cable, when it is cut again, then it stays cut without having been whole meanwhile", async () => {
      await cut(first);
      await cut(first);
      await expectState(first, "both");
      await heal(first);
      await expectState(first, "whole");
    });

    test("given a whole cable, when it is healed, then it stays whole", async () => {
      await heal(first);
      await expectState(first, "whole");
    });

    test("given two cables, when one is cut and healed, then the other stays as it was", async () => {
      await cut(first);
      await expectState(second, "whole");
      await cut(second);
      await heal(first);
      await expectState(first, "whole");
      await expectState(second, "both");
    });

    test("given one direction, when it is asked for, then that one is cut alone, or it is refused and nothing is cut", async () => {
      if (!cutter.cutsOneWay) {
        await expectFailure(cut(first, "fromFirstEnd"));
        await expectFailure(cut(first, "fromSecondEnd"));
        await expectState(first, "whole");
        return;
      }
      for (const direction of ["fromFirstEnd", "fromSecondEnd", "both", "fromFirstEnd"] as const) {
        await cut(first, direction);
        await expectState(first, direction);
      }
      await expectState(second, "whole");
      await heal(first);
      await expectState(first, "whole");
    });

    test("given somebody else who cuts and heals, when the cable is read, then it is read as it is", async ({
      skip,
    }) => {
      const change = peer.change ?? skip("nobody else can change this circuit");
      await change(first, "both");
      await expectState(first, "both");
      await change(first, "whole");
      await expectState(first, "whole");
      await cut(first);
      await change(first, "whole");
      await expectState(first, "whole");
      await cut(first);
      await expectState(first, "both");
    });

    test("given calls that overlap, when all have ended, then each cable is as the last call wanted it", async () => {
      await Promise.all([cut(first), cut(second), cutter.read(first), heal(first), cut(first), heal(second)]);
      await expectState(first, "both");
      await expectState(second, "whole");
    });

    test("when it is asked who it is, then it says so, also while it has cut", async () => {
      await cut(first);
      const { device, remarks } = await inTime(cutter.identify());
      expect(device).toMatch(/\S/);
      for (const remark of remarks) expect(remark).toMatch(/\S/);
      await expectState(first, "both");
    });

    test("given a cable of another cutter, then it is refused", async () => {
      const foreign: Cable = {
        name: "elsewhere",
        ends: [
          { node: "nowhere", port: "eth0" },
          { node: "no-switch", port: "99" },
        ],
        cutter: { name: "somebody-else", channel: null },
        speedMbps: 100,
      };
      await expectFailure(cut(foreign));
      await expectFailure(heal(foreign));
      await expectFailure(cutter.read(foreign));
    });

    test("given a cut that nobody renews, when its lease runs out, then the cable heals by itself", async ({
      skip,
    }) => {
      if (!cutter.healsByItself) skip("it does not heal by itself");
      const leaseMs = peer.leaseMsMin ?? skip("nobody can wait for so long a lease");
      await inTime(cutter.cut(first, "both", leaseMs));
      await cut(second);
      await expectState(first, "both");
      await expect.poll(() => peer.look(first), { timeout: leaseMs + 5_000, interval: 20 }).toBe("whole");
      await expectState(first, "whole");
      await expectState(second, "both");
    });

    for (const kind of ["unplugged", "silent"] as const) {
      test(`given a device that is ${kind}, then every call fails soon, and when it is back the same cutter works`, async ({
        skip,
      }) => {
        const trouble = peer.troubles[kind] ?? skip(`this device cannot be ${kind}`);
        await cut(second);
        await enterTrouble(trouble);
        const calls = [
          cutter.cut(first, "both", longLeaseMs),
          cutter.read(second),
          cutter.heal(second),
          cutter.identify(),
        ];
        await Promise.all(calls.map(expectFailure));
        await leaveTrouble();
        await eventually(() => cutter.read(second));
        await expectNoLie(second);
        await expectToWorkAgain();
      });

      test(`given a call under way, when the device is ${kind} in the middle, then it ends soon and nobody lies`, async ({
        skip,
      }) => {
        const trouble = peer.troubles[kind] ?? skip(`this device cannot be ${kind}`);
        const calls = [cutter.cut(first, "both", longLeaseMs), cutter.cut(second, "both", longLeaseMs)];
        const ends = Promise.all(calls.map((call) => inTime(settled(call))));
        await enterTrouble(trouble);
        for (const end of await ends) if (!end.ok) expect(end.reason).toBeInstanceOf(CutterFailure);
        await leaveTrouble();
        await eventually(() => cutter.read(first));
        await expectNoLie(first);
        await expectNoLie(second);
        await expectToWorkAgain();
      });
    }

    test("given a slow device, then everything still works", async ({ skip }) => {
      await enterTrouble(peer.troubles.slow ?? skip("this device cannot be made slow"));
      await cut(first);
      await expectState(first, "both");
      await heal(first);
      await expectState(first, "whole");
    });

    test("given a device that answers wrongly, then a cut fails, nobody lies, and later the same cutter works", async ({
      skip,
    }) => {
      await enterTrouble(peer.troubles.wrong ?? skip("this device cannot be made to answer wrongly"));
      await expectFailure(cutter.cut(first, "both", longLeaseMs));
      await expectNoLie(first);
      await expectToWorkAgain();
    });

    test("when it is closed twice, also with a call under way, then all ends, and later calls fail", async () => {
      const last = settled(cutter.read(first));
      await inTime(Promise.all([cutter.close(), cutter.close()]));
      await inTime(last);
      await inTime(cutter.close());
      await expectFailure(cutter.cut(first, "both", longLeaseMs));
      await expectFailure(cutter.heal(first));
      await expectFailure(cutter.read(first));
    });
  });
}

/** Fails as a cutter has to fail: soon, and with words for whoever reads them. */
async function expectFailure(call: Promise<unknown>): Promise<void> {
  const end = await inTime(settled(call));
  expect(end.ok, "it should have failed").toBe(false);
  if (end.ok) return;
  expect(end.reason).toBeInstanceOf(CutterFailure);
  if (end.reason instanceof CutterFailure) expect(end.reason.message).toMatch(/\w+ \w+/);
}

type Settled<Value> = { readonly ok: true; readonly value: Value } | { readonly ok: false; readonly reason: unknown };

function settled<Value>(promise: Promise<Value>): Promise<Settled<Value>> {
  return promise.then(
    (value) => ({ ok: true, value }),
    (reason: unknown) => ({ ok: false, reason }),
  );
}

/** The promise, or an error if it does not end as soon as every promise of a cutter must. */
async function inTime<Value>(promise: Promise<Value>): Promise<Value> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`It did not end within ${promiseMsMax} ms.`)), promiseMsMax);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Tries again until it succeeds: a device that is back may need a moment until it answers. */
async function eventually<Value>(attempt: () => Promise<Value>): Promise<void> {
  const started = performance.now();
  for (;;) {
    const end = await inTime(settled(attempt()));
    if (end.ok) return;
    if (performance.now() - started > returnMsMax) throw end.reason;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
