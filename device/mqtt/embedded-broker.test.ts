import { afterEach, describe, expect, test } from "vitest";
import { describeBroker } from "./broker.suite.ts";
import { BrokerError, type BrokerSettings, type RunningBroker } from "./broker.ts";
import { createTestAuthority } from "./certificates.fixture.ts";
import { startBroker } from "./embedded-broker.ts";
import { eventually, Visitors } from "./visitor.fixture.ts";

describeBroker({
  name: "embedded broker",
  start: startBroker,
  silentConnections: 300,
  memoryBytes: () => null,
});

describe("embedded broker: what only it does", () => {
  const authority = createTestAuthority();
  const visitors = new Visitors();
  const running: RunningBroker[] = [];

  const start = async (changes: Partial<BrokerSettings> = {}): Promise<RunningBroker> => {
    const broker = await startBroker({
      name: "switchboard",
      host: "127.0.0.1",
      port: 0,
      webSocketPort: null,
      keys: null,
      cluster: "c",
      boards: ["pi-1"],
      ...changes,
    });
    running.push(broker);
    return broker;
  };

  afterEach(async () => {
    await visitors.leave();
    await Promise.all(running.splice(0).map((broker) => broker.close()));
  });

  test("given a port that is taken, then it says so and what to do", async () => {
    const { port } = await start();

    const second = start({ port });

    await expect(second).rejects.toThrow(BrokerError);
    await expect(second).rejects.toThrow(/another program has taken it. End that program, or choose another port/);
  });

  test("given an address that others reach and no keys, then it refuses to start", async () => {
    await expect(start({ host: "0.0.0.0" })).rejects.toThrow(/without keys it may listen on this machine only/);
  });

  test.each(["ws", "wss"] as const)(
    "given a client by %s, then it and a client by TCP hear each other",
    async (protocol) => {
      const isSecure = protocol === "wss";
      const { port, webSocketPort } = await start({
        webSocketPort: 0,
        keys: isSecure ? authority.keysFor("switchboard") : null,
      });
      const keysOf = (name: string) => (isSecure ? authority.keysFor(name) : null);
      const page = await visitors.enter({ port: webSocketPort ?? 0, keys: keysOf("ann"), options: { protocol } });
      const board = await visitors.enter({ port, keys: keysOf("pi-1") });
      await board.subscribe("adrift/c/request/+");
      await page.subscribe("adrift/c/reply/ann");

      await page.publish("adrift/c/request/ann", "question");
      await eventually(() => expect(board.received).toEqual(["adrift/c/request/ann question"]));
      await board.publish("adrift/c/reply/ann", "answer");
      await eventually(() => expect(page.received).toEqual(["adrift/c/reply/ann answer"]));
    },
  );

  test("given wss and no certificate, then nobody gets in", async () => {
    const { webSocketPort } = await start({ webSocketPort: 0, keys: authority.keysFor("switchboard") });
    const options = { protocol: "wss", ca: authority.certificate } as const;

    expect(await visitors.isLetIn({ port: webSocketPort ?? 0, options })).toBe(false);
  });

  test("given 10 MB by WebSocket, then its sender is cut off", async () => {
    const { webSocketPort } = await start({ webSocketPort: 0 });
    const page = await visitors.enter({ port: webSocketPort ?? 0, options: { protocol: "ws" } });
    const closed = new Promise<void>((resolve) => page.client.once("close", () => resolve()));

    page.client.publish("anything", Buffer.alloc(10 * 1024 * 1024));

    await closed;
  });

  test("given a board that retains what is no status, then it is cut off and nobody hears it later", async () => {
    const { port } = await start({ keys: authority.keysFor("switchboard") });
    const board = await visitors.enter({ port, keys: authority.keysFor("pi-1") });
    const closed = new Promise<void>((resolve) => board.client.once("close", () => resolve()));

    board.client.publish("adrift/c/board/pi-1/event", "for ever", { retain: true });

    await closed;
  });

  test("given bytes that are no MQTT, then who sent them is cut off, and the broker lives", async () => {
    const { port } = await start();
    const socket = await visitors.openSocket({ port });
    const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
    socket.resume();

    socket.write("GET / HTTP/1.1\r\n\r\n");

    await closed;
    expect(await visitors.isLetIn({ port })).toBe(true);
  });
});
