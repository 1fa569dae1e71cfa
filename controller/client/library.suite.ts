/** What programs may rely on from the client library, on whatever kind of bench it runs. */

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ClusterClient, DefiniteError, IndefiniteError } from "../../device/mqtt/client.ts";

/** A cluster that answers, and ways to it. */
export type LibraryBench = {
  /** A deadline that a healthy cluster surely keeps. Default: 400 ms. */
  readonly shortDeadlineMs?: number;
  /** A client of its own. Given a name that a closed client had, it takes that one's place. */
  connect(options?: { readonly name?: string; readonly deadlineMs?: number }): Promise<ClusterClient> | ClusterClient;
  /** Nobody hears the clients any more, until `heal`. */
  cutClients(): Promise<void> | void;
  heal(): Promise<void> | void;
  /** Whoever leads is gone; others take over where there are any. */
  loseLeader(): Promise<void> | void;
  close(): Promise<void> | void;
};

/** The suite. */
export function describeClientLibrary(bench: string, create: () => Promise<LibraryBench> | LibraryBench): void {
  describe(`the client library on ${bench}`, () => {
    let cluster: LibraryBench;
    let client: ClusterClient;
    let keys = 0;

    /** A key that no other test uses. */
    function freshKey(): string {
      keys += 1;
      return `key-${keys}`;
    }

    beforeAll(async () => {
      cluster = await create();
      client = await cluster.connect();
    });

    afterAll(async () => {
      await client?.close();
      await cluster?.close();
    });

    it("given a key that nobody wrote, when it is read, then there is nothing", async () => {
      expect(await client.read(freshKey())).toBeNull();
    });

    it.each([
      ["null", null],
      ["a number", -1.5],
      ["a text beyond ASCII", 'Grüße, 🛶, "quoted"\n'],
      ["a list of lists", [[], [1, [2]]]],
      ["an object", { a: { b: [true, null] } }],
    ])("given %s, when it is written, then it is read as it was", async (_what, value) => {
      const key = freshKey();
      await client.write(key, value);
      expect(await client.read(key)).toEqual(value);
    });

    it("given a value, when it is compared and swapped, then only the right expectation swaps it", async () => {
      const key = freshKey();
      await client.write(key, { version: 1 });
      expect(await client.cas(key, { version: 2 }, "no")).toBe(false);
      expect(await client.cas(key, { version: 1 }, "yes")).toBe(true);
      expect(await client.read(key)).toBe("yes");
    });

    it("given a text, when it is appended to, then it is longer", async () => {
      const key = freshKey();
      await client.append(key, "ad");
      await client.append(key, "rift");
      expect(await client.read(key)).toBe("adrift");
    });

    it("given a number, when it is added to, then the sum is told", async () => {
      const key = freshKey();
      expect(await client.add(key, 5)).toBe(5);
      expect(await client.add(key, -7)).toBe(-2);
    });

    it("given a key, when it is deleted twice, then it was there the first time", async () => {
      const key = freshKey();
      await client.write(key, 1);
      expect(await client.delete(key)).toBe(true);
      expect(await client.delete(key)).toBe(false);
      expect(await client.read(key)).toBeNull();
    });

    it("given two clients, when one writes, then the other reads it", async () => {
      const key = freshKey();
      const other = await cluster.connect();
      await client.write(key, "from one");
      expect(await other.read(key)).toBe("from one");
      await other.close();
    });

    it("given six hundred operations at once, when all are answered, then each took effect once", async () => {
      const key = freshKey();
      const sums = await Promise.all(Array.from({ length: 600 }, () => client.add(key, 1)));
      expect(new Set(sums).size).toBe(600);
      expect(await client.read(key)).toBe(600);
    });

    it("given reads of every mode, when nothing is wrong, then all are answered", async () => {
      const key = freshKey();
      await client.write(key, 1);
      expect(await client.read(key, { mode: "linearizable" })).toBe(1);
      expect(await client.read(key, { mode: "lease" })).toBe(1);
      expect([1, null]).toContain(await client.read(key, { mode: "stale" }));
    });

    it("given a command that the machine refuses, when it is asked for, then it surely had no effect", async () => {
      const key = freshKey();
      await client.write(key, "text");
      await expect(client.add(key, 1)).rejects.toThrow(DefiniteError);
      await expect(client.add(key, 1)).rejects.toThrow(`add ${key} had no effect`);
      expect(await client.read(key)).toBe("text");
    });

    it.each([
      ["too large", "x".repeat(600_000)],
      ["too deep", Array.from({ length: 200 }).reduce<unknown>((inner) => [inner], 0)],
      ["no JSON", 1n],
      ["no JSON within", { a: [undefined] }],
    ])(
      "given a value that is %s, when it is written with others, then it alone fails and is never sent",
      async (_what, value) => {
        const key = freshKey();
        const [wrong, right] = await Promise.allSettled([
          client.write(key, value as never),
          client.write(`${key}-b`, 1),
        ]);
        expect(wrong).toMatchObject({ status: "rejected", reason: { name: "DefiniteError" } });
        expect(right).toMatchObject({ status: "fulfilled" });
        expect(await client.read(key)).toBeNull();
      },
    );

    it("given a machine that is not there, when it is asked, then the outcome says so", async () => {
      const outcome = await client.submit({
        kind: "query",
        machine: "clock",
        query: "What time is it?",
        mode: "linearizable",
      });
      expect(outcome).toMatchObject({ type: "fail", error: expect.stringContaining("clock") });
    });

    it("given a client's name, when a later client has it again, then its operations are its own", async () => {
      const key = freshKey();
      const first = await cluster.connect({ name: "twice" });
      expect(await first.add(key, 1)).toBe(1);
      await first.close();
      const second = await cluster.connect({ name: "twice" });
      expect(await second.add(key, 1)).toBe(2);
      await second.close();
    });

    it("given nobody who hears, when the deadline comes, then of a write nothing is known, and a read had no effect", async () => {
      const key = freshKey();
      const hasty = await cluster.connect({ deadlineMs: cluster.shortDeadlineMs ?? 400 });
      await hasty.write(key, 1);
      await cluster.cutClients();
      const [write, read] = await Promise.allSettled([hasty.write(key, 2), hasty.read(key)]);
      await cluster.heal();
      expect(write).toMatchObject({ status: "rejected", reason: expect.any(IndefiniteError) });
      expect(read).toMatchObject({ status: "rejected", reason: expect.any(DefiniteError) });
      await hasty.close();
    });

    it("given nobody who hears for a while, when they hear again in time, then what was asked is answered once", async () => {
      const key = freshKey();
      await client.add(key, 1);
      await cluster.cutClients();
      const sum = client.add(key, 1);
      await cluster.heal();
      expect(await sum).toBe(2);
      expect(await client.read(key)).toBe(2);
    });

    it("given a leader that is lost, when operations are under way, then another answers them, once each", async () => {
      const key = freshKey();
      await client.write(key, 0);
      const before = Array.from({ length: 20 }, () => client.add(key, 1));
      const lost = cluster.loseLeader();
      const after = Array.from({ length: 20 }, () => client.add(key, 1));
      await Promise.all([lost, ...before, ...after]);
      expect(await client.read(key)).toBe(40);
      await cluster.heal();
    });

    it("given operations under way, when the client is closed, then they end, and later ones are never sent", async () => {
      const closing = await cluster.connect();
      await closing.write(freshKey(), 1);
      const open = closing.write(freshKey(), 1);
      const [ended] = await Promise.allSettled([open, closing.close()]);
      expect(ended).toMatchObject({ status: "rejected", reason: expect.any(IndefiniteError) });
      await expect(closing.write(freshKey(), 1)).rejects.toThrow(DefiniteError);
    });
  });
}
