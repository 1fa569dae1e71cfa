/** The shape of `board.yaml`. Each place says what may stand there; what is left out has its usual value here. */

import * as z from "zod/mini";
import { namePattern } from "../transport/topics.ts";

const mqttUrlPattern = /^mqtts?:\/\/(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::\d+)?$/;

const name = text("a name (small letters, digits and dashes, a letter first, at most 32 characters)", namePattern);
const host = text("a host name or an address", /^[A-Za-z0-9.:_-]{1,253}$/);
const path = text("the path of a file or folder", /^[^\0]{1,4096}$/);
const networkInterface = text("the name of a network interface, such as eth0", /^(?!\.{1,2}$)[^\s/\0]{1,15}$/);
const led = text("the name of an LED in /sys/class/leds, such as ACT", /^(?!\.{1,2}$)[^\s/\0]{1,63}$/);
const serialLine = text("the path of a serial line, such as /dev/serial0", /^\/dev\/[^\0]{1,250}$/);
const milliseconds = count(1, 600_000, "of milliseconds");
const port = count(0, 65_535, "(a port; 0 takes a free one)");

/** Where a broker is reached. */
export const brokerUrl = text("mqtt://host:port, or mqtts://host:port with keys", mqttUrlPattern).check(
  z.refine((url) => URL.canParse(url), { error: "must be a URL with a port up to 65535" }),
);

/** The folder in which a board keeps what it must not forget. */
export const dataFolder = path;

/** Where metrics are served. */
export const metricsPort = port;

/** How much is logged. */
export const logLevel = word(["trace", "debug", "info", "warn", "error", "silent"]);

/** `board.yaml` as it is written. */
export const boardFile = mapping({
  board: name,
  cluster: z._default(name, "adrift"),
  data: z._default(dataFolder, "/var/lib/adrift"),
  boards: list(mapping({ name, inbox: name }), 1, "boards, each with name and inbox"),
  founders: z.optional(list(name, 1, "names of boards")),
  brokers: list(mapping({ name, url: brokerUrl }), 1, "brokers, each with name and url"),
  serves: orNull(mapping({ broker: name, host, port, webSocketPort: orNull(port) })),
  timing: z._default(mapping({ heartbeatMs: milliseconds, electionMinMs: milliseconds, electionMaxMs: milliseconds }), {
    heartbeatMs: 50,
    electionMinMs: 300,
    electionMaxMs: 600,
  }),
  raft: z._default(
    mapping({
      leaseReads: z._default(flag(), false),
      clockDriftPpmMax: orNull(count(0, 999_999, "of parts in a million")),
      snapshotAfterEntries: orNull(count(1, 1_000_000_000, "of entries")),
      trailingEntries: orNull(count(1, 1_000_000_000, "of entries")),
    }),
    { leaseReads: false, clockDriftPpmMax: null, snapshotAfterEntries: null, trailingEntries: null },
  ),
  rejoinAfterDamage: z._default(flag(), false),
  keys: orNull(mapping({ authority: path, certificate: path, privateKey: path })),
  metricsPort: orNull(metricsPort),
  logLevel: z._default(logLevel, "info"),
  interfaces: z._default(list(networkInterface, 0, "names of network interfaces"), []),
  leds: z._default(
    list(
      mapping({ name: led, shows: orNull(word(["leader", "follower", "candidate", "cutOff", "broken"])) }),
      0,
      "LEDs, each with name, and shows if it is for one thing alone",
    ),
    [],
  ),
  console: orNull(serialLine),
});

/** `board.yaml` as it is read. */
export type BoardFile = z.output<typeof boardFile>;

function text(meaning: string, pattern: RegExp) {
  const error = `must be ${meaning}`;
  return z.string({ error }).check(z.regex(pattern, { error }));
}

function count(min: number, max: number, unit: string) {
  const error = `must be a whole number ${unit}, ${min} to ${max}`;
  return z.int({ error }).check(z.gte(min, { error }), z.lte(max, { error }));
}

function flag() {
  return z.boolean({ error: "must be true or false" });
}

function word<const Word extends string>(words: readonly Word[]) {
  return z.enum(words, { error: `must be one of ${words.join(", ")}` });
}

function list<Entry extends z.core.SomeType>(entry: Entry, lengthMin: number, what: string) {
  const error = `must be a list of ${lengthMin} to 32 ${what}`;
  return z.array(entry, { error }).check(z.minLength(lengthMin, { error }), z.maxLength(32, { error }));
}

/** Only these keys: a misspelt setting must not be taken for one that was left out. */
function mapping<Shape extends z.core.$ZodShape>(shape: Shape) {
  const keys = Object.keys(shape).join(", ");
  return z.strictObject(shape, {
    error: ({ code }) =>
      code === "unrecognized_keys" ? `is no setting; here may stand ${keys}` : `must be a mapping with ${keys}`,
  });
}

function orNull<Value extends z.core.SomeType>(value: Value) {
  return z._default(z.nullable(value), null);
}
