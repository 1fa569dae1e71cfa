/**
 * What a board writes to its serial console: a line of JSON for each state,
 *
 *     {"v":1,"crc":"8a2e91c7","board":"pi-1","boot":3,"seq":7,"role":"leader","term":2,...}
 *
 * with the CRC-32C of all that stands behind it up to the line's end, for a serial line does not say what it lost.
 */

import { crc32cOfText } from "../crc32c.ts";
import { toAsciiJson } from "../json.ts";
import type { BoardStatus } from "./envelope.ts";
import { Fields, parseObject } from "./fields.ts";
import { roles } from "./status-codec.ts";
import { wireVersion } from "./topics.ts";

/** What a board believes, as its serial console tells it, whoever else can hear the board. */
export type ConsoleStatus = Pick<BoardStatus, "role" | "term" | "leader" | "commitIndex" | "carrier"> & {
  readonly board: string;
  readonly boot: number;
  /** Grows with every line of this boot. */
  readonly seq: number;
  /** When, in microseconds, by the board's monotonic clock: that of its flight recorder. */
  readonly atUs: number;
};

/** No line is longer. */
export const consoleLineBytesMax = 512;

const beforeChecksum = `{"v":${wireVersion},"crc":"`;
const afterChecksum = '",';
const coveredStart = beforeChecksum.length + 8 + afterChecksum.length;

/** The line, without its end. ASCII. */
export function encodeConsoleLine(status: ConsoleStatus): string {
  const { board, boot, seq, role, term, leader, commitIndex, carrier, atUs } = status;
  const rest = toAsciiJson({ board, boot, seq, role, term, leader, commitIndex, carrier, atUs }).slice(1);
  return beforeChecksum + hexOf(crc32cOfText(rest, 0)) + afterChecksum + rest;
}

/** The state in a line; `null` for anything else that stands on a console: noise, a login prompt, the kernel's words. */
export function decodeConsoleLine(line: string): ConsoleStatus | null {
  if (line.length > consoleLineBytesMax || !line.startsWith(beforeChecksum)) return null;
  const checksum = crc32cOfText(line, coveredStart);
  if (!line.startsWith(hexOf(checksum) + afterChecksum, beforeChecksum.length)) return null;
  const object = parseObject(line);
  if (object === null) return null;
  const fields = new Fields(object);
  const status: ConsoleStatus = {
    board: fields.name("board"),
    boot: fields.whole("boot"),
    seq: fields.whole("seq"),
    role: fields.oneOf("role", roles),
    term: fields.whole("term"),
    leader: fields.memberOrNull("leader"),
    commitIndex: fields.whole("commitIndex"),
    carrier: fields.isNull("carrier") ? null : fields.boolean("carrier"),
    atUs: fields.whole("atUs"),
  };
  return fields.problem === null ? status : null;
}

function hexOf(checksum: number): string {
  return checksum.toString(16).padStart(8, "0");
}
