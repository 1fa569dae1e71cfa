/**
 * A root's shell inside a virtual machine, on a console of its own that no cut cable takes away: systemd's debug shell,
 * which a board has only where the bench asks for it on the kernel's command line.
 */

import { randomBytes } from "node:crypto";
import { connect, type Socket } from "node:net";
import { BenchFailure } from "../bench.ts";

/** How a command ended, and what it wrote to its standard output and error. */
export type ShellResult = { readonly status: number; readonly out: string };

/** See the head of this file. */
export class GuestShell {
  readonly #path: string;
  readonly #name: string;
  /** One command after the other: there is one console. */
  #last: Promise<unknown> = Promise.resolve();

  /** @param path the socket that QEMU keeps at the console's other end */
  constructor(name: string, path: string) {
    this.#name = name;
    this.#path = path;
  }

  /** Runs a line of shell. @throws {BenchFailure} if the machine does not answer in time */
  run(line: string, withinMs: number): Promise<ShellResult> {
    const result = this.#last.then(() => this.#run(line, withinMs));
    this.#last = result.catch(() => undefined);
    return result;
  }

  async #run(line: string, withinMs: number): Promise<ShellResult> {
    const mark = randomBytes(6).toString("hex");
    const socket = connect(this.#path);
    socket.setEncoding("utf8");
    try {
      // The console echoes what is typed: the marks are put together only by the shell.
      const typed = `echo "<${mark}""<"; { ${line}\n} 2>&1; echo ">${mark}"">$?."`;
      const said = await exchange(socket, `\n${typed}\n`, new RegExp(`>${mark}>(\\d+)\\.`), withinMs);
      const from = said.lastIndexOf(`<${mark}<`);
      const [end = "", status = "1"] = new RegExp(`>${mark}>(\\d+)\\.`).exec(said) ?? [];
      const out = said.slice(from + mark.length + 2, said.indexOf(end, from));
      return { status: Number(status), out: out.replaceAll("\r", "").trim() };
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      throw new BenchFailure(`${this.#name} does not answer on its console: ${why}.`);
    } finally {
      socket.destroy();
    }
  }
}

/** Says something until an answer comes: before the shell is there, nobody hears it. */
function exchange(socket: Socket, typed: string, answer: RegExp, withinMs: number): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = "";
    const timer = setTimeout(() => reject(new Error(`nothing within ${withinMs} ms`)), withinMs);
    const end = (settle: () => void): void => {
      clearTimeout(timer);
      settle();
    };
    socket.on("data", (text: string) => {
      said += text;
      if (answer.test(said)) end(() => resolve(said));
    });
    socket.once("error", (error) => end(() => reject(error)));
    socket.once("close", () => end(() => reject(new Error("the machine is off"))));
    socket.write(typed);
  });
}
