/** The socket by which other processes of the same user reach a running bench. */

import { createServer, type Server, type Socket } from "node:net";
import { type ControlReply, type ControlRequest, lineBytesMax, parseRequest } from "./control-protocol.ts";

/** Listens until it is closed. */
export class ControlServer {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  /** @param path of the socket, in a folder that only this user may enter */
  static async open(path: string, carryOut: (request: ControlRequest) => ControlReply): Promise<ControlServer> {
    const control = new ControlServer(carryOut);
    await new Promise<void>((resolve, reject) => {
      control.#server.once("error", reject);
      control.#server.listen(path, resolve);
    });
    return control;
  }

  private constructor(carryOut: (request: ControlRequest) => ControlReply) {
    this.#server = createServer((socket) => {
      this.#sockets.add(socket);
      socket.on("close", () => this.#sockets.delete(socket));
      socket.on("error", () => socket.destroy());
      answer(socket, carryOut);
    });
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}

function answer(socket: Socket, carryOut: (request: ControlRequest) => ControlReply): void {
  let text = "";
  socket.setEncoding("utf8");
  socket.on("data", (piece: string) => {
    text += piece;
    if (text.length > lineBytesMax) socket.destroy();
    const lines = text.split("\n");
    text = lines.pop() ?? "";
    for (const line of lines) socket.write(`${JSON.stringify(replyTo(line, carryOut))}\n`);
  });
}

function replyTo(line: string, carryOut: (request: ControlRequest) => ControlReply): ControlReply {
  const request = parseRequest(line);
  if (request === null) return { ok: false, error: "That is no request that this version of Adrift knows." };
  return carryOut(request);
}
