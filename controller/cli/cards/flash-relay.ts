/** `adrift flash relay`: writes the relay firmware to a microcontroller by avrdude, and asks it who it is. */

import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { CutterFailure, type CutterIdentity } from "../../cutters/cutter.ts";
import { type ExitStatus, exitStatus, type Shell, UsageError } from "../shell.ts";

/** What `adrift flash relay` takes. */
export type FlashRelayOptions = {
  /** Where the board is, as in `/dev/ttyACM0`. */
  readonly port: string;
  readonly dryRun?: true;
  /** Without asking. */
  readonly yes?: true;
  readonly json?: true;
};

const folder = new URL("../../../hardware/firmware/", import.meta.url);
const manifest = z.object({ name: z.string(), version: z.string(), file: z.string(), sha256: z.string() });
/** Writing takes about two seconds; a board that says nothing is given up by avrdude after ten tries. */
const writeMsMax = 60_000;

type Firmware = z.output<typeof manifest> & { readonly path: string };

/**
 * Shows what it will do, asks, writes, and shows what the firmware says of itself.
 *
 * @throws {UsageError} if the port is not there, or if there is nobody to ask
 * @throws {CutterFailure} if avrdude is missing or fails, or if the firmware does not answer afterwards
 */
export async function flashRelay(shell: Shell, options: FlashRelayOptions): Promise<ExitStatus> {
  const firmware = readFirmware();
  const command = commandFor(firmware, options.port);
  const report = { port: options.port, firmware: { version: firmware.version, sha256: firmware.sha256 }, command };
  shell.err.write(
    `Writes ${firmware.name} ${firmware.version} to the ATmega328P (Arduino Uno or like it) at ${options.port}. What is on ` +
      `it now is lost.\n  ${command.join(" ")}\n`,
  );
  if (options.dryRun === true) {
    return tell(shell, options, { ...report, isWritten: false, identity: null }, "Nothing was written.\n");
  }
  checkPort(options.port);
  if (options.yes !== true && !(await isWanted(shell, options))) {
    return tell(shell, options, { ...report, isWritten: false, identity: null }, "Nothing was written.\n");
  }
  await write(command, options.port);
  const identity = await askIdentity(options.port);
  const text = [`It answers: ${identity.device}.`, ...identity.remarks].join("\n");
  return tell(shell, options, { ...report, isWritten: true, identity }, `${text}\n`);
}

function tell(shell: Shell, { json }: FlashRelayOptions, report: object, text: string): ExitStatus {
  shell.out.write(json === true ? `${JSON.stringify(report, null, 2)}\n` : text);
  return exitStatus.done;
}

/** @throws {Error} if it is not the firmware that its manifest names: then this copy of Adrift is damaged */
function readFirmware(): Firmware {
  const described = manifest.parse(JSON.parse(readFileSync(new URL("relay.json", folder), "utf8")));
  const file = new URL(described.file, folder);
  const sha256 = createHash("sha256").update(readFileSync(file)).digest("hex");
  if (sha256 !== described.sha256) {
    throw new Error(`${fileURLToPath(file)} is not the firmware that relay.json beside it names: install Adrift anew.`);
  }
  return { ...described, path: fileURLToPath(file) };
}

function commandFor({ path }: Firmware, port: string): readonly string[] {
  return ["avrdude", "-c", "arduino", "-p", "m328p", "-P", port, "-b", "115200", "-D", "-U", `flash:w:${path}:i`];
}

function checkPort(port: string): void {
  if (existsSync(port)) return;
  throw new UsageError(
    `There is no serial port ${port}. Plug the board in and see what comes (ls /dev/serial/by-id /dev/ttyACM* /dev/ttyUSB*).`,
  );
}

async function isWanted(shell: Shell, { json }: FlashRelayOptions): Promise<boolean> {
  if (json === true) throw new UsageError("With --json nobody is asked: add --yes to write, or --dry-run to see.");
  shell.err.write("Write it? [y/N] ");
  const lines = createInterface({ input: Readable.from(shell.input) });
  for await (const line of lines) return /^y(es)?$/i.test(line.trim());
  return false;
}

/** @throws {CutterFailure} if avrdude is not there, or could not write */
async function write(command: readonly string[], port: string): Promise<void> {
  const [program = "", ...args] = command;
  const { status, text } = await new Promise<{ status: number | null; text: string }>((resolve, reject) => {
    const child = spawn(program, args, { stdio: ["ignore", "ignore", "pipe"], timeout: writeMsMax });
    let said = "";
    child.stderr.on("data", (piece: Buffer) => {
      said += piece.toString();
    });
    child.once("error", () =>
      reject(new CutterFailure("avrdude is not installed. On Debian and Raspberry Pi OS: sudo apt install avrdude")),
    );
    child.once("close", (code) => resolve({ status: code, text: said }));
  });
  if (status !== 0) throw new CutterFailure(whyNotWritten(text, port));
}

function whyNotWritten(text: string, port: string): string {
  const last = text.trim().split("\n").slice(-8).join("\n");
  if (/not in sync|getsync|not responding|timeout/i.test(text)) {
    return (
      `Nothing at ${port} answers as the boot loader of an Arduino Uno does. Is it the right port, and an ATmega328P with ` +
      `Optiboot? (Old Nanos have another boot loader; write Optiboot to them first.) avrdude says:\n${last}`
    );
  }
  if (/permission denied/i.test(text)) {
    return `You may not use ${port}: join the group that owns it, mostly dialout. avrdude says:\n${last}`;
  }
  if (/busy|resource temporarily/i.test(text)) {
    return `Another program uses ${port}: end it first, such as a run whose bench has these relays. avrdude says:\n${last}`;
  }
  return `avrdude could not write the firmware:\n${last}`;
}

/** @throws {CutterFailure} if the firmware does not answer */
async function askIdentity(port: string): Promise<CutterIdentity> {
  const { identifyRelayFirmware } = await import("../../cutters/relay.ts");
  return await identifyRelayFirmware(port);
}
