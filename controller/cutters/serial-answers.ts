/** Waiting for a device that may take too long, or be gone. */

import type { SerialConnection } from "./serial-connection.ts";

export class SerialAnswers {
  readonly #connection: SerialConnection;
  readonly #giveUp = new Set<() => void>();

  constructor(connection: SerialConnection) {
    this.#connection = connection;
    void connection.ended.then(() => {
      for (const giveUp of this.#giveUp) giveUp();
    });
  }

  /** What the device hands over; `null` if it has not after so long, or if its connection ends before. */
  async wait<Answer>(msMax: number, ask: (take: (answer: Answer) => void) => void): Promise<Answer | null> {
    if (!this.#connection.isOpen) return null;
    let giveUp = (): void => {};
    let timer: NodeJS.Timeout | undefined;
    try {
      return await new Promise<Answer | null>((resolve) => {
        giveUp = () => resolve(null);
        this.#giveUp.add(giveUp);
        timer = setTimeout(giveUp, msMax);
        ask(resolve);
      });
    } finally {
      clearTimeout(timer);
      this.#giveUp.delete(giveUp);
    }
  }
}
