import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { ConnectError, type ConnectedClient, type ConnectOptions, connect } from "../../device/mqtt/client.ts";
import { startStandIns } from "./stand-in.fixture.ts";

type Bench = Awaited<ReturnType<typeof startStandIns>>;

const toClose: { close(): Promise<void> }[] = [];

afterEach(async () => {
  for (const each of toClose.splice(0).reverse()) await each.close();
});

async function startBench(boards: readonly string[], brokers = 1): Promise<Bench> {
  const bench = await startStandIns(boards, brokers);
  toClose.push(bench);
  return bench;
}

async function connectTo({ cluster, urls }: Bench, options: Partial<ConnectOptions> = {}): Promise<ConnectedClient> {
  const client = await connect({ cluster, brokers: urls, ...options });
  toClose.push(client);
  return client;
}

describe("connecting", () => {
  it("given no broker that answers, when the time is up, then the error says which were tried, and why each failed", async () => {
    const refused = connect({
      cluster: "bench",
      brokers: ["mqtt://127.0.0.1:1", "mqtt://127.0.0.1:2"],
      deadlineMs: 300,
    });
    await expect(refused).rejects.toThrow(
      /mqtt:\/\/127\.0\.0\.1:1 \(.*ECONNREFUSED.*mqtt:\/\/127\.0\.0\.1:2 \(.*ECONNREFUSED/,
    );
    await expect(refused).rejects.toMatchObject({ name: "ConnectError", reason: "unreachable" });
  });

  it.each([
    ["resets", (socket: Socket) => socket.resetAndDestroy()],
    ["ends", (socket: Socket) => socket.end().resume()],
  ])(
    "given a broker that %s every connection, when the time is up, then the error says that it may be full",
    async (_how, close) => {
      const broker = createServer((socket) => {
        socket.on("error", () => {});
        close(socket);
      }).listen(0, "127.0.0.1");
      toClose.push({ close: () => new Promise((resolve) => broker.close(() => resolve())) });
      await once(broker, "listening");
      const { port } = broker.address() as AddressInfo;
      const refused = connect({ cluster: "bench", brokers: [`mqtt://127.0.0.1:${port}`], deadlineMs: 300 });
      await expect(refused).rejects.toThrow(
        / \(.*(ECONNRESET|closed the connection).*\)\. A broker .* may be full, or want keys/,
      );
    },
  );

  it("given two brokers of which one is gone, when a client connects, then the other is enough", async () => {
    const bench = await startBench(["pi-1"]);
    const client = await connectTo(bench, { brokers: ["mqtt://127.0.0.1:1", ...bench.urls] });
    expect(await client.add("x", 1)).toBe(1);
    expect(client.brokers().map(({ isUp }) => isUp)).toEqual([false, true]);
  });

  it.each([
    ["no brokers", { brokers: [] }, /No broker is named/],
    ["an address of the web", { brokers: ["http://127.0.0.1:1883"] }, /mqtt:\/\/HOST:PORT/],
    ["what is no address", { brokers: ["somewhere"] }, /mqtt:\/\/HOST:PORT/],
    ["no keys for a broker that wants them", { brokers: ["mqtts://127.0.0.1:8883"] }, /keys/],
    ["a cluster's name that cannot be", { cluster: "a/b" }, /not the name of a cluster/],
    ["a client's name that cannot be", { name: "#" }, /not a name for a client/],
  ])("given %s, when a client is to connect, then it is refused at once", async (_what, options, complaint) => {
    const refused = connect({ cluster: "bench", brokers: ["mqtt://127.0.0.1:1"], ...options });
    await expect(refused).rejects.toThrow(complaint);
    await expect(refused).rejects.toMatchObject({ reason: "options" });
    await expect(refused).rejects.toBeInstanceOf(ConnectError);
  });
});

describe("what travels", () => {
  it("given a thousand operations in one turn, when they are sent, then they travel in few payloads", async () => {
    const bench = await startBench(["pi-1"]);
    const client = await connectTo(bench);
    await client.write("warm", "up");
    const [board] = bench.boards;
    const payloadsBefore = board?.payloadsHeard ?? 0;
    await Promise.all(Array.from({ length: 1_000 }, (_, at) => client.write(`key-${at}`, "v".repeat(256))));
    expect((board?.payloadsHeard ?? 0) - payloadsBefore).toBeLessThan(20);
  });

  it("given large values in one turn, when they are sent, then no payload is larger than boards take", async () => {
    const bench = await startBench(["pi-1"]);
    const client = await connectTo(bench);
    const value = "v".repeat(60_000);
    await Promise.all(Array.from({ length: 30 }, (_, at) => client.write(`key-${at}`, value)));
    expect(await client.read("key-29")).toBe(value);
  });

  it("given a leader that answered by one broker, when it is asked again, then it is asked by that one alone", async () => {
    const bench = await startBench(["pi-1"], 3);
    const client = await connectTo(bench);
    await expect.poll(() => client.brokers().every(({ isUp }) => isUp)).toBe(true);
    await client.add("x", 1);
    const [board] = bench.boards;
    const heardBefore = board?.requestsHeard ?? 0;
    for (let count = 0; count < 10; count += 1) await client.add("x", 1);
    expect((board?.requestsHeard ?? 0) - heardBefore).toBeLessThanOrEqual(12);
    expect(await client.read("x")).toBe(11);
  });

  it("given the broker by which the leader answered, when it is gone, then requests go by another", async () => {
    const bench = await startBench(["pi-1"], 2);
    const client = await connectTo(bench);
    await expect.poll(() => client.brokers().every(({ isUp }) => isUp)).toBe(true);
    await client.add("x", 1);
    await bench.stopBroker(0);
    expect(await client.add("x", 1)).toBe(2);
    await bench.stopBroker(1);
    await expect(connectTo(bench, { deadlineMs: 200 })).rejects.toThrow(ConnectError);
  });
});

describe("a leader that is lost", () => {
  it("given an operation that nobody answers, when another says to lead, then it is asked at once", async () => {
    const bench = await startBench(["pi-1", "pi-2"]);
    const client = await connectTo(bench, { deadlineMs: 60_000 });
    await client.add("x", 1);
    bench.boards[0]?.die();
    const sum = client.add("x", 1);
    // After three attempts in vain the next is more than two seconds away.
    await expect.poll(() => bench.boards[1]?.requestsHeard ?? 0, { timeout: 5_000 }).toBeGreaterThanOrEqual(4);
    const fromMs = performance.now();
    bench.boards[1]?.lead();
    expect(await sum).toBe(2);
    expect(performance.now() - fromMs).toBeLessThan(500);
  });
});

describe("questions to one board, and of an operator", () => {
  it("given a board that does not lead, when it is asked how it is, then it answers for itself", async () => {
    const bench = await startBench(["pi-1", "pi-2"]);
    const client = await connectTo(bench);
    expect(await client.inquire({ board: "pi-2", ask: { type: "status" } })).toMatchObject({
      member: "pi-2",
      role: "follower",
    });
    expect(await client.inquire({ board: "pi-2", ask: { type: "flight", after: 0 } })).toEqual({
      records: [],
      last: 0,
    });
  });

  it("given a board that is not there, when it is asked, then the question had no effect", async () => {
    const bench = await startBench(["pi-1"]);
    const client = await connectTo(bench, { deadlineMs: 300 });
    await expect(client.inquire({ board: "pi-9", ask: { type: "status" } })).rejects.toThrow(
      "status of pi-9 had no effect: pi-9 did not answer within 300 ms.",
    );
  });

  it("given an operator, when members are to change, then whoever leads answers, and without a leader nobody knows", async () => {
    const bench = await startBench(["pi-1", "pi-2"]);
    const operator = await connectTo(bench, { name: "controller", deadlineMs: 300 });
    const change = { board: null, ask: { type: "changeMembers", voters: ["pi-1"], learners: [] } } as const;
    expect(await operator.inquire(change)).toBe(true);
    for (const board of bench.boards) board.follow();
    await expect(operator.inquire(change)).rejects.toMatchObject({ name: "IndefiniteError" });
  });
});

describe("what boards say of themselves", () => {
  it("given statuses that brokers retained, when somebody listens late, then they hear them, and what comes", async () => {
    const bench = await startBench(["pi-1", "pi-2"]);
    const client = await connectTo(bench);
    await client.read("x");
    await expect.poll(() => heard(client)).toEqual(["pi-1 leader", "pi-2 follower"]);
    bench.boards[0]?.follow();
    bench.boards[1]?.lead();
    await expect.poll(() => heard(client)).toEqual(["pi-1 follower", "pi-2 leader"]);
  });
});

/** What a listener that comes now hears at once. */
function heard(client: ConnectedClient): readonly string[] {
  const words: string[] = [];
  client.onStatus(({ from, status }) => words.push(`${from} ${status?.role}`))();
  return words.sort();
}
