/**
 * The driver `relay`: relays on a microcontroller at a serial port. Each is wired normally closed, so that a cable is whole
 * while its relay rests and cut while it is energised. When the port is opened, all cables of the cutter are healed.
 */

import type { Cutter } from "../../hardware/bench.ts";
import type { CutterIdentity, OpenCutter } from "./cutter.ts";
import { openAdriftSession } from "./relay-adrift.ts";
import { channelsOf, openRelays, RelayCutter } from "./relay-cutter.ts";
import { openFirmataSession } from "./relay-firmata.ts";
import { type ConnectSerial, connectSerial } from "./serial-connection.ts";
import { SerialLine } from "./serial-line.ts";
import type { CutterSurroundings } from "./surroundings.ts";

/** A cutter of this driver, as the bench describes it. */
export type RelaySettings = Extract<Cutter, { driver: "relay" }>;

/**
 * Opens it: the board has started, has said who it is, and all cables are whole.
 *
 * @param connect how a serial port is opened
 * @throws {CutterFailure} if the board is not there, or is another
 */
export async function openRelayCutter(
  cutter: RelaySettings,
  surroundings: Pick<CutterSurroundings, "bench">,
  connect: ConnectSerial = connectSerial,
): Promise<OpenCutter> {
  const kind = kinds[cutter.firmware];
  const title = `The cutter ${cutter.name} (${cutter.serialPort})`;
  const opening = {
    title,
    channels: channelsOf(cutter.name, surroundings.bench.cables, kind.channels),
    connect: () => connect(cutter.serialPort, kind.baudRate),
  };
  const line = new SerialLine(title, () => kind.openSession(opening));
  return await openRelays(new RelayCutter({ name: cutter.name, ...kind, line }));
}

/** Who answers at this port, if it is the relay firmware; its cables stay as they are. @throws {CutterFailure} if nobody does */
export async function identifyRelayFirmware(serialPort: string): Promise<CutterIdentity> {
  const session = await openAdriftSession({
    title: `The board at ${serialPort}`,
    channels: [],
    connect: () => connectSerial(serialPort, kinds.adrift.baudRate),
  });
  try {
    return await session.identify();
  } finally {
    await session.close();
  }
}

/** What differs with the firmware. */
const kinds = {
  adrift: {
    baudRate: 38_400,
    channels: { min: 1, max: 6, what: "a relay of the firmware" },
    healsByItself: true,
    openSession: openAdriftSession,
  },
  /** Pins 0 and 1 are the serial port itself. */
  firmata: {
    baudRate: 57_600,
    channels: { min: 2, max: 19, what: "a pin of the board" },
    healsByItself: false,
    openSession: openFirmataSession,
  },
};
