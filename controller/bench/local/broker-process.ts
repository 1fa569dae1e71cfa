/** A broker with a machine of its own, as a process. It comes back at the same ports. */

import type { BrokerOrder } from "../../../device/board/broker-orders.ts";
import { type ProcessSettings, type ProcessState, SupervisedProcess } from "./supervised-process.ts";

/** What a broker is made of. Its ports are fixed: those who know it find it there again. */
export type BrokerProcessSettings = Omit<ProcessSettings, "greeting" | "hear" | "hasChannel"> & {
  readonly name: string;
  readonly broker: BrokerOrder["settings"];
};

/** See the head of this file. */
export class BrokerProcess {
  readonly name: string;
  readonly #process: SupervisedProcess;

  constructor(settings: BrokerProcessSettings) {
    this.name = settings.name;
    const order: BrokerOrder = { type: "start", settings: settings.broker };
    this.#process = new SupervisedProcess({
      ...settings,
      hasChannel: true,
      greeting: () => [order],
      hear: () => undefined,
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
}
