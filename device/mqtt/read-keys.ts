/** Reads the keys of one name from a folder of keys, and refuses what could not prove that name or is not kept well. */

import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Keys } from "./keys.ts";

/** Keys are missing, wrong or badly kept. The message says which file, why, and what to do now. */
export class KeysError extends Error {
  override readonly name = "KeysError";
}

/** The files of a name in a folder of keys. */
export function keyFiles(
  folder: string,
  name: string,
): { readonly authority: string; readonly certificate: string; readonly privateKey: string } {
  return {
    authority: join(folder, "authority.pem"),
    certificate: join(folder, `${name}.pem`),
    privateKey: join(folder, `${name}.key.pem`),
  };
}

/**
 * The keys of a board, a broker, the controller or a client.
 *
 * @throws {KeysError} where a file is missing or no PEM, a certificate is not valid today, is not of this name or not of
 * this authority, the private key belongs to another certificate, or others on this machine may read it.
 */
export function readKeys(folder: string, name: string): Keys {
  const files = keyFiles(folder, name);
  const authority = readText(files.authority, name);
  const certificate = readText(files.certificate, name);
  const privateKey = readText(files.privateKey, name);
  const now = new Date();

  const issuer = certificateOf(authority, files.authority);
  const own = certificateOf(certificate, files.certificate);
  refuseUnlessValid(issuer, files.authority, now);
  refuseUnlessValid(own, files.certificate, now);
  const commonName = commonNameOf(own);
  if (commonName !== name) {
    throw new KeysError(
      `${files.certificate} is the certificate of "${commonName}", not of "${name}". Put the right one there.`,
    );
  }
  if (!own.checkIssued(issuer) || !own.verify(issuer.publicKey)) {
    throw new KeysError(
      `${files.certificate} was not issued by ${files.authority}. All keys of a bench come from one authority: ` +
        "take both files from the same folder.",
    );
  }
  if (!own.checkPrivateKey(privateKeyOf(privateKey, files.privateKey))) {
    throw new KeysError(`${files.privateKey} belongs to another certificate than ${files.certificate}.`);
  }
  refuseIfReadableByOthers(files.privateKey);
  return { authority, certificate, privateKey };
}

function readText(file: string, name: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "ENOENT") {
      throw new KeysError(`${file} is missing, so nobody can prove to be "${name}". \`adrift init\` makes keys.`);
    }
    if (code === "EACCES") {
      throw new KeysError(`${file} may not be read by this user. Run as the user who owns it.`);
    }
    throw new KeysError(`${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function certificateOf(text: string, file: string): X509Certificate {
  try {
    return new X509Certificate(text);
  } catch {
    throw new KeysError(`${file} is not a certificate in PEM. It begins with -----BEGIN CERTIFICATE-----.`);
  }
}

function privateKeyOf(text: string, file: string): KeyObject {
  try {
    return createPrivateKey(text);
  } catch {
    throw new KeysError(`${file} is not a private key in PEM without a password.`);
  }
}

function refuseUnlessValid(certificate: X509Certificate, file: string, now: Date): void {
  const from = new Date(certificate.validFrom);
  const to = new Date(certificate.validTo);
  if (now > to) {
    throw new KeysError(`${file} expired on ${day(to)}. Delete it and run \`adrift init\` again: it issues a new one.`);
  }
  if (now < from) {
    throw new KeysError(
      `${file} is not valid before ${day(from)}, and this machine believes that today is ${day(now)}. ` +
        "Set its clock.",
    );
  }
}

/** Of the subject's attributes, one a line, the one that says `CN=`. */
function commonNameOf(certificate: X509Certificate): string {
  const line = certificate.subject?.split("\n").find((attribute) => attribute.startsWith("CN="));
  return line?.slice("CN=".length) ?? "";
}

function refuseIfReadableByOthers(file: string): void {
  // Windows keeps such rights elsewhere.
  if (process.platform === "win32") return;
  const { mode } = statSync(file);
  if ((mode & 0o077) === 0) return;
  const rights = (mode & 0o777).toString(8).padStart(4, "0");
  throw new KeysError(`${file} can be read by others (${rights}), so it proves nothing. Run \`chmod 600 ${file}\`.`);
}

function day(date: Date): string {
  return date.toISOString().slice(0, 10);
}
