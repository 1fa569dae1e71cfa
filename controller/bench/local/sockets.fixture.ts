/** Sockets for tests: a server that keeps what it is sent, and people who connect to it. */

import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { listen } from "./ports.ts";

/** One end of a connection, with what has come in. */
export type Talker = {
  readonly socket: Socket;
  text(): string;
  /** How it ended, so far. */
  state(): "there" | "ended" | "reset" | "closed";
};

export type TestServer = { readonly port: number; readonly talkers: Talker[]; close(): Promise<void> };

export async function createTestServer(): Promise<TestServer> {
  const talkers: Talker[] = [];
  const server: Server = createServer({ noDelay: true, allowHalfOpen: true }, (socket) => talkers.push(talk(socket)));
  const port = await listen(server, 0);
  return {
    port,
    talkers,
    async close() {
      for (const { socket } of talkers) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

export async function dial(port: number): Promise<Talker> {
  const socket = connect({ host: "127.0.0.1", port, noDelay: true, allowHalfOpen: true });
  await once(socket, "connect");
  return talk(socket);
}

function talk(socket: Socket): Talker {
  let text = "";
  let state: ReturnType<Talker["state"]> = "there";
  socket.on("data", (bytes) => {
    text += bytes.toString();
  });
  socket.on("end", () => {
    state = "ended";
  });
  socket.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "ECONNRESET" || error.code === "EPIPE") state = "reset";
  });
  socket.on("close", () => {
    if (state === "there") state = "closed";
  });
  return { socket, text: () => text, state: () => state };
}
