import { afterEach, describe, expect, test, vi } from "vitest";
import type { RunningBroker } from "../../device/mqtt/broker.ts";
import { createTestAuthority } from "../../device/mqtt/certificates.fixture.ts";
import { startBroker } from "../../device/mqtt/embedded-broker.ts";
import type { Keys } from "../../device/mqtt/keys.ts";
import { Visitors } from "../../device/mqtt/visitor.fixture.ts";
import { parseBench } from "../../hardware/bench.ts";
import { openBrokerCutter } from "./broker.ts";
import type { PairCutter } from "./cutter.ts";

const bench = parseBench(
  `
boards: [{ name: pi-1, inbox: left }, { name: pi-2, inbox: right }, { name: pi-3, inbox: right }]
brokers: [left, right]
cutter: broker
`,
  "table.yaml",
);
const [first, second] = bench.cables;

describe("the brokers as a cutter", () => {
  const visitors = new Visitors();
  const running: (RunningBroker | PairCutter)[] = [];

  async function setUp(keysOf: (name: string) => Keys | null = () => null) {
    const settings = { host: "127.0.0.1", port: 0, webSocketPort: null, cluster: bench.cluster };
    const boards = bench.boards.map(({ name }) => name);
    const brokers = await Promise.all(
      bench.brokers.map(({ name }) => startBroker({ ...settings, name, boards, keys: keysOf(name) })),
    );
    const ports = brokers.map(({ port }) => port);
    const scheme = keysOf("controller") === null ? "mqtt" : "mqtts";
    const cutter = openBrokerCutter({
      bench,
      brokers: bench.brokers.map(({ name }, index) => ({ name, url: `${scheme}://127.0.0.1:${ports[index]}` })),
      keys: keysOf("controller"),
    });
    running.push(cutter, ...brokers);
    return { cutter, brokers, ports };
  }

  afterEach(async () => {
    vi.useRealTimers();
    await visitors.leave();
    await Promise.all(running.splice(0).map((each) => each.close()));
  });

  test("given a pair, then what the one says to the other is withheld, and nothing else, until it is delivered", async () => {
    const { cutter, ports } = await setUp();
    const listener = await visitors.enter({ port: ports[1] ?? 0 });
    await listener.subscribe("adrift/table/raft/+/+");
    const say = async (to: string, from: string, what: string) =>
      await (await visitors.enter({ port: ports[1] ?? 0 })).publish(`adrift/table/raft/${to}/${from}`, what, {
        qos: 1,
      });

    await cutter.withhold("pi-1", "pi-2", 60_000);
    await say("pi-2", "pi-1", "lost");
    await say("pi-2", "pi-3", "heard");
    await say("pi-3", "pi-1", "heard too");
    expect(await cutter.readPairs()).toEqual([{ from: "pi-1", to: "pi-2" }]);
    await cutter.deliver("pi-1", "pi-2");
    await say("pi-2", "pi-1", "heard again");

    await vi.waitFor(() => expect(listener.received).toHaveLength(3), { timeout: 8_000 });
    expect(listener.received.map((line) => line.split(" ").slice(1).join(" "))).toEqual([
      "heard",
      "heard too",
      "heard again",
    ]);
    expect(await cutter.readPairs()).toEqual([]);
  });

  test("given cables that share what goes over them, then healing one leaves the other cut", async () => {
    if (first === undefined || second === undefined) throw new Error("The bench has cables.");
    const { cutter } = await setUp();

    await cutter.cut(first, "both", 60_000);
    await cutter.cut(second, "both", 60_000);
    expect(await cutter.readPairs()).toHaveLength(6);
    await cutter.heal(first);

    expect([await cutter.read(first), await cutter.read(second)]).toEqual(["whole", "both"]);
    await cutter.heal(second);
    expect(await cutter.readPairs()).toEqual([]);
  });

  test("given one direction, then only what comes from that end is withheld", async () => {
    if (first === undefined) throw new Error("The bench has cables.");
    const { cutter } = await setUp();

    await cutter.cut(first, "both", 60_000);
    await cutter.cut(first, "fromFirstEnd", 60_000);

    expect(await cutter.read(first)).toBe("fromFirstEnd");
    expect(await cutter.readPairs()).toEqual([
      { from: "pi-1", to: "pi-2" },
      { from: "pi-1", to: "pi-3" },
    ]);
  });

  test("given a lease that nobody renews, then the broker itself lets it run out, and says so", async () => {
    const { cutter } = await setUp();

    await cutter.withhold("pi-1", "pi-2", 40);

    await vi.waitFor(async () => expect(await cutter.readPairs()).toEqual([]), { timeout: 8_000 });
  });

  test("given a broker that is gone, then nobody waits for ever, and another one in its place answers", async () => {
    const { cutter, brokers, ports } = await setUp();
    await cutter.readPairs();
    await brokers[0]?.close();

    await expect(cutter.withhold("pi-2", "pi-1", 60_000)).rejects.toThrow(/The broker left .* cannot be reached/);

    const settings = { host: "127.0.0.1", webSocketPort: null, cluster: bench.cluster, keys: null, boards: [] };
    running.push(await startBroker({ ...settings, name: "left", port: ports[0] ?? 0 }));
    await vi.waitFor(async () => await cutter.withhold("pi-2", "pi-1", 60_000), { timeout: 10_000 });
    expect(await cutter.readPairs()).toEqual([{ from: "pi-2", to: "pi-1" }]);
  });

  test("given keys, then only the controller may have something withheld", async () => {
    const authority = createTestAuthority();
    const { cutter, ports } = await setUp((name) => authority.keysFor(name));
    const client = await visitors.enter({ port: ports[1] ?? 0, keys: authority.keysFor("anna") });

    await client.forge(
      "adrift/table/broker/right/withhold",
      JSON.stringify({ v: 1, number: 1, pairs: [{ from: "pi-1", to: "pi-2", leaseMs: 60_000 }] }),
    );

    expect(await cutter.readPairs()).toEqual([]);
    await cutter.withhold("pi-1", "pi-2", 60_000);
    expect(await cutter.readPairs()).toEqual([{ from: "pi-1", to: "pi-2" }]);
  });
});
