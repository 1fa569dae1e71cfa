/** For tests: clients that work without a pause, and the history of what they did. */

import { type ConnectedClient, DefiniteError } from "../../device/mqtt/client.ts";
import type { HistoryEvent } from "../check/history.ts";

/** See the head of this file. */
export class WorkingClients {
  readonly events: HistoryEvent[] = [];
  #isOver = false;
  #processes = 0;
  #values = 0;
  readonly #work: Promise<unknown>;

  constructor(clients: readonly ConnectedClient[]) {
    this.#work = Promise.all(clients.map((client) => this.#workWith(client)));
  }

  /** Ends the work, once what is under way has come to an end. */
  async end(): Promise<readonly HistoryEvent[]> {
    this.#isOver = true;
    await this.#work;
    return this.events;
  }

  async #workWith(client: ConnectedClient): Promise<void> {
    let process = this.#newProcess();
    for (let turn = 0; !this.#isOver; turn += 1) {
      const key = `deploy-${turn % 3}`;
      const isDone = await (turn % 2 === 0 ? this.#write(client, process, key) : this.#read(client, process, key));
      // Of an operation of which nobody knows how it ended, its process is never heard of again.
      if (!isDone) process = this.#newProcess();
    }
  }

  async #write(client: ConnectedClient, process: string, key: string): Promise<boolean> {
    this.#values += 1;
    const value = this.#values;
    return await this.#note({ process, op: "write", key, value }, () => client.write(key, value).then(() => ({})));
  }

  async #read(client: ConnectedClient, process: string, key: string): Promise<boolean> {
    return await this.#note({ process, op: "read", key }, async () => ({ result: await client.read(key) }));
  }

  async #note(
    begun: Pick<HistoryEvent, "process" | "op" | "key" | "value">,
    act: () => Promise<Pick<HistoryEvent, "result">>,
  ): Promise<boolean> {
    this.#add({ ...begun, type: "invoke" });
    try {
      this.#add({ ...begun, type: "ok", ...(await act()) });
      return true;
    } catch (error) {
      const isDefinite = error instanceof DefiniteError;
      this.#add({ ...begun, type: isDefinite ? "fail" : "info" });
      return isDefinite;
    }
  }

  #add(event: Omit<HistoryEvent, "atUs">): void {
    this.events.push({ ...event, atUs: Math.round(performance.now() * 1_000) });
  }

  #newProcess(): string {
    this.#processes += 1;
    return `c${this.#processes}`;
  }
}
