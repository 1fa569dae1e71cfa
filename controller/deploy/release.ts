/** A release: a board's program with a statement about it, signed by the bench's controller. */

import { execFile } from "node:child_process";
import { createHash, sign } from "node:crypto";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";
import type { Keys } from "../../device/mqtt/keys.ts";
import { DeployFailure } from "./deploy-failure.ts";

/** A board's program, and what is known of it. */
export type Program = {
  readonly content: Uint8Array;
  /** 64 hexadecimal digits: the name of the release on boards. */
  readonly sha256: string;
  /** What it says of itself. */
  readonly version: string;
};

/** What a board takes, as JSON: see `hardware/image/adrift-update-receive.mjs`. */
export type Release = {
  readonly statement: string;
  /** Of the statement's bytes, ECDSA over SHA-256, in base64. */
  readonly signature: string;
  /** The signer's certificate, in PEM. */
  readonly certificate: string;
  /** In base64. */
  readonly program: string;
};

const sizeBytesMax = 32 * 1024 * 1024;
const versionWithinMs = 15_000;

/**
 * Reads a bundle. It has to tell its version here, so what is no program of a board is found before any board has it.
 *
 * @throws {DeployFailure} if it is no such file
 */
export async function readProgram(file: string): Promise<Program> {
  const content = await readFile(file).catch((error: unknown) => {
    throw new DeployFailure(`${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  });
  if (content.length > sizeBytesMax) {
    throw new DeployFailure(`${file} has ${content.length} bytes, which is no board's program. Is it the right file?`);
  }
  return { content, sha256: createHash("sha256").update(content).digest("hex"), version: await askVersion(file) };
}

/** Signs it for one cluster; `keys` are the controller's. */
export function signProgram({ content, sha256, version }: Program, cluster: string, keys: Keys): Release {
  const statement = `adrift release 1\ncluster ${cluster}\nversion ${version}\nsha256 ${sha256}\n`;
  return {
    statement,
    signature: sign("sha256", Buffer.from(statement), keys.privateKey).toString("base64"),
    certificate: keys.certificate,
    program: Buffer.from(content).toString("base64"),
  };
}

async function askVersion(file: string): Promise<string> {
  const advice =
    'It must be what "node bundle.mjs" makes: board.mjs, which says its version to "node board.mjs --version".';
  const said = await promisify(execFile)(process.execPath, [file, "--version"], {
    timeout: versionWithinMs,
    killSignal: "SIGKILL",
  }).catch((error: unknown) => {
    const lines = (error instanceof Error ? error.message : String(error)).trim().split("\n");
    throw new DeployFailure(`${file} is no board's program: ${lines.at(-1) ?? ""}. ${advice}`);
  });
  const version = said.stdout.trim();
  if (/^[0-9A-Za-z.+-]{1,64}$/.test(version)) return version;
  throw new DeployFailure(`${file} is no board's program: it does not tell its version. ${advice}`);
}
