import { once } from "node:events";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Forwarder } from "./forwarder.ts";
import { createTestServer, dial, type Talker, type TestServer } from "./sockets.fixture.ts";

const whole = { there: true, back: true };
const cut = { there: false, back: false };

/** Waits for something, looking often: most of it takes a fraction of a millisecond. */
function until<T>(condition: () => T, { timeout = 5_000 }: { readonly timeout?: number } = {}) {
  return vi.waitUntil(condition, { interval: 2, timeout });
}

let broker: TestServer;
let forwarder: Forwarder;
const dialled: Talker[] = [];

beforeEach(async () => {
  broker = await createTestServer();
  forwarder = await Forwarder.open({ port: 0, brokerPort: () => broker.port });
});

afterEach(async () => {
  for (const { socket } of dialled.splice(0)) socket.destroy();
  await forwarder.close();
  await broker.close();
});

async function connectThrough(): Promise<Talker> {
  const client = await dial(forwarder.port);
  dialled.push(client);
  return client;
}

async function pair(): Promise<{ readonly client: Talker; readonly server: Talker }> {
  const known = broker.talkers.length;
  const client = await connectThrough();
  const server = await until(() => broker.talkers[known]);
  return { client, server };
}

/** Everything that is under way on whole paths has arrived when this has. */
async function settle(): Promise<void> {
  const probe = await createTestServer();
  const through = await Forwarder.open({ port: 0, brokerPort: () => probe.port });
  for (let round = 0; round < 3; round += 1) {
    const { socket } = await dial(through.port);
    const there = await until(() => probe.talkers[round]);
    socket.write("?");
    await once(there.socket, "data");
    there.socket.write("!");
    await once(socket, "data");
    socket.destroy();
  }
  await through.close();
  await probe.close();
}

describe("a whole path", () => {
  test("carries both ways, in order", async () => {
    const { client, server } = await pair();
    for (const word of ["one ", "two ", "three"]) client.socket.write(word);
    server.socket.write("hello");
    await until(() => server.text() === "one two three" && client.text() === "hello");
  });

  test("carries more than any buffer holds, to a reader that begins late", async () => {
    const { client, server } = await pair();
    server.socket.pause();
    const size = 24 * 1024 * 1024;
    client.socket.end(Buffer.alloc(size, "x"));
    await settle();
    server.socket.resume();
    await until(() => server.state() === "ended", { timeout: 8_000 });
    expect(server.text().length).toBe(size);
  });

  test("passes on a farewell after the bytes before it, and still carries the answer", async () => {
    const { client, server } = await pair();
    client.socket.end("bye");
    await until(() => server.state() === "ended");
    expect(server.text()).toBe("bye");
    server.socket.end("so long");
    await until(() => client.state() === "ended" && client.text() === "so long");
    await until(() => forwarder.connections === 0);
  });

  test("passes on at once that an end was reset, either way", async () => {
    const one = await pair();
    one.client.socket.resetAndDestroy();
    await until(() => one.server.state() === "reset");
    const other = await pair();
    other.server.socket.resetAndDestroy();
    await until(() => other.client.state() === "reset");
    await until(() => forwarder.connections === 0);
  });

  test("given that no broker listens, then whoever connects is turned away", async () => {
    await broker.close();
    const client = await connectThrough();
    await until(() => client.state() === "reset");
    await until(() => forwarder.connections === 0);
  });

  test("carries many connections, each by itself", async () => {
    const clients = await Promise.all(Array.from({ length: 60 }, connectThrough));
    for (const [number, { socket }] of clients.entries()) socket.write(`from ${number}.`);
    await until(() => broker.talkers.filter((talker) => talker.text().endsWith(".")).length === clients.length);
    for (const { socket, text } of broker.talkers) socket.end(`echo ${text()}`);
    await until(() => clients.every((client) => client.state() === "ended"));
    expect(clients.map((client) => client.text())).toEqual(clients.map((_, number) => `echo from ${number}.`));
  });
});

describe("a cut path", () => {
  test("carries nothing either way and ends nothing; healed, it goes on in order", async () => {
    const { client, server } = await pair();
    client.socket.write("before ");
    await until(() => server.text() === "before ");
    forwarder.setWays(cut);
    client.socket.write("during ");
    server.socket.write("also during");
    await settle();
    expect([server.text(), client.text()]).toEqual(["before ", ""]);
    expect([server.state(), client.state()]).toEqual(["there", "there"]);
    forwarder.setWays(whole);
    client.socket.write("after");
    await until(() => server.text() === "before during after" && client.text() === "also during");
  });

  test("makes a sender wait when it has sent more than the buffers hold, and loses nothing of it", async () => {
    const { client, server } = await pair();
    forwarder.setWays(cut);
    const size = 32 * 1024 * 1024;
    client.socket.end(Buffer.alloc(size, "x"));
    await settle();
    expect(client.socket.writableLength).toBeGreaterThan(0);
    forwarder.setWays(whole);
    await until(() => server.state() === "ended", { timeout: 8_000 });
    expect(server.text().length).toBe(size);
  });

  test("hides a farewell until it is healed, then passes it on after the bytes before it", async () => {
    const { client, server } = await pair();
    forwarder.setWays(cut);
    client.socket.end("last words");
    await settle();
    expect([server.state(), server.text()]).toEqual(["there", ""]);
    forwarder.setWays(whole);
    await until(() => server.state() === "ended");
    expect(server.text()).toBe("last words");
  });

  test("hides a reset until it is healed, then passes it on without the bytes before it", async () => {
    const { client, server } = await pair();
    forwarder.setWays(cut);
    client.socket.write("never sent again");
    await settle();
    client.socket.resetAndDestroy();
    await settle();
    expect(server.state()).toBe("there");
    forwarder.setWays(whole);
    await until(() => server.state() === "reset");
    expect(server.text()).toBe("");
    await until(() => forwarder.connections === 0);
  });

  test("accepts a connection and answers nothing; healed, it leads to the broker", async () => {
    forwarder.setWays(cut);
    const client = await connectThrough();
    client.socket.write("hello?");
    await settle();
    expect([broker.talkers.length, client.state()]).toEqual([0, "there"]);
    forwarder.setWays(whole);
    const server = await until(() => broker.talkers[0]);
    await until(() => server.text() === "hello?");
  });

  test("given that who connected during the cut gave up, then the broker never hears of it", async () => {
    forwarder.setWays(cut);
    const client = await connectThrough();
    client.socket.resetAndDestroy();
    await until(() => forwarder.connections === 0);
    forwarder.setWays(whole);
    await settle();
    expect(broker.talkers).toEqual([]);
  });
});

describe("a path that is cut one way", () => {
  test("carries the other way", async () => {
    const { client, server } = await pair();
    forwarder.setWays({ there: false, back: true });
    client.socket.write("unheard");
    server.socket.write("heard");
    await until(() => client.text() === "heard");
    await settle();
    expect(server.text()).toBe("");
    forwarder.setWays({ there: true, back: false });
    server.socket.write(", held back");
    await until(() => server.text() === "unheard");
    await settle();
    expect(client.text()).toBe("heard");
    forwarder.setWays(whole);
    await until(() => client.text() === "heard, held back");
  });

  test("makes no new connection: the answer to it would not come back", async () => {
    forwarder.setWays({ there: true, back: false });
    const client = await connectThrough();
    client.socket.write("hello?");
    await settle();
    expect(broker.talkers.length).toBe(0);
  });
});

describe("a machine that loses its power", () => {
  test("loses what it had sent; the broker learns of it when it is back", async () => {
    const { client, server } = await pair();
    forwarder.setWays(cut);
    client.socket.write("lost with the power");
    forwarder.losePower("near");
    await until(() => client.state() !== "there");
    await settle();
    expect(server.state()).toBe("there");
    forwarder.setWays(whole);
    await until(() => server.state() === "reset");
    expect(server.text()).toBe("");
  });

  test("given that it carries the broker, then clients learn of it when it is back", async () => {
    const { client } = await pair();
    forwarder.setWays(cut);
    forwarder.losePower("far");
    await settle();
    expect(client.state()).toBe("there");
    forwarder.setWays(whole);
    await until(() => client.state() === "reset");
  });
});
