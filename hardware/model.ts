/**
 * A bench as the rest of Adrift sees it: everything that its `bench.yaml` leaves out filled in, every name resolved.
 *
 * The cables make a graph. Its nodes are the boards, the brokers' own machines, the switches and the controller; only
 * switches pass on what is not for them, so a board with two cables joins nothing.
 */

/** The name of something on the bench: `[a-z][a-z0-9-]*`, unique among boards, brokers and switches. */
export type NodeName = string;

/** The node that stands for the controller's laptop, on which clients run too. No board, broker or switch has this name. */
export const controllerNode: NodeName = "controller";

/** Everything on the table. */
export type Bench = {
  readonly name: string;
  /** The cluster's name in MQTT topics (`adrift/<cluster>/...`). */
  readonly cluster: string;
  readonly timing: Timing;
  readonly boards: readonly Board[];
  readonly brokers: readonly Broker[];
  readonly switches: readonly Switch[];
  readonly cables: readonly Cable[];
  /** Every cutter that is declared or that a cable names. */
  readonly cutters: readonly Cutter[];
  readonly controller: Controller;
};

/** Raft's timers. An election timeout is drawn anew each time, from `electionMinMs` up to `electionMaxMs`. */
export type Timing = {
  readonly heartbeatMs: number;
  readonly electionMinMs: number;
  readonly electionMaxMs: number;
};

/** A machine that runs one Raft node. */
export type Board = {
  readonly name: NodeName;
  /** The broker on which it listens: whoever reaches this broker reaches the board, as long as the board does. */
  readonly inbox: NodeName;
};

/** An MQTT broker. */
export type Broker = {
  readonly name: NodeName;
  /** Where it runs: on the board of this name or, if this is its own name, on a machine of its own. */
  readonly node: NodeName;
};

export type Switch = {
  readonly name: NodeName;
  /** The labels of its ports, as its front or its `ifName` says: those that are declared, or those that cables use. */
  readonly ports: readonly string[];
};

/** Where a cable can be plugged in. */
export type Port = {
  readonly node: NodeName;
  /** The port's label: of a switch as in its `ports`; of a board or a broker's machine its interface, mostly `eth0`. */
  readonly port: string;
};

/** A link between two ports. It is whole or cut, in both directions at once. */
export type Cable = {
  readonly name: string;
  readonly ends: readonly [Port, Port];
  readonly cutter: CableCutter;
  readonly speedMbps: number;
};

/** Which cutter opens a cable, and by which of its channels (a relay, a pin, a line) if it has several. */
export type CableCutter = { readonly name: string; readonly channel: string | null };

/** What can open cables. */
export type Cutter = { readonly name: string } & CutterSettings;

/** How a cutter works, and what its driver must know. */
export type CutterSettings =
  /** Relays on a board that speaks Firmata; a cable's channel is the pin. */
  | { readonly driver: "relay"; readonly serialPort: string }
  /** A USB relay board of the LCUS kind; a cable's channel is the relay's number. */
  | { readonly driver: "usb-relay"; readonly serialPort: string }
  /** A managed switch that closes its own ports, over SNMP. The password stands in a file of its own, not here. */
  | {
      readonly driver: "switch";
      readonly switch: NodeName;
      readonly address: string;
      readonly user: string;
      readonly passwordFile: string;
    }
  /** Lines of a GPIO chip; a cable's channel is the line's number. */
  | { readonly driver: "gpio"; readonly chip: string }
  /** Drop rules on this machine. */
  | { readonly driver: "firewall" }
  /** The broker turns away who is behind the cable. */
  | { readonly driver: "broker" }
  /** A person is asked to pull the cable. */
  | { readonly driver: "hand" }
  /** The simulator's own. */
  | { readonly driver: "virtual" };

export type CutterDriver = CutterSettings["driver"];

/** The laptop that runs experiments and their clients. Its own links stay whole: no cutter opens them. */
export type Controller = {
  /** The switches into which it is plugged. */
  readonly switches: readonly NodeName[];
};
