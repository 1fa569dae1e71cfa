/** What a broker bears from a connection, and how it holds a connection to that. */

import type { Duplex } from "node:stream";
import { PacketLengths } from "./packet-lengths.ts";

/** The bounds, the same for everybody. */
export const brokerLimits = {
  /** The longest packet, topic included. */
  packetBytesMax: 1.5 * 1024 * 1024,
  /** The longest first packet, in which somebody says who they are. */
  connectBytesMax: 64 * 1024,
  /** How long that packet may take; a TLS handshake before it, as long again. */
  connectTimeoutMs: 2_000,
  /** Connections of which nobody has said yet who they are. Beyond it the oldest of them goes. */
  halfOpenMax: 256,
  /** All connections. Beyond it nobody else is let in. */
  connectionsMax: 1_024,
  /** What one reader may leave waiting. Beyond it the reader goes. */
  waitingBytesMax: 4 * 1024 * 1024,
  /** Messages of one client that are on their way at QoS 2. */
  inFlightMax: 20,
} as const;

/** Why a connection is to be ended. */
export type Overrun = "a packet is too long" | "a packet is malformed" | "it reads too slowly";

/**
 * Holds a stream to the limits: no packet is gathered that is too long, and what waits for its reader is bounded.
 *
 * A broker that waits until a slow reader has room makes everybody wait who speaks to that reader, and a board with a
 * cut cable is the slowest reader there is. So nobody waits here: `write` never asks for patience, and who reads too
 * slowly is cut off.
 */
export function holdToLimits(stream: Duplex, cutOff: (overrun: Overrun) => void): void {
  const lengths = new PacketLengths(brokerLimits.connectBytesMax, brokerLimits.packetBytesMax);
  const read = stream.read.bind(stream);
  // The overloads of `write` differ in what may follow the chunk; here it is only passed on.
  const write = stream.write.bind(stream) as (...chunk: unknown[]) => boolean;

  stream.read = (size?: number): Buffer | null => {
    const chunk: Buffer | null = read(size);
    if (chunk === null) return null;
    const found = lengths.take(chunk);
    if (found === "ok") return chunk;
    cutOff(found === "tooLong" ? "a packet is too long" : "a packet is malformed");
    return null;
  };
  stream.write = (...chunk: unknown[]): boolean => {
    if (stream.writableLength > brokerLimits.waitingBytesMax && !stream.destroyed) cutOff("it reads too slowly");
    write(...chunk);
    return true;
  };
}
