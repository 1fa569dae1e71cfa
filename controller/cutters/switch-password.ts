/** The secrets with which a switch is managed. They stand in a file of their own, which nobody else may read. */

import { readFile, stat } from "node:fs/promises";
import { resolve } from "node:path";
import type { SwitchManagement } from "../../hardware/bench.ts";
import { CutterFailure } from "./cutter.ts";

/** What stands in the file, without the line ends: the password or community, and what a second line adds. */
export type Secrets = { readonly file: string; readonly first: string; readonly second: string | null };

/** A password file holds a line or two. */
const sizeBytesMax = 4_096;
/** The mode bits by which the file's group and everybody else may read or write it. */
const othersMay = 0o066;

/**
 * Reads the password file.
 *
 * @param folder where a relative path begins
 * @throws {CutterFailure} if it cannot be read, holds nothing, or others may read it
 */
export async function readSecrets(management: SwitchManagement, folder: string): Promise<Secrets> {
  const file = resolve(folder, management.passwordFile);
  const { mode, text } = await readSmallFile(file);
  if (process.platform !== "win32" && (mode & othersMay) !== 0) {
    throw new CutterFailure(
      `${file} holds the password of the switch at ${management.address}, and others on this machine may read or change ` +
        `it. Make it yours alone: chmod 600 ${file}`,
    );
  }
  const [first = "", second = "", ...more] = text.split(/\r?\n/).map((line) => line.trim());
  if (first === "" || more.some((line) => line !== "")) {
    throw new CutterFailure(
      `${file} should hold ${contents(management)}: ${first === "" ? "it is empty" : "it has more lines"}.`,
    );
  }
  return { file, first, second: second === "" ? null : second };
}

async function readSmallFile(file: string): Promise<{ readonly mode: number; readonly text: string }> {
  try {
    const { mode, size } = await stat(file);
    if (size > sizeBytesMax) throw new Error(`it has ${size} bytes, and a password file has a line or two`);
    return { mode, text: await readFile(file, "utf8") };
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new CutterFailure(
      `The password file ${file} cannot be read: ${reason}. Its path in the bench's file starts at the folder of that file.`,
      { cause },
    );
  }
}

function contents({ protocol }: SwitchManagement): string {
  switch (protocol) {
    case "snmp-v2c":
      return "the community, in one line";
    case "snmp-v3":
      return "the pass-phrase, and in a second line the one for privacy if that is another";
    case "mikrotik":
      return "the password, and in a second line the SHA-256 fingerprint of the switch's certificate if no authority signed it";
    default:
      return protocol satisfies never;
  }
}
