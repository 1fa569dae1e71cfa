/** QEMU's machine protocol (QMP): a line of JSON for each command and for each answer, over a socket in the file system. */

import { connect, type Socket } from "node:net";
import { createInterface } from "node:readline";
import { BenchFailure } from "../bench.ts";

/** QEMU answers at once, unless the whole computer is overloaded. */
const answerMsMax = 10_000;

type Answer = { readonly return: unknown } | { readonly error: { readonly desc: string } };

/** A conversation with one QEMU. */
export class Qmp {
  readonly #socket: Socket;
  /** Who waits for an answer: they come in the order of the commands. */
  readonly #waiting: ((answer: Answer) => void)[] = [];

  /** Begins it. @throws {BenchFailure} if nobody listens at the socket */
  static async connect(path: string): Promise<Qmp> {
    const socket = connect(path);
    await new Promise<void>((resolve, reject) => {
      socket.once("connect", resolve);
      socket.once("error", (error) => reject(new BenchFailure(`QEMU does not listen at ${path}: ${error.message}.`)));
    });
    const qmp = new Qmp(socket);
    await qmp.execute("qmp_capabilities");
    return qmp;
  }

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("error", () => undefined);
    socket.on("close", () => {
      for (const settle of this.#waiting.splice(0)) settle({ error: { desc: "QEMU has ended" } });
    });
    createInterface({ input: socket }).on("line", (line) => this.#hear(line));
  }

  /** Has QEMU do something. @throws {BenchFailure} with what it says against it */
  async execute(command: string, args: Readonly<Record<string, unknown>> = {}): Promise<unknown> {
    let timer: NodeJS.Timeout | undefined;
    const answer = await new Promise<Answer>((resolve) => {
      timer = setTimeout(() => resolve({ error: { desc: "no answer" } }), answerMsMax);
      this.#waiting.push(resolve);
      if (this.#socket.destroyed) resolve({ error: { desc: "QEMU has ended" } });
      else this.#socket.write(`${JSON.stringify({ execute: command, arguments: args })}\n`);
    });
    clearTimeout(timer);
    if ("return" in answer) return answer.return;
    // An answer that comes after all would be taken for that of another command.
    this.close();
    throw new BenchFailure(`QEMU did not carry out ${command}: ${answer.error.desc}.`);
  }

  close(): void {
    this.#socket.destroy();
  }

  /** A greeting and events are lines too, and answer nothing. */
  #hear(line: string): void {
    const said: unknown = JSON.parse(line);
    if (isAnswer(said)) this.#waiting.shift()?.(said);
  }
}

function isAnswer(said: unknown): said is Answer {
  return typeof said === "object" && said !== null && ("return" in said || "error" in said);
}
