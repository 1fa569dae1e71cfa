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
  /** What can take the power from boards. Without power a board has crashed; no cable is cut by that. */
  readonly powerSources: readonly PowerSource[];
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
  /** Its host name or IP address on the network, for a rack; `null` where a bench makes its boards itself. */
  readonly address: string | null;
  /** What can take its power. */
  readonly power: PowerOutlet | null;
  /** The serial port of the controller to which the board's serial console is wired, such as `/dev/ttyUSB0`. */
  readonly console: string | null;
};

/** An MQTT broker. */
export type Broker = {
  readonly name: NodeName;
  /** Where it runs: on the board of this name or, if this is its own name, on a machine of its own. */
  readonly node: NodeName;
  /** `host` or `host:port` on the network, for a rack; `null` where a bench makes its brokers itself. */
  readonly address: string | null;
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
  /** Relays on a microcontroller that speaks Firmata, or our own firmware; a cable's channel is the pin or the relay. */
  | { readonly driver: "relay"; readonly serialPort: string; readonly firmware: "firmata" | "adrift" }
  /** A USB relay board of the LCUS kind; a cable's channel is the relay's number. */
  | { readonly driver: "usb-relay"; readonly serialPort: string }
  /** A managed switch that closes its own ports. */
  | ({
      readonly driver: "switch";
      readonly switch: NodeName;
      /** Ports that are never closed, whatever is asked for: the uplink, and the one by which the switch is managed. */
      readonly protectedPorts: readonly string[];
    } & SwitchManagement)
  /** Lines of a GPIO chip, named by its label; a cable's channel is the line's number. */
  | {
      readonly driver: "gpio";
      readonly chip: string;
      /** Whether a relay opens its cable while the line is low. */
      readonly activeLow: boolean;
      /** The machine in which the chip is, by SSH; `null` for this one. */
      readonly host: string | null;
    }
  /** Drop rules on the boards themselves, by SSH as this user (`null`: whom SSH takes). One-way cuts too. */
  | { readonly driver: "firewall"; readonly user: string | null }
  /** The embedded brokers withhold what boards say to each other: partitions that no cable can make. */
  | { readonly driver: "broker" }
  /** A person is asked to pull the cable. */
  | { readonly driver: "hand" }
  /** The bench's own: the simulator's, the forwarders of local processes, the network card of a virtual machine. */
  | { readonly driver: "virtual" };

/** How a managed switch is spoken to. The password stands in a file of its own, which so stays out of kept runs. */
export type SwitchManagement = {
  readonly protocol: "snmp-v3" | "snmp-v2c" | "mikrotik";
  /** `host` or `host:port`. */
  readonly address: string;
  /** `null` for SNMP v2c, which has no users. */
  readonly user: string | null;
  /**
   * A file with the password; for SNMP v2c with the community. For SNMP v3 a second line may hold another pass-phrase for
   * privacy. A relative path starts at the folder of the bench's file.
   */
  readonly passwordFile: string;
};

/** Which source, and which of its outlets. */
export type PowerOutlet = { readonly name: string; readonly channel: string };

/** What can take the power from boards. */
export type PowerSource = { readonly name: string } & PowerSettings;

/** How a power source is spoken to. */
export type PowerSettings =
  /** Power over Ethernet by the switch (RFC 3621); an outlet is a port's number, or `group.port`. */
  | ({ readonly driver: "poe" } & SwitchManagement)
  /** A USB hub that switches its ports, by uhubctl; an outlet is the port's number. */
  | { readonly driver: "usb-hub"; readonly location: string };

export type CutterDriver = CutterSettings["driver"];

/** The laptop that runs experiments and their clients. Its own links stay whole: no cutter opens them. */
export type Controller = {
  /** The switches into which it is plugged. */
  readonly switches: readonly NodeName[];
};
