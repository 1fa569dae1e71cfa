/** The devices of a bench, each taken once for as long as the doctor looks, so that nobody is disturbed who cuts with them. */

import type { FolderLock } from "../../device/board/disk/folder-lock.ts";
import { takeDevices } from "../cutters/ledger-devices.ts";
import { reasonOf } from "./finding.ts";

/** A run that ends just now may have them; a longer wait would only be a longer look. */
const patienceMs = 200;

/** See the head of this file. */
export class Devices {
  readonly #ledgerFolder: string;
  readonly #taken = new Map<string, Promise<FolderLock>>();

  constructor(ledgerFolder: string) {
    this.#ledgerFolder = ledgerFolder;
  }

  /** Takes these, as far as they are not taken already. Gives why it cannot; `null` if it has them. */
  async take(names: readonly string[]): Promise<string | null> {
    const locks = names.map((name) => {
      const lock = this.#taken.get(name) ?? takeDevices(this.#ledgerFolder, [name], patienceMs);
      this.#taken.set(name, lock);
      return lock;
    });
    try {
      await Promise.all(locks);
      return null;
    } catch (error) {
      return reasonOf(error);
    }
  }

  async release(): Promise<void> {
    const locks = await Promise.allSettled(this.#taken.values());
    this.#taken.clear();
    await Promise.all(locks.map((lock) => (lock.status === "fulfilled" ? lock.value.release() : null)));
  }
}
