/** What every broker must do, whoever made it. Seen from outside, with stock clients and with sockets that misbehave. */

import { afterEach, describe, expect, test } from "vitest";
import type { BrokerSettings, RunningBroker } from "./broker.ts";
import { createTestAuthority } from "./certificates.fixture.ts";
import { Connection, type Publication } from "./connection.ts";
import type { Keys } from "./keys.ts";
import { connectPacket, eventually, subscribePacket, type Visitor, Visitors } from "./visitor.fixture.ts";

/** A kind of broker. */
export type BrokerKind = {
  readonly name: string;
  start(settings: BrokerSettings): Promise<RunningBroker>;
  /** How many connections that never speak it is shown. */
  readonly silentConnections: number;
  /** What the broker's process holds in memory; `null` where it is the test's own, and slow readers are cut off. */
  memoryBytes(broker: RunningBroker): number | null;
};

const mebibyte = 1024 * 1024;
const boards = ["pi-1", "pi-2", "pi-3"];
const authority = createTestAuthority();
const strangers = createTestAuthority();

/** The tests of a kind of broker. */
export function describeBroker(kind: BrokerKind): void {
  const visitors = new Visitors();
  const connections: Connection[] = [];
  const running: RunningBroker[] = [];

  const start = async (keys: Keys | null = null, port = 0): Promise<RunningBroker> => {
    const settings = { name: "switchboard", host: "127.0.0.1", port, webSocketPort: null, keys, cluster: "c", boards };
    const broker = await kind.start(settings);
    running.push(broker);
    return broker;
  };
  const startWithKeys = (): Promise<RunningBroker> => start(authority.keysFor("switchboard"));
  const enterAs = ({ port }: RunningBroker, name: string): Promise<Visitor> =>
    visitors.enter({ port, keys: authority.keysFor(name) });
  const open = (
    port: number,
    will?: () => Publication,
  ): { connection: Connection; received: string[]; ups: number[] } => {
    const received: string[] = [];
    const ups: number[] = [];
    const connection = new Connection({
      url: `mqtt://127.0.0.1:${port}`,
      name: "pi-1",
      keys: null,
      ...(will === undefined ? {} : { will }),
      handlers: {
        up: (count) => ups.push(count),
        down: () => {},
        message: (topic, payload) => received.push(`${topic} ${payload}`),
      },
    });
    connections.push(connection);
    return { connection, received, ups };
  };

  afterEach(async () => {
    await visitors.leave();
    await Promise.all(connections.splice(0).map((connection) => connection.close()));
    await Promise.all(running.splice(0).map((broker) => broker.close()));
  });

  describe(`${kind.name}: messages`, () => {
    test("given two clients, then each hears the other, at any quality of service", async () => {
      const broker = await start();
      const one = await visitors.enter(broker);
      const two = await visitors.enter(broker);
      await one.subscribe("to/one");
      await two.subscribe("to/two");

      for (const qos of [0, 1, 2] as const) await one.publish("to/two", `at ${qos}`, { qos });
      await two.publish("to/one", "back");

      await eventually(() => expect(two.received).toHaveLength(3));
      await eventually(() => expect(one.received).toEqual(["to/one back"]));
      expect(new Set(two.received)).toEqual(new Set(["to/two at 0", "to/two at 1", "to/two at 2"]));
    });

    test("given many messages from one to another, then they arrive in their order", async () => {
      const broker = await start();
      const reader = await visitors.enter(broker);
      const writer = await visitors.enter(broker);
      await reader.subscribe("count");
      const expected = Array.from({ length: 2_000 }, (_, index) => `count ${index}`);

      await Promise.all(expected.map((_, index) => writer.publish("count", String(index))));

      await eventually(() => expect(reader.received).toHaveLength(expected.length));
      expect(reader.received).toEqual(expected);
    });

    test("given a retained status, then whoever comes later gets the last one, until it is erased", async () => {
      const broker = await start();
      const board = await visitors.enter(broker);
      await board.publish("adrift/c/board/pi-1/status", "old", { retain: true, qos: 1 });
      await board.publish("adrift/c/board/pi-1/status", "new", { retain: true, qos: 1 });

      const late = await visitors.enter(broker);
      await late.subscribe("adrift/c/board/+/status");
      await eventually(() => expect(late.received).toEqual(["adrift/c/board/pi-1/status new"]));

      await board.publish("adrift/c/board/pi-1/status", "", { retain: true, qos: 1 });
      const later = await visitors.enter(broker);
      await later.subscribe("adrift/c/board/+/status");
      await board.publish("adrift/c/board/pi-2/status", "here", { qos: 1 });
      await eventually(() => expect(later.received).toEqual(["adrift/c/board/pi-2/status here"]));
    });
  });

  describe(`${kind.name}: ends`, () => {
    const will = { topic: "adrift/c/board/pi-1/status", payload: "offline" };

    test("given a will, when its connection is killed, then it is published and retained", async () => {
      const broker = await start();
      const watcher = await visitors.enter(broker);
      await watcher.subscribe("adrift/c/board/+/status");
      const { connection, ups } = open(broker.port, () => will);
      await eventually(() => expect(ups).toEqual([1]));

      connection.destroy();

      await eventually(() => expect(watcher.received).toEqual([`${will.topic} offline`]));
      const late = await visitors.enter(broker);
      await late.subscribe(will.topic);
      await eventually(() => expect(late.received).toEqual([`${will.topic} offline`]));
    });

    test("given a will, when its client says farewell, then it is not published", async () => {
      const broker = await start();
      const watcher = await visitors.enter(broker);
      await watcher.subscribe("adrift/c/board/+/status");
      const { connection, ups } = open(broker.port, () => will);
      await eventually(() => expect(ups).toEqual([1]));

      await connection.close();
      const other = await visitors.enter({ ...broker, options: { will: { ...will, payload: Buffer.from("other") } } });
      other.client.stream.destroy();

      await eventually(() => expect(watcher.received).toEqual([`${will.topic} other`]));
    });

    test("given a client that falls silent, then its will is published soon after its keep-alive of 1 s", async () => {
      const broker = await start();
      const watcher = await visitors.enter(broker);
      await watcher.subscribe(will.topic);
      const socket = await visitors.openSocket(broker);

      socket.write(connectPacket("silent", 1, will));

      await eventually(() => expect(watcher.received).toEqual([`${will.topic} offline`]));
    });

    test("given a broker that dies and returns, then a connection comes back and gets only what is new", async () => {
      const first = await start();
      const { connection, received, ups } = open(first.port);
      connection.subscribe("news");
      await eventually(() => expect(ups).toEqual([1]));
      await first.close();
      await eventually(() => expect(connection.isUp).toBe(false));
      expect(connection.publish("news", "said while nobody listened")).toBe("notConnected");

      const second = await start(null, first.port);
      const writer = await visitors.enter(second);
      await eventually(() => expect(ups).toEqual([1, 2]));
      await eventually(async () => {
        await writer.publish("news", "new");
        expect(received).toContain("news new");
      });

      expect(new Set(received)).toEqual(new Set(["news new"]));
    });

    test("given messages while a connection was away, then it does not hear them when it is back", async () => {
      const broker = await start();
      const away = await visitors.enter({ ...broker, options: { clientId: "sleeper", clean: true } });
      await away.subscribe("news");
      const writer = await visitors.enter(broker);
      await away.client.endAsync(true);

      await writer.publish("news", "missed", { qos: 1 });
      const back = await visitors.enter({ ...broker, options: { clientId: "sleeper", clean: true } });
      await back.subscribe("news");
      await writer.publish("news", "heard", { qos: 1 });

      await eventually(() => expect(back.received).toEqual(["news heard"]));
    });

    test("given a client that is started before its broker, then it waits for it", async () => {
      const { port } = await start();
      await running.splice(0)[0]?.close();
      const { ups } = open(port);

      await start(null, port);

      await eventually(() => expect(ups).toEqual([1]));
    });
  });

  for (const keyed of [false, true]) {
    describe(`${kind.name}: limits, ${keyed ? "with" : "without"} keys`, () => {
      const begin = (): Promise<RunningBroker> => (keyed ? startWithKeys() : start());
      const enter = (broker: RunningBroker, name: string): Promise<Visitor> =>
        keyed ? enterAs(broker, name) : visitors.enter(broker);

      test("given a payload of 10 MB, then it reaches nobody, and its sender is cut off", async () => {
        const broker = await begin();
        const board = await enter(broker, "pi-1");
        await board.subscribe("adrift/c/request/+");
        const sender = await enter(broker, "ann");
        const closed = new Promise<void>((resolve) => sender.client.once("close", () => resolve()));

        sender.client.publish("adrift/c/request/ann", Buffer.alloc(10 * mebibyte), { qos: 0 });
        await closed;

        const other = await enter(broker, "bob");
        await other.publish("adrift/c/request/bob", "small");
        await eventually(() => expect(board.received).toEqual(["adrift/c/request/bob small"]));
      });

      test("given a payload of 1 MiB, then it arrives", async () => {
        const broker = await begin();
        const board = await enter(broker, "pi-1");
        await board.subscribe("adrift/c/raft/pi-1/+");
        const peer = await enter(broker, "pi-2");

        await peer.publish("adrift/c/raft/pi-1/pi-2", Buffer.alloc(mebibyte));

        await eventually(() => expect(board.received).toEqual([`adrift/c/raft/pi-1/pi-2 ${mebibyte}`]));
      });

      test("given many connections that never speak, then a client still gets in", async () => {
        const broker = await begin();
        await visitors.openSockets(broker.port, kind.silentConnections);

        const visitor = await enter(broker, "pi-1");

        expect(await visitor.subscribe("adrift/c/board/+/status")).toBe(true);
      });

      test("given a reader that does not read, then the others get everything and little is kept for it", async () => {
        const broker = await begin();
        const topic = "adrift/c/board/pi-1/event";
        const will = { topic: "adrift/c/board/pi-3/status", payload: "cut off" };
        const slow = await visitors.openSocket({
          port: broker.port,
          keys: keyed ? authority.keysFor("pi-3") : null,
        });
        slow.write(connectPacket("slow", 60, will));
        slow.write(subscribePacket(topic));
        const quick = await enter(broker, "bob");
        await quick.subscribe(topic);
        const watcher = await enter(broker, "ann");
        await watcher.subscribe(will.topic);
        const writer = await enter(broker, "pi-1");
        const before = kind.memoryBytes(broker);

        const payload = Buffer.alloc(64 * 1024);
        for (let sent = 1; sent <= 512; sent += 1) {
          await writer.publish(topic, payload);
          if (sent % 16 === 0) await eventually(() => expect(quick.received).toHaveLength(sent));
        }

        const after = kind.memoryBytes(broker);
        if (before !== null && after !== null) expect(after - before).toBeLessThan(16 * mebibyte);
        else await eventually(() => expect(watcher.received).toEqual([`${will.topic} cut off`]));
      });
    });
  }

  describe(`${kind.name}: who gets in, with keys`, () => {
    test("given a certificate of the bench's authority, then its owner gets in", async () => {
      const { port } = await startWithKeys();

      expect(await visitors.isLetIn({ port, keys: authority.keysFor("ann") })).toBe(true);
    });

    test("given no certificate, then nobody gets in", async () => {
      const { port } = await startWithKeys();
      const options = { protocol: "mqtts", ca: authority.certificate } as const;

      expect(await visitors.isLetIn({ port, options })).toBe(false);
    });

    test("given no TLS at all, then nobody gets in", async () => {
      const { port } = await startWithKeys();

      expect(await visitors.isLetIn({ port })).toBe(false);
    });

    test("given a certificate of another authority, then nobody gets in", async () => {
      const { port } = await startWithKeys();
      const keys = { ...strangers.keysFor("pi-1"), authority: authority.certificate };

      expect(await visitors.isLetIn({ port, keys })).toBe(false);
    });

    test("given a certificate that has expired, then its owner does not get in", async () => {
      const { port } = await startWithKeys();

      expect(await visitors.isLetIn({ port, keys: authority.keysFor("pi-1", -1) })).toBe(false);
    });
  });

  describe(`${kind.name}: who may say what, with keys`, () => {
    const forgeries = [
      { who: "pi-2", topic: "adrift/c/raft/pi-3/pi-1", what: "a board that forges the vote of another" },
      { who: "ann", topic: "adrift/c/raft/pi-3/pi-1", what: "a client that speaks as a board" },
      { who: "ann", topic: "adrift/c/raft/pi-3/ann", what: "a client that takes part in Raft" },
      { who: "controller", topic: "adrift/c/raft/pi-3/controller", what: "the controller, taking part in Raft" },
      { who: "ann", topic: "adrift/c/request/bob", what: "a client that asks as another" },
      { who: "ann", topic: "adrift/c/board/pi-1/request/controller", what: "a client that administers" },
      { who: "ann", topic: "adrift/c/reply/bob", what: "a client that answers" },
      { who: "ann", topic: "adrift/c/board/pi-1/status", what: "a client that says how a board is" },
      { who: "pi-2", topic: "adrift/c/board/pi-1/status", what: "a board that says how another is" },
      { who: "pi-2", topic: "adrift/c/board/pi-1/event", what: "a board that tells another's events" },
      { who: "pi-1", topic: "adrift/other/raft/pi-3/pi-1", what: "a board in another cluster" },
      { who: "controller", topic: "elsewhere", what: "the controller, outside of the cluster" },
    ];

    test.each(forgeries)("given $what, then nobody hears it", async ({ who, topic }) => {
      const broker = await startWithKeys();
      const board = await enterAs(broker, "pi-3");
      await board.subscribe("adrift/c/raft/pi-3/+");
      const all = await enterAs(broker, "controller");
      await all.subscribe("adrift/c/#");
      const forger = await enterAs(broker, who);

      await forger.forge(topic, "forged");

      const honest = await enterAs(broker, "pi-1");
      await honest.publish("adrift/c/raft/pi-3/pi-1", "honest");
      await eventually(() => expect(board.received).toEqual(["adrift/c/raft/pi-3/pi-1 honest"]));
      await eventually(() => expect(all.received).toEqual(["adrift/c/raft/pi-3/pi-1 honest"]));
    });

    test("given a will on another board's status, when its owner dies, then nobody hears it", async () => {
      const broker = await startWithKeys();
      const watcher = await enterAs(broker, "ann");
      await watcher.subscribe("adrift/c/board/+/status");
      const willOn = (board: string, payload: string) => ({
        port: broker.port,
        keys: authority.keysFor("pi-2"),
        options: { will: { topic: `adrift/c/board/${board}/status`, payload: Buffer.from(payload), retain: true } },
      });

      const forger = await visitors.enter(willOn("pi-1", "forged")).catch(() => null);
      forger?.client.stream.destroy();
      const honest = await visitors.enter(willOn("pi-2", "honest"));
      honest.client.stream.destroy();

      await eventually(() => expect(watcher.received).toEqual(["adrift/c/board/pi-2/status honest"]));
    });
  });

  describe(`${kind.name}: who may hear what, with keys`, () => {
    /** Everything that is ever said, each by whom it may be said. */
    const said = [
      { who: "pi-1", topic: "adrift/c/raft/pi-2/pi-1" },
      { who: "bob", topic: "adrift/c/request/bob" },
      { who: "controller", topic: "adrift/c/request/controller" },
      { who: "controller", topic: "adrift/c/board/pi-2/request/controller" },
      { who: "pi-1", topic: "adrift/c/reply/bob" },
      { who: "pi-1", topic: "adrift/c/reply/ann" },
      { who: "pi-1", topic: "adrift/c/board/pi-1/event" },
      { who: "pi-1", topic: "adrift/c/board/pi-1/status" },
    ];
    const listeners = [
      {
        who: "ann",
        hears: ["adrift/c/reply/ann", "adrift/c/board/pi-1/event", "adrift/c/board/pi-1/status"],
      },
      {
        who: "pi-2",
        hears: [
          "adrift/c/raft/pi-2/pi-1",
          "adrift/c/request/bob",
          "adrift/c/request/controller",
          "adrift/c/board/pi-2/request/controller",
          "adrift/c/board/pi-1/event",
          "adrift/c/board/pi-1/status",
        ],
      },
      {
        who: "pi-3",
        hears: [
          "adrift/c/request/bob",
          "adrift/c/request/controller",
          "adrift/c/board/pi-1/event",
          "adrift/c/board/pi-1/status",
        ],
      },
      { who: "controller", hears: said.map(({ topic }) => topic) },
    ];

    test.each(listeners)(
      "given $who, who asks for everything there is, then only what is open to it comes",
      async ({ who, hears }) => {
        const broker = await startWithKeys();
        const listener = await enterAs(broker, who);
        const filters = ["#", "adrift/#", "adrift/c/#", "adrift/c/raft/#", "adrift/c/raft/+/+", "adrift/c/reply/+"];
        for (const filter of filters) await listener.subscribe(filter);
        for (const { topic } of said) await listener.subscribe(topic);

        for (const { who: speaker, topic } of said) {
          const visitor = await enterAs(broker, speaker);
          await visitor.publish(topic, "said", { qos: 1 });
        }

        const last = hears.at(-1);
        await eventually(() => expect(listener.received).toContain(`${last} said`));
        expect([...new Set(listener.received)].sort()).toEqual(hears.map((topic) => `${topic} said`).sort());
      },
    );
  });
}
