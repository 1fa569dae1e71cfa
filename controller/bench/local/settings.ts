/** What a local bench is made of, and what it tells. */

import type { BoardConfiguration } from "../../../device/board/configuration.ts";
import type { Bench } from "../../../hardware/bench.ts";
import type { CutDirection } from "../../../sim/network-types.ts";
import type { ProcessChange, ProcessState } from "./supervised-process.ts";

/** What machines are told that are processes of this computer, whatever joins them. */
export type MachineSettings = {
  readonly bench: Bench;
  readonly raft?: BoardConfiguration["raft"];
  /** A board whose log is damaged joins anew by itself; otherwise it waits for a person. */
  readonly rejoinAfterDamage?: boolean;
  /** The folder of keys: TLS, and everybody held to their name; `null`: neither, and this machine alone. */
  readonly keys?: string | null;
  readonly logLevel?: BoardConfiguration["logLevel"];
};

/** What a local bench is made of. */
export type LocalBenchSettings = MachineSettings & {
  /** Where the boards' data and logs are kept; `null`: in a new folder, which is removed at the end. */
  readonly folder: string | null;
  /** Whether there are cables that can be cut. Without them everybody is joined to the brokers directly. */
  readonly forwarders: boolean;
  /** From which port on the controller finds the brokers, each at the next that is free; `null`: anywhere. */
  readonly firstPort?: number | null;
  /** Whether brokers also take MQTT over WebSocket. */
  readonly webSocket?: boolean;
  /** Microseconds of a clock that never jumps; the time of the bench's events. Default: this process's own. */
  readonly nowUs?: () => number;
  readonly tell?: (event: LocalBenchEvent) => void;
};

/** Something that happened to the bench. */
export type LocalBenchEvent =
  | ({ readonly atUs: number } & (
      | {
          readonly kind: "cut";
          readonly cable: string;
          readonly direction: CutDirection;
          /** For how long; `null`: until somebody heals it. */
          readonly leaseMs: number | null;
        }
      | { readonly kind: "healed"; readonly cable: string; readonly because: "asked" | "leaseRanOut" }
    ))
  | MachineEvent;

/** Something that happened to a machine. */
export type MachineEvent = {
  readonly atUs: number;
} /** A board starts with an empty card after the cluster was founded; `isFounder`: it had another one once. */ & (
  | { readonly kind: "joinsAnew"; readonly board: string; readonly isFounder: boolean }
  | {
      readonly kind: "process";
      readonly what: "board" | "broker";
      readonly name: string;
      readonly change: ProcessChange;
    }
);

/** Where a broker is reached from the controller. */
export type BrokerAddress = {
  readonly name: string;
  /** `mqtt://127.0.0.1:port`, or `mqtts://` with keys. */
  readonly url: string;
  /** `ws://` or `wss://`; `null`: it takes no WebSockets. */
  readonly webSocketUrl: string | null;
};

/** The bench as it is now. */
export type LocalBenchState = {
  /** The cables that are cut. `remainingMs`: until they heal by themselves; `null`: they do not. */
  readonly cuts: readonly {
    readonly cable: string;
    readonly direction: CutDirection;
    readonly remainingMs: number | null;
  }[];
  /** `hasPower` is `false` after a power cut. */
  readonly boards: readonly (MachineState & { readonly hasPower: boolean })[];
  /** Those with a machine of their own. */
  readonly brokers: readonly MachineState[];
};

/** The process of a board or a broker as it is now. */
export type MachineState = { readonly name: string; readonly state: ProcessState; readonly pid: number | null };
