/** Asks something of a bench that runs in another process. */

import { connect } from "node:net";
import type { ControlReply, ControlRequest } from "./control-protocol.ts";

/** Nobody listens at the socket: the bench that it belonged to is gone. */
export class NoBenchError extends Error {
  override readonly name = "NoBenchError";
}

const answerWithinMs = 5_000;

/** Asks one thing. @throws {NoBenchError} if no bench is there. */
export async function askBench(path: string, request: ControlRequest): Promise<ControlReply> {
  const line = await new Promise<string>((resolve, reject) => {
    const socket = connect(path);
    let text = "";
    const timer = setTimeout(() => socket.destroy(), answerWithinMs);
    socket.setEncoding("utf8");
    socket.on("data", (piece: string) => {
      text += piece;
      if (text.endsWith("\n")) socket.end();
    });
    socket.on("error", (error) => reject(new NoBenchError(`Nobody listens at ${path}: ${error.message}`)));
    socket.on("close", () => {
      clearTimeout(timer);
      if (text.endsWith("\n")) resolve(text);
      else reject(new NoBenchError(`The bench at ${path} did not answer.`));
    });
    socket.write(`${JSON.stringify(request)}\n`);
  });
  // It comes from this very software.
  return JSON.parse(line) as ControlReply;
}
