/** What drivers need of the machine on which the controller runs, so that tests and benches of namespaces can stand in. */

import type { Bench, Cable, NodeName } from "../../hardware/bench.ts";
import type { CircuitState, OpenCutter, PairCutter } from "./cutter.ts";

/** See the head of this file. */
export type CutterSurroundings = {
  readonly bench: Bench;
  /** Where relative paths of the bench's file begin (`passwordFile`). */
  readonly folder: string;
  /** A machine on which commands can be run: a board (`firewall`), the host of a chip (`gpio`), or the controller's own. */
  readonly hostOf: (name: NodeName | { readonly host: string; readonly user: string | null }) => CommandHost;
  /** The person at the table, for the driver `hand`. */
  readonly person: Person;
  /**
   * A cable as others see it at present, by its boards' carrier or by who is silent at the brokers; `null` where nobody can
   * tell. Asked again and again while a person is at a cable, so it only looks up what has been heard.
   */
  readonly circuitSeen: (cable: Cable) => CircuitState | null;
  /** The bench's own cutter for the driver `virtual`; `null` where cables can only be cut for real. */
  readonly virtual: OpenCutter | null;
  /** Opens the brokers' own cutter; `null` where the brokers are not Adrift's. */
  readonly openBrokers: (() => Promise<PairCutter>) | null;
};

/** Runs commands on some machine: this one, one behind SSH, one in a network namespace. */
export type CommandHost = {
  /** For messages: `pi-1 (ssh root@192.168.7.11)`. */
  readonly name: string;
  /** How another process finds the same machine. */
  readonly place: HostPlace;
  /** Runs a command to its end. @throws {CutterFailure} if it cannot be started, or takes longer than `withinMs` */
  run(command: readonly string[], input: string, withinMs: number): Promise<CommandResult>;
  /** Starts a command that holds something as long as it lives, such as `gpioset`. */
  hold(command: readonly string[]): HeldCommand;
};

/** Where a machine is found: it is this one, behind SSH (`user` is `null` for whom SSH takes), or a network namespace. */
export type HostPlace =
  | { readonly kind: "here" }
  | { readonly kind: "ssh"; readonly host: string; readonly user: string | null }
  | { readonly kind: "namespace"; readonly namespace: string };

export type CommandResult = { readonly status: number; readonly out: string; readonly err: string };

/** A command that goes on until it is told to end. */
export type HeldCommand = {
  /** Its end, whoever caused it. */
  readonly ended: Promise<CommandResult>;
  /** Each piece of its standard output as it comes. */
  onOutput(listener: (text: string) => void): void;
  /** Ends it; resolves when it has ended. */
  end(): Promise<void>;
};

/** A person who is asked to do something with a cable, and says when it is done. */
export type Person = {
  /**
   * Asks for it. Resolves with `true` when the person says that it is done; with `false` if nobody is there to ask.
   *
   * @param signal aborted as soon as something else has shown that it was done (carrier, broker)
   */
  ask(question: string, signal: AbortSignal): Promise<boolean>;
};
