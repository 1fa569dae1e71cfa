/** What one board's card holds beside the system: who it is, whom it listens to, and its keys. */

import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { isIP, isIPv4 } from "node:net";
import { join } from "node:path";
import type { BoardConfiguration } from "../../device/board/configuration.ts";
import { formatBoardConfiguration } from "../../device/board/format-configuration.ts";
import { KeysError, keyFiles, readKeys } from "../../device/mqtt/read-keys.ts";
import type { Bench, Board, CutterDriver, NodeName } from "../../hardware/bench.ts";
import { rackAccess } from "../bench/rack/addresses.ts";
import { CardFailure } from "./card-failure.ts";

/** A file, by its path on the boot partition. */
export type CardFile = { readonly path: string; readonly content: Uint8Array };

/** A board, ready to be put on a card. */
export type BoardCard = {
  readonly board: string;
  /** The fixed address of its cable; `null`: it asks a DHCP server. */
  readonly address: string | null;
  /** Whether its serial line is for what it tells, and not for logins. */
  readonly hasConsole: boolean;
  /** Whether it may speak no faster than 100 Mb/s, because a relay cuts its cable. */
  readonly isSlow: boolean;
  readonly configuration: string;
  readonly keys: readonly CardFile[];
};

const usualSecurePort = 8_883;
const keysOnBoard = "/etc/adrift/keys";
/** These open two of a cable's four pairs, which ends 100 Mb/s but not always 1 Gb/s. */
const pairCutters: ReadonlySet<CutterDriver> = new Set<CutterDriver>(["relay", "usb-relay", "gpio"]);

/**
 * Gathers what a board's card holds, from the bench and the keys beside its file.
 *
 * @param founders the boards with which the cluster begins, or began
 * @param folder the folder of the bench's file, in which `adrift init` has made `keys/`
 * @throws {CardFailure} where something is missing, or would not work once the board has booted
 */
export function boardCard(bench: Bench, folder: string, name: string, founders: readonly NodeName[]): BoardCard {
  const board = bench.boards.find((each) => each.name === name);
  if (board === undefined) throw new CardFailure(`${bench.name} has no board ${name}.`);
  const brokers = rackAccess(bench, folder).brokers;
  checkCertificates(bench, folder, brokers);
  return {
    board: name,
    address: board.address !== null && isIPv4(board.address) ? board.address : null,
    hasConsole: board.console !== null,
    isSlow: isCutByPairs(bench, name),
    configuration: formatBoardConfiguration(configurationOf(bench, board, brokers, founders)),
    keys: keysOf(join(folder, "keys"), name),
  };
}

type BrokerUrls = readonly { readonly name: string; readonly url: string }[];

function configurationOf(
  bench: Bench,
  { name, console }: Board,
  brokers: BrokerUrls,
  founders: readonly NodeName[],
): BoardConfiguration {
  const own = bench.brokers.find(({ node }) => node === name);
  const ownUrl = brokers.find((broker) => broker.name === own?.name)?.url;
  const port = ownUrl === undefined ? usualSecurePort : Number(new URL(ownUrl).port);
  return {
    board: name,
    cluster: bench.cluster,
    data: "/var/lib/adrift",
    boards: bench.boards.map((each) => ({ name: each.name, inbox: each.inbox })),
    founders,
    brokers,
    serves: own === undefined ? null : { broker: own.name, host: "0.0.0.0", port, webSocketPort: null },
    timing: bench.timing,
    raft: { leaseReads: false, clockDriftPpmMax: null, snapshotAfterEntries: null, trailingEntries: null },
    rejoinAfterDamage: false,
    keys: keyFiles(keysOnBoard, name),
    metricsPort: null,
    logLevel: "info",
    leds: [{ name: "ACT", shows: null }],
    console: console === null ? null : "/dev/serial0",
    interfaces: [],
  };
}

/** Only this board's: whoever finds a card is this board, but nobody else. */
function keysOf(folder: string, name: string): readonly CardFile[] {
  const files = Object.values(keyFiles(folder, name));
  try {
    readKeys(folder, name);
  } catch (error) {
    if (!(error instanceof KeysError)) throw error;
    throw new CardFailure(`${error.message} Keys are made by "adrift init", in the folder of bench.yaml.`);
  }
  return files.map((file) => ({
    path: `adrift/keys/${file.slice(folder.length + 1)}`,
    content: readFileSync(file),
  }));
}

/** A board that gets another place than the certificate says would never connect, and nobody would see why. */
function checkCertificates(bench: Bench, folder: string, brokers: BrokerUrls): void {
  for (const { name, url } of brokers) {
    const node = bench.brokers.find((broker) => broker.name === name)?.node ?? name;
    const file = keyFiles(join(folder, "keys"), node).certificate;
    let certificate: X509Certificate;
    try {
      certificate = new X509Certificate(readFileSync(file));
    } catch {
      throw new CardFailure(
        `${file} is missing or no certificate. Keys are made by "adrift init", in the folder of bench.yaml.`,
      );
    }
    const host = new URL(url).hostname.replace(/^\[(.*)\]$/, "$1");
    const holds = isIP(host) === 0 ? certificate.checkHost(host) : certificate.checkIP(host);
    if (holds !== undefined) continue;
    throw new CardFailure(
      `The certificate of ${node} does not hold for ${host}, where bench.yaml says that the broker ${name} is: no board would ` +
        `believe it. Run "adrift init" in that folder: it makes a new one.`,
    );
  }
}

function isCutByPairs({ cables, cutters }: Bench, board: string): boolean {
  return cables.some(({ ends, cutter, speedMbps }) => {
    const driver = cutters.find(({ name }) => name === cutter.name)?.driver;
    return (
      driver !== undefined && pairCutters.has(driver) && speedMbps <= 100 && ends.some(({ node }) => node === board)
    );
  });
}
