/**
 * The files with which Mosquitto 2 is a broker of a bench: a configuration, and with keys the rules of who may do what,
 * from the same table that the embedded broker goes by.
 */

import { controllerName } from "../transport/topics.ts";
import { brokerLimits } from "./broker-limits.ts";
import { refuseOpenDoor } from "./loopback.ts";
import { rules, topicsFor } from "./permissions.ts";
import { keyFiles } from "./read-keys.ts";

/** What Mosquitto's files are made of. Paths stand in them as they are given; best they are absolute. */
export type MosquittoSettings = {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  /** MQTT over WebSocket, where Mosquitto was built with it (Debian 12's was not); `null`: none. */
  readonly webSocketPort: number | null;
  readonly cluster: string;
  readonly boards: readonly string[];
  /** Whose keys it has: its own, or those of the board that it runs on. `null`: without keys, on loopback only. */
  readonly keys: { readonly folder: string; readonly name: string; readonly rulesFile: string } | null;
};

/** The texts of the files; `rules` is Mosquitto's `acl_file`, and `null` without keys. */
export type MosquittoFiles = { readonly configuration: string; readonly rules: string | null };

/**
 * Writes both texts.
 *
 * @throws {BrokerError} without keys on an address that others reach.
 */
export function mosquittoFiles(settings: MosquittoSettings): MosquittoFiles {
  const { keys, cluster, boards } = settings;
  refuseOpenDoor(settings, keys !== null);
  return {
    configuration: `${configurationLines(settings).join("\n")}\n`,
    rules: keys === null ? null : `${ruleLines(cluster, boards).join("\n")}\n`,
  };
}

function configurationLines(settings: MosquittoSettings): readonly string[] {
  const { name, host, port, webSocketPort, cluster } = settings;
  return [
    `# Mosquitto as "${name}", a broker of the cluster ${cluster}. Start it with: mosquitto -c <this file>`,
    "# It must be able to open as many files as there are connections (LimitNOFILE in its systemd unit).",
    "",
    "# Raft remembers by itself: a broker that returns begins with nothing.",
    "persistence false",
    "",
    "# The kernel must not hold back a small packet until the one before is acknowledged.",
    "set_tcp_nodelay true",
    "",
    `max_packet_size ${brokerLimits.packetBytesMax}`,
    `max_inflight_messages ${brokerLimits.inFlightMax}`,
    "queue_qos0_messages false",
    `max_queued_bytes ${brokerLimits.waitingBytesMax}`,
    "max_queued_messages 100",
    "persistent_client_expiration 1h",
    "",
    "sys_interval 0",
    "log_dest stderr",
    "log_type error",
    "log_type warning",
    "log_type notice",
    "connection_messages true",
    "",
    "per_listener_settings true",
    "",
    ...listenerLines(settings, port, host, "mqtt"),
    ...(webSocketPort === null ? [] : ["", ...listenerLines(settings, webSocketPort, host, "websockets")]),
  ];
}

function listenerLines(
  { keys }: MosquittoSettings,
  port: number,
  host: string,
  protocol: "mqtt" | "websockets",
): readonly string[] {
  const head = [`listener ${port} ${host}`, `protocol ${protocol}`, `max_connections ${connectionsMax}`];
  if (keys === null) return [...head, "# Nobody from outside comes in here.", "allow_anonymous true"];
  const files = keyFiles(keys.folder, keys.name);
  return [
    ...head,
    "# Only who is certified by this authority gets in, under the name in the certificate.",
    `cafile ${files.authority}`,
    `certfile ${files.certificate}`,
    `keyfile ${files.privateKey}`,
    "tls_version tlsv1.2",
    "require_certificate true",
    "use_identity_as_username true",
    "allow_anonymous false",
    `acl_file ${keys.rulesFile}`,
  ];
}

/** Mosquitto does not tell half-open connections from others, so they all need room. */
const connectionsMax = 16_384;

/** `pattern` lines hold for everybody, with `%u` for their name; `user` lines for one name. */
function ruleLines(cluster: string, boards: readonly string[]): readonly string[] {
  const access = { publish: "write", subscribe: "read" } as const;
  const linesFor = (role: "board" | "controller", self: string): readonly string[] => [
    "",
    `user ${self}`,
    ...rules
      .filter((rule) => rule.role === role)
      .map((rule) => `topic ${access[rule.may]} ${topicsFor(rule, cluster, self)}`),
  ];
  return [
    `# Who may do what on the brokers of the cluster ${cluster}.`,
    "# Mosquitto warns of patterns without %u; they are meant: they hold for everybody who is certified.",
    ...rules
      .filter((rule) => rule.role === "client")
      .map((rule) => `pattern ${access[rule.may]} ${topicsFor(rule, cluster, "%u")}`),
    ...boards.flatMap((board) => linesFor("board", board)),
    ...linesFor("controller", controllerName),
  ];
}
