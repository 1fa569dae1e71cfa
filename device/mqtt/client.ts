/**
 * A client of a cluster over MQTT.
 *
 * ```ts
 * import { connect } from "adrift-raft/client";
 *
 * const client = await connect({ cluster: "five-boards", brokers: ["mqtt://127.0.0.1:1883"] });
 * await client.write("x", 1);
 * await client.cas("x", 1, 2); // true
 * await client.close();
 * ```
 */

import { randomBytes, randomInt, X509Certificate } from "node:crypto";
import { createRandom } from "../random.ts";
import { decodeReplies } from "../transport/reply-codec.ts";
import { clientNamePattern, namePattern } from "../transport/topics.ts";
import { type BrokerStanding, ClientBrokers } from "./client-brokers.ts";
import { ConnectError } from "./client-errors.ts";
import { ClientLibrary, type ClusterClient } from "./client-library.ts";
import { createNodePort } from "./client-port.ts";
import { Statuses, type StatusListener } from "./client-statuses.ts";
import type { Keys } from "./keys.ts";

export type { Call, CallOutcome } from "../client/client.ts";
export type { Inquiry } from "../client/inquiries.ts";
export { ConnectError, DefiniteError, IndefiniteError } from "./client-errors.ts";
export type { BrokerStanding, ClusterClient, Keys, StatusListener };

/** Where the cluster is, and how to be there. */
export type ConnectOptions = {
  /** The cluster's name: its topics begin with `adrift/<cluster>/`. */
  readonly cluster: string;
  /** All brokers of the bench: `mqtt://host:port`, or `mqtts://host:port` with keys. One that is up is enough to begin. */
  readonly brokers: readonly string[];
  /** By default the common name of the certificate, or a name that is drawn. */
  readonly name?: string;
  readonly keys?: Keys;
  /** How long after it began an operation is given up. Default: 5 s. */
  readonly deadlineMs?: number;
  /** How long to wait for the first broker. Default: as long as for an operation. */
  readonly connectWithinMs?: number;
  /** How long to wait for an answer before a request is sent again for the first time. Default: 300 ms. */
  readonly retryAfterMs?: number;
  /** How many operations may be under way at once; more wait for their turn. Default: 1,024. */
  readonly inFlightMax?: number;
};

/** A client that is connected over MQTT. */
export type ConnectedClient = ClusterClient & {
  /** The brokers, and which of them can be reached now. */
  brokers(): readonly BrokerStanding[];
  /** Hears what the boards say of themselves: at once what is known, then what comes. Gives what ends it. */
  onStatus(listener: StatusListener): () => void;
  /** Hears of brokers that can be reached or cannot any more. Gives what ends it. */
  onBroker(listener: BrokerListener): () => void;
};

/** Told whether a broker can be reached. */
export type BrokerListener = (brokerUrl: string, isUp: boolean) => void;

const usualDeadlineMs = 5_000;

/** Request numbers begin at random below this, so that a name can be used again. */
const firstRequestMax = 281_474_976_710_655;

/**
 * Connects to a cluster. Resolves when the first broker is up; the others may come later, and each comes back by itself.
 *
 * @throws {ConnectError} if the options cannot be right, or if no broker is up in time.
 */
export async function connect(options: ConnectOptions): Promise<ConnectedClient> {
  const { cluster, brokers: urls, keys = null, deadlineMs = usualDeadlineMs, inFlightMax, retryAfterMs } = options;
  const { connectWithinMs = deadlineMs } = options;
  const name = options.name ?? (keys === null ? `c-${randomBytes(6).toString("hex")}` : certifiedName(keys));
  refuseNonsense(options, name);

  const statuses = new Statuses(cluster);
  const brokerListeners = new Set<BrokerListener>();
  const wire = new ClientBrokers({
    cluster,
    urls,
    name,
    keys,
    handlers: {
      reply(payload) {
        const decoded = decodeReplies(payload, { client: name });
        if (decoded.ok) library.receive(decoded.value.replies);
      },
      status(topic, payload, from) {
        if (statuses.take(topic, payload, from)) library.hasten();
      },
      changed(url, isUp) {
        library.hasten();
        for (const listener of brokerListeners) listener(url, isUp);
      },
    },
  });
  const library = new ClientLibrary({
    name,
    port: createNodePort(wire),
    random: createRandom(randomBytes(16).toString("hex")),
    firstRequest: randomInt(1, firstRequestMax),
    deadlineMs,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    ...(inFlightMax === undefined ? {} : { inFlightMax }),
  });

  function onBroker(listener: BrokerListener): () => void {
    brokerListeners.add(listener);
    return () => brokerListeners.delete(listener);
  }

  const client = Object.assign(library, {
    brokers: () => wire.brokers,
    onStatus: (listener: StatusListener) => statuses.listen(listener),
    onBroker,
  });
  if (await isUpInTime(client, connectWithinMs)) return client;
  await client.close();
  throw new ConnectError(
    "unreachable",
    `No broker of ${cluster} can be reached within ${connectWithinMs} ms: ${failuresOf(client.brokers())}`,
  );
}

async function isUpInTime(client: ConnectedClient, withinMs: number): Promise<boolean> {
  let stop = (): void => {};
  let timer: NodeJS.Timeout | undefined;
  try {
    return await new Promise<boolean>((resolve) => {
      stop = client.onBroker((_url, isUp) => isUp && resolve(true));
      timer = setTimeout(() => resolve(false), withinMs);
    });
  } finally {
    stop();
    clearTimeout(timer);
  }
}

function failuresOf(brokers: readonly BrokerStanding[]): string {
  const failures = brokers.map(({ url, failure }) => `${url} (${failure === "" ? "no answer" : failure})`);
  const closing = brokers.some(({ failure }) => closedByBroker.test(failure))
    ? " A broker that closes connections may be full, or want keys, or others than these."
    : "";
  return `${failures.join("; ")}.${closing} See that the brokers run, and that nothing stands between.`;
}

/** How it looks from here when a broker is reached, and closes the connection. */
const closedByBroker = /ECONNRESET|EPIPE|closed the connection/;

function refuseNonsense({ cluster, brokers, keys }: ConnectOptions, name: string): void {
  if (!namePattern.test(cluster))
    throw new ConnectError("options", `${JSON.stringify(cluster)} is not the name of a cluster.`);
  if (!clientNamePattern.test(name)) {
    throw new ConnectError(
      "options",
      `${JSON.stringify(name)} is not a name for a client: up to 64 letters, digits, dots, hyphens and underscores.`,
    );
  }
  if (brokers.length === 0)
    throw new ConnectError("options", "No broker is named: give at least one, as mqtt://127.0.0.1:1883.");
  for (const url of brokers) refuseUrl(url, keys !== undefined);
}

function refuseUrl(url: string, hasKeys: boolean): void {
  const protocol = URL.canParse(url) ? new URL(url).protocol : null;
  if (protocol !== "mqtt:" && protocol !== "mqtts:") {
    throw new ConnectError(
      "options",
      `${JSON.stringify(url)} is not a broker: write mqtt://HOST:PORT, or mqtts://HOST:PORT with keys.`,
    );
  }
  if (protocol === "mqtts:" && !hasKeys)
    throw new ConnectError("options", `${url} takes only who has keys, and none are given.`);
  if (protocol === "mqtt:" && hasKeys) {
    throw new ConnectError(
      "options",
      `${url} would carry all in the open, though there are keys: write mqtts://HOST:PORT.`,
    );
  }
}

/** The common name of a certificate: the only one under which its owner may publish. */
function certifiedName({ certificate }: Keys): string {
  const { subject } = new X509Certificate(certificate);
  const name = /^CN=(.*)$/m.exec(subject)?.[1];
  if (name === undefined)
    throw new ConnectError("options", "The certificate has no common name, so its owner has no name here.");
  return name;
}
