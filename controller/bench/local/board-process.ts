/** A board of the local bench: its process, its power, and what it was ordered to do to itself. */

import type { Order } from "../../../device/board/orders.ts";
import type { DiskCondition } from "../../experiment/bench-action.ts";
import { type ProcessSettings, type ProcessState, SupervisedProcess } from "./supervised-process.ts";

/** How long an order may take until nobody waits for its end any more: a board that is paused does not answer. */
const orderTimeoutMs = 2_000;

/** What a board is made of. */
export type BoardSettings = Omit<ProcessSettings, "greeting" | "hear" | "hasChannel"> & {
  readonly name: string;
  /** Its `board.yaml`. */
  readonly configuration: string;
};

/** See the head of this file. */
export class BoardProcess {
  readonly name: string;
  readonly #process: SupervisedProcess;
  /** What an order made of it lasts through its restarts, as it would on a table: a bad card stays bad. */
  #disk: DiskCondition = { kind: "healthy" };
  #driftPpm = 0;
  #brokerIsStopped = false;
  #waiting: { readonly type: Order["type"]; done(): void }[] = [];

  constructor(settings: BoardSettings) {
    this.name = settings.name;
    this.#process = new SupervisedProcess({
      ...settings,
      command: [...settings.command, "--config", settings.configuration, "--orders"],
      hasChannel: true,
      greeting: () => this.#lastingOrders(),
      hear: (report) => this.#hear(report),
    });
  }

  get state(): ProcessState {
    return this.#process.state;
  }

  get pid(): number | null {
    return this.#process.pid;
  }

  start(): Promise<boolean> {
    return this.#process.start();
  }

  kill(): Promise<void> {
    return this.#process.kill();
  }

  terminate(withinMs: number): Promise<void> {
    return this.#process.terminate(withinMs);
  }

  pause(): void {
    this.#process.pause();
  }

  resume(): void {
    this.#process.resume();
  }

  /** Orders something; resolves when it is done, or when nobody can tell. What lasts is ordered anew at each start. */
  async order(order: Order): Promise<void> {
    switch (order.type) {
      case "setDisk":
        this.#disk = order.condition;
        break;
      case "setClockDrift":
        this.#driftPpm = order.driftPpm;
        break;
      case "stopBroker":
      case "startBroker":
        this.#brokerIsStopped = order.type === "stopBroker";
        break;
      case "jumpClock":
        break;
      default:
        order satisfies never;
    }
    if (this.state === "starting" || this.state === "running") await this.#carriedOut(order);
    else this.#process.send(order);
  }

  #carriedOut(order: Order): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, orderTimeoutMs);
      const done = () => {
        clearTimeout(timer);
        resolve();
      };
      this.#waiting.push({ type: order.type, done });
      this.#process.send(order);
    });
  }

  #lastingOrders(): readonly Order[] {
    const orders: Order[] = [];
    if (this.#disk.kind !== "healthy") orders.push({ type: "setDisk", condition: this.#disk });
    if (this.#driftPpm !== 0) orders.push({ type: "setClockDrift", driftPpm: this.#driftPpm });
    if (this.#brokerIsStopped) orders.push({ type: "stopBroker" });
    return orders;
  }

  #hear(report: unknown): void {
    if (typeof report !== "object" || report === null || !("order" in report)) return;
    const first = this.#waiting.findIndex(({ type }) => type === report.order);
    for (const { done } of first === -1 ? [] : this.#waiting.splice(first, 1)) done();
  }
}
