/** Leases: what this process has cut, written into the ledger before, renewed while it lives, and removed once it is whole. */

import { thisProcess } from "../../device/board/disk/process-identity.ts";
import { CutterFailure } from "./cutter.ts";
import { persist, within, wordsOf } from "./lease-bounds.ts";
import { type Ledger, type LedgerEntry, renewEntry } from "./ledger.ts";

/** Something that can be cut and healed: a cable, a pair of boards, the power of a board. */
export type Circuit = {
  /** Tells it from others. */
  readonly key: string;
  /** For people: `the cable pi-3`. */
  readonly words: string;
  /** What the ledger says of it; `null` if its cuts end with the bench itself. */
  readonly entry: Omit<LedgerEntry, "owner" | "leaseMs"> | null;
  /** Whether the device has to hear of each renewal, because it heals by itself. */
  readonly isRenewed: boolean;
  /** How long the device may take for an answer. */
  readonly answerMsMax: number;
  cut(leaseMs: number): Promise<void>;
  heal(): Promise<void>;
  /** What a person has to do if nothing else helps. */
  readonly byHand: string;
};

/** A circuit that is cut, or may be. `untilMs` by the wall clock: until then it stays so if nobody renews it any more. */
export type Held = { readonly circuit: Circuit; readonly path: string | null; untilMs: number };

/** For how long it is tried to heal something while the run goes on, and at its end. */
export type HealPatience = { readonly meanwhileMs: number; readonly atEndMs: number };

const usualPatience: HealPatience = { meanwhileMs: 3_000, atEndMs: 10_000 };

/** See the head of this file. */
export class LeaseKeeper {
  readonly #ledger: Ledger;
  readonly #leaseMs: number;
  readonly #tell: (sentence: string) => void;
  readonly #patience: HealPatience;
  readonly #held = new Map<string, Held>();
  readonly #turns = new Map<string, Promise<unknown>>();
  readonly #timer: NodeJS.Timeout;

  constructor(ledger: Ledger, leaseMs: number, tell: (sentence: string) => void, patience = usualPatience) {
    this.#ledger = ledger;
    this.#leaseMs = leaseMs;
    this.#tell = tell;
    this.#patience = patience;
    this.#timer = setInterval(() => this.#renewAll(), leaseMs / 3);
  }

  /** What is cut, or may be. */
  get held(): readonly Held[] {
    return [...this.#held.values()];
  }

  /** Cuts a circuit; what is cut already is cut anew in the way that is asked for now. @throws {CutterFailure} */
  cut(circuit: Circuit): Promise<void> {
    return this.#inTurn(circuit.key, async () => {
      const before = this.#held.get(circuit.key)?.path ?? null;
      const path = await this.#writeDown(circuit);
      // From here on the device may be cut, whatever it says, until it says that it is whole.
      this.#held.set(circuit.key, { circuit, path, untilMs: Date.now() + this.#leaseMs });
      if (before !== null) await this.#ledger.remove(before);
      try {
        await within(circuit.cut(this.#leaseMs), circuit.answerMsMax, circuit.words);
      } catch (error) {
        await this.#heal(circuit, 0).catch((second) => this.#tell(`${circuit.words}: ${wordsOf(second)}`));
        throw error;
      }
    });
  }

  /** Heals a circuit; what is whole stays so. @throws {CutterFailure} if the device does not say that it is whole now. */
  heal(circuit: Circuit): Promise<void> {
    return this.#inTurn(circuit.key, () => this.#heal(circuit, this.#patience.meanwhileMs));
  }

  /** Heals everything; resolves with what is still cut, and what to do about it. */
  async close(): Promise<readonly string[]> {
    clearInterval(this.#timer);
    const leftovers = await Promise.all(
      this.held.map(async ({ circuit }) => {
        try {
          await this.#inTurn(circuit.key, () => this.#heal(circuit, this.#patience.atEndMs));
          return [];
        } catch (error) {
          return [`${circuit.words} is still cut: ${wordsOf(error)} ${circuit.byHand}`];
        }
      }),
    );
    return leftovers.flat();
  }

  async #writeDown({ entry }: Circuit): Promise<string | null> {
    return entry === null ? null : this.#ledger.add({ ...entry, owner: await thisProcess(), leaseMs: this.#leaseMs });
  }

  async #heal(circuit: Circuit, forMs: number): Promise<void> {
    await persist(() => within(circuit.heal(), circuit.answerMsMax, circuit.words), forMs);
    const path = this.#held.get(circuit.key)?.path ?? null;
    this.#held.delete(circuit.key);
    if (path !== null) await this.#ledger.remove(path);
  }

  #renewAll(): void {
    for (const held of this.#held.values()) {
      void this.#inTurn(held.circuit.key, () => this.#renew(held));
    }
  }

  async #renew(held: Held): Promise<void> {
    const { circuit, path } = held;
    if (this.#held.get(circuit.key) !== held) return;
    try {
      if (path !== null) await renewEntry(path);
    } catch (error) {
      this.#tell(`${circuit.words} is healed, because its lease cannot be renewed: ${wordsOf(error)}`);
      await this.#heal(circuit, this.#patience.meanwhileMs).catch((second) => this.#tell(wordsOf(second)));
      return;
    }
    held.untilMs = Date.now() + this.#leaseMs;
    if (!circuit.isRenewed) return;
    try {
      await within(circuit.cut(this.#leaseMs), circuit.answerMsMax, circuit.words);
    } catch (error) {
      this.#tell(`The lease of ${circuit.words} was not renewed, so it may heal by itself: ${wordsOf(error)}`);
    }
  }

  /** One thing after the other is done to a circuit. */
  #inTurn<Value>(key: string, act: () => Promise<Value>): Promise<Value> {
    const turn = (this.#turns.get(key) ?? Promise.resolve()).then(act);
    this.#turns.set(
      key,
      turn.catch(() => undefined),
    );
    return turn;
  }
}

/** A failure for whatever was thrown. */
export function asFailure(error: unknown): CutterFailure {
  return error instanceof CutterFailure ? error : new CutterFailure(wordsOf(error));
}
