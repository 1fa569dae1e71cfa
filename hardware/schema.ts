/** The shape of `bench.yaml`. What is left out, `resolve.ts` fills in; the descriptions reach editors by JSON Schema. */

import { z } from "zod";

const aName = "a name (small letters, digits and dashes, a letter first, at most 32 characters)";
const name = z.string({ error: aName }).regex(/^[a-z][a-z0-9-]{0,31}$/, { error: aName });

/** A whole number between two bounds; `unit` as in "of milliseconds" for the messages. */
function count(min: number, max: number, unit: string) {
  const error = `a whole number ${unit}, ${min} to ${max}`;
  return z.int({ error }).min(min, { error }).max(max, { error });
}

const label = z.union([count(1, 1024, "of a port"), z.string().regex(/^[A-Za-z0-9][A-Za-z0-9/._-]{0,31}$/)], {
  error: "a port's number or its label, as in ge-0/0/1",
});

const aPlug = 'a port, such as pi-1, pi-1:eth1 or switch:3 (the machine, ":", the label of the port)';
const plug = z
  .string({ error: aPlug })
  .regex(/^[a-z][a-z0-9-]{0,31}(:[A-Za-z0-9][A-Za-z0-9/._-]{0,31})?$/, { error: aPlug });

const aCutter = 'a cutter, such as virtual, hand or relays:2 (the cutter, ":", its channel)';
const cableCutter = z.string({ error: aCutter }).regex(/^[a-z][a-z0-9-]{0,31}(:[0-9]{1,4})?$/, { error: aCutter });

const anOutlet = 'an outlet, such as poe:3 (the power source, ":", its outlet)';
const powerOutlet = z
  .string({ error: anOutlet })
  .regex(/^[a-z][a-z0-9-]{0,31}:[A-Za-z0-9][A-Za-z0-9/._-]{0,31}$/, { error: anOutlet });

const milliseconds = count(1, 600_000, "of milliseconds");
const shortText = z.string().min(1).max(256);

const anAddress = "a host name or an IP address, as in 192.168.7.11 or pi-1.local";
const hostAddress = z
  .string({ error: anAddress })
  .max(253)
  .regex(/^[A-Za-z0-9:]([A-Za-z0-9.:_-]*[A-Za-z0-9])?$/, { error: anAddress });
const aService = "a host name or an IP address, with a port if it is not the usual one, as in 192.168.7.2:1883";
const service = z
  .string({ error: aService })
  .max(260)
  .regex(/^(\[[0-9A-Fa-f:]+\]|[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?)(:[0-9]{1,5})?$/, { error: aService });

const timing = z
  .union(
    [
      z.enum(["lan", "sd-card"]),
      z.strictObject({
        heartbeatMs: milliseconds.describe("How often a leader says that it leads"),
        electionMinMs: milliseconds.describe("The shortest wait before an election; more than twice the heartbeat"),
        electionMaxMs: milliseconds.describe("The longest wait before an election; more than the shortest"),
      }),
    ],
    { error: "lan, sd-card, or a mapping with heartbeatMs, electionMinMs and electionMaxMs" },
  )
  .describe("Raft's timers: lan (heartbeat 50 ms, election 300-600 ms), sd-card (150 ms, 1000-2000 ms) or numbers");

const aMachine = "a name, or a mapping with a name";
const board = z.union(
  [
    name,
    z.strictObject({
      name,
      inbox: name
        .optional()
        .describe("The broker on which it listens; by default the one on this board, or the only one"),
      switch: name.optional().describe("Where a cable of its own leads, if no cable of `cables` is plugged in here"),
      address: hostAddress.optional().describe("Its host name or IP address, for a rack"),
      power: powerOutlet.optional().describe("The outlet that feeds it, such as poe:3"),
      console: shortText.optional().describe("The controller's serial port at the board's console, as in /dev/ttyUSB0"),
    }),
  ],
  { error: aMachine },
);

const broker = z.union(
  [
    name,
    z.strictObject({
      name,
      board: name.optional().describe("The board on which it runs; by default it has a machine of its own"),
      switch: name
        .optional()
        .describe("Where a cable of its machine leads, if no cable of `cables` is plugged in there"),
      address: service.optional().describe("Its host name or IP address, with a port if need be, for a rack"),
    }),
  ],
  { error: aMachine },
);

const switchEntry = z.union(
  [
    name,
    z.strictObject({
      name,
      ports: z
        .union([count(1, 1024, "of ports"), z.array(label).min(1).max(1024)], {
          error: "a whole number of ports, 1 to 1024, or a list of their labels",
        })
        .optional()
        .describe("How many ports it has, or their labels; by default those that cables use"),
    }),
  ],
  { error: aMachine },
);

const cable = z.strictObject({
  name: name.describe("What faults call it"),
  ends: z
    .array(plug)
    .length(2, { error: "a list of two ports, such as [pi-1, switch:1]" })
    .describe("The two ports that it joins"),
  cutter: cableCutter.optional().describe("What opens it; by default the bench's `cutter`"),
  speedMbps: z
    .literal([10, 100, 1000, 2500])
    .optional()
    .describe("What both ends agree on; 100 by default, since a cutter opens two of the four pairs"),
});

const management = {
  protocol: z
    .enum(["snmp-v3", "snmp-v2c", "mikrotik"])
    .default("snmp-v3")
    .describe("How the switch is spoken to; mikrotik is the REST interface of RouterOS"),
  address: service.describe("Where the switch answers"),
  user: shortText.nullable().default(null).describe("Who may manage it; SNMP v2c has no users"),
  passwordFile: shortText.describe("A file that holds the password or the community, which so stays out of kept runs"),
};

const cutter = z.discriminatedUnion("driver", [
  z.strictObject({
    name,
    driver: z.literal("relay"),
    serialPort: shortText,
    firmware: z.enum(["firmata", "adrift"]).default("firmata").describe("What runs on the microcontroller"),
  }),
  z.strictObject({ name, driver: z.literal("usb-relay"), serialPort: shortText }),
  z.strictObject({
    name,
    driver: z.literal("switch"),
    switch: name.describe("The switch whose ports it closes"),
    ...management,
    protectedPorts: z
      .array(label.transform(String))
      .max(1024)
      .default([])
      .describe("Ports that are never closed: the uplink, and the one by which the switch is managed"),
  }),
  z.strictObject({
    name,
    driver: z.literal("gpio"),
    chip: shortText.describe("The chip's label, as in pinctrl-rp1"),
    activeLow: z.boolean().default(false).describe("Whether a low line opens the cable"),
    host: hostAddress.nullable().default(null).describe("The machine with the chip, by SSH; by default this one"),
  }),
  z.strictObject({
    name,
    driver: z.literal("firewall"),
    user: shortText.nullable().default(null).describe("As whom SSH enters the boards"),
  }),
  z.strictObject({ name, driver: z.literal("broker") }),
  z.strictObject({ name, driver: z.literal("hand") }),
  z.strictObject({ name, driver: z.literal("virtual") }),
]);

const powerSource = z.discriminatedUnion("driver", [
  z.strictObject({ name, driver: z.literal("poe"), ...management }),
  z.strictObject({ name, driver: z.literal("usb-hub"), location: shortText.describe("The hub, as uhubctl names it") }),
]);

/** `bench.yaml` as it is written. */
export const benchFile = z
  .strictObject({
    name: name.optional().describe("What the bench is called; by default the name of the file"),
    cluster: name.optional().describe("The cluster's name in MQTT topics; by default the name of the bench"),
    timing: timing.optional(),
    boards: z
      .union([count(1, 32, "of boards"), z.array(board).min(1).max(32)], {
        error: "a whole number of boards, 1 to 32, or a list of boards",
      })
      .describe("The boards, or how many (they are then called pi-1, pi-2, ...)"),
    brokers: z.array(broker).min(1).max(32).optional().describe("The MQTT brokers; by default one, called broker"),
    switches: z.array(switchEntry).min(1).max(32).optional().describe("The switches; by default one, called switch"),
    cables: z
      .array(cable)
      .max(256)
      .optional()
      .describe("Cables; a board or broker that has none gets one to its switch, with its own name"),
    cutters: z
      .array(cutter)
      .max(256)
      .optional()
      .describe("What opens cables, apart from hand, virtual, firewall, broker"),
    powerSources: z.array(powerSource).max(256).optional().describe("What can take the power from boards"),
    cutter: cableCutter.optional().describe("What opens the cables that name no cutter; virtual by default"),
    controller: z
      .array(name)
      .min(1)
      .max(32)
      .optional()
      .describe("The switches into which the controller's laptop is plugged; by default all of them"),
  })
  .meta({
    title: "An Adrift bench",
    description: "What stands on the table: boards, brokers, switches, cables, cutters",
  });

/** What `benchFile` lets through. */
export type BenchFile = z.output<typeof benchFile>;

/** The same shape for editors: the text of `bench.schema.json`. */
export function benchJsonSchema(): string {
  return `${JSON.stringify(z.toJSONSchema(benchFile, { io: "input" }), null, 2)}\n`;
}
