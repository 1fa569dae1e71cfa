/**
 * The driver `hand`: a person is asked to pull a cable or to plug it in, and the run goes on when others have seen it (the
 * board's carrier, silence at the broker) or the person says that it is done.
 */

import type { Cable, Cutter, Port } from "../../hardware/bench.ts";
import type { CutDirection } from "../../sim/network-types.ts";
import { type CircuitState, CutterFailure, type CutterIdentity, type OpenCutter } from "./cutter.ts";
import type { CutterSurroundings } from "./surroundings.ts";

/** How long a person may take. */
export const personMsMax = 120_000;

const lookEveryMs = 50;

/** Opens it: that is a person. */
export function openHandCutter(
  cutter: Extract<Cutter, { readonly driver: "hand" }>,
  surroundings: CutterSurroundings,
): Promise<OpenCutter> {
  return Promise.resolve(new HandCutter(cutter.name, surroundings));
}

class HandCutter implements OpenCutter {
  readonly healsByItself = false;
  readonly cutsOneWay = false;
  readonly name: string;
  readonly #surroundings: CutterSurroundings;
  /** What the person was last asked for and did. */
  readonly #done = new Map<string, "whole" | "both">();
  readonly #closed = new AbortController();
  #turn: Promise<unknown> = Promise.resolve();

  constructor(name: string, surroundings: CutterSurroundings) {
    this.name = name;
    this.#surroundings = surroundings;
  }

  async cut(cable: Cable, direction: CutDirection): Promise<void> {
    this.#refuseForeign(cable);
    if (direction !== "both") {
      throw new CutterFailure(`${this.name}: a hand pulls both directions of ${cable.name} at once.`);
    }
    await this.#inTurn(() => this.#have(cable, "both", `Pull the cable ${places(cable)}`));
  }

  async heal(cable: Cable): Promise<void> {
    this.#refuseForeign(cable);
    await this.#inTurn(() => this.#have(cable, "whole", `Plug the cable ${places(cable)} in again`));
  }

  read(cable: Cable): Promise<CircuitState> {
    return Promise.resolve().then(() => this.#stateOf(cable));
  }

  identify(): Promise<CutterIdentity> {
    return Promise.resolve().then(() => {
      this.#refuseClosed();
      return {
        device: "a person",
        remarks: ["It takes seconds, not milliseconds.", "What is pulled stays pulled until somebody plugs it in."],
      };
    });
  }

  close(): Promise<void> {
    this.#closed.abort();
    return Promise.resolve();
  }

  /** What others see goes before what the person said. */
  #stateOf(cable: Cable): CircuitState {
    this.#refuseForeign(cable);
    const state = this.#surroundings.circuitSeen(cable) ?? this.#done.get(cable.name);
    if (state !== undefined) return state;
    throw new CutterFailure(`Nobody can tell whether the cable ${places(cable)} is plugged in: have a look at it.`);
  }

  /** One question after the other: a person has two hands. */
  #inTurn(act: () => Promise<void>): Promise<void> {
    const turn = this.#turn.then(act);
    this.#turn = turn.catch(() => undefined);
    return turn;
  }

  async #have(cable: Cable, state: "whole" | "both", request: string): Promise<void> {
    this.#refuseClosed();
    const isSo = (): boolean => this.#surroundings.circuitSeen(cable) === state;
    // What nobody sees is as the person said last; of a cable that was never asked for, it is whole.
    const isSaid = this.#surroundings.circuitSeen(cable) === null && (this.#done.get(cable.name) ?? "whole") === state;
    if (!isSo() && !isSaid) await this.#ask(`${request}, then press Enter.`, request, isSo);
    this.#done.set(cable.name, state);
  }

  async #ask(question: string, request: string, isSo: () => boolean): Promise<void> {
    const seen = new AbortController();
    const looking = setInterval(() => {
      if (isSo()) seen.abort();
    }, lookEveryMs);
    const late = AbortSignal.timeout(personMsMax);
    const signal = AbortSignal.any([seen.signal, late, this.#closed.signal]);
    try {
      const isDone = await this.#surroundings.person.ask(question, signal);
      if (seen.signal.aborted || isSo()) return;
      this.#refuseClosed();
      if (late.aborted) throw new CutterFailure(`${request}: nobody did within ${personMsMax / 1_000} s.`);
      if (!isDone) {
        throw new CutterFailure(
          `${request}: nobody is here to do it. Start Adrift in a terminal, with somebody at the bench.`,
        );
      }
    } finally {
      clearInterval(looking);
    }
  }

  #refuseForeign(cable: Cable): void {
    this.#refuseClosed();
    if (cable.cutter.name === this.name) return;
    throw new CutterFailure(`The cable ${cable.name} is for ${cable.cutter.name} to cut, not for ${this.name}.`);
  }

  #refuseClosed(): void {
    if (this.#closed.signal.aborted) throw new CutterFailure(`${this.name} is closed: nobody is asked any more.`);
  }
}

function places({ name, ends }: Cable): string {
  const place = ({ node, port }: Port): string => `${node}:${port}`;
  return `${name} (${place(ends[0])} to ${place(ends[1])})`;
}
