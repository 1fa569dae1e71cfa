/**
 * A folder of keys: made, and later filled up. A private key that is there is never written over: a key that is lost is a
 * name that nobody can prove any more. A certificate gives way to a new one for the same key when its owner serves at a
 * place for which it does not hold.
 *
 * A private key is written before its certificate, so a crash leaves at worst a key without a certificate, and the next
 * time it gets one. That is also how a certificate is renewed: take the `.pem` away, keep the `.key.pem`.
 */

import { X509Certificate } from "node:crypto";
import { mkdirSync, readFileSync, statSync } from "node:fs";
import { isIP } from "node:net";
import { keyFiles } from "../../device/mqtt/read-keys.ts";
import {
  type Authority,
  belongTogether,
  certify,
  certifyAuthority,
  commonNameOf,
  generatePrivateKey,
  isCertifiedBy,
  type Subject,
  validityFrom,
} from "./certificates.ts";
import { KeyError } from "./key-error.ts";
import { createFile, replaceFile } from "./new-file.ts";
import { authorityFile } from "./roster.ts";

/** What shall be in the folder. */
export type KeyFolderSettings = {
  /** The common name of the authority. */
  readonly authorityName: string;
  readonly subjects: readonly Subject[];
  /** How long new certificates are good. */
  readonly days: number;
  readonly now: Date;
};

/** What the folder holds now, by name. */
export type KeyFolderReport = {
  /** A key and a certificate that were not there before. */
  readonly made: readonly string[];
  /** A new certificate for a key that was there. */
  readonly certified: readonly string[];
  readonly kept: readonly string[];
  /** What is there but not as it should be, in whole sentences. */
  readonly warnings: readonly string[];
};

const folderMode = 0o700;
const fileMode = 0o600;

type Found = { readonly certificate: string | null; readonly privateKey: string | null };

/**
 * Makes what is missing of an authority and of a key and a certificate for each subject.
 *
 * @throws KeyError if what is there belongs to somebody else, or the folder cannot be read or written.
 */
export async function fillKeyFolder(folder: string, settings: KeyFolderSettings): Promise<KeyFolderReport> {
  const report = { made: [] as string[], certified: [] as string[], kept: [] as string[], warnings: [] as string[] };
  try {
    makeFolder(folder);
    const authority = await openAuthority(folder, settings, report);
    for (const subject of settings.subjects) await addSubject(folder, subject, authority, settings, report);
  } catch (error) {
    throw explained(error, folder);
  }
  return report;
}

type Report = { [Part in keyof KeyFolderReport]: string[] };

function makeFolder(folder: string): void {
  mkdirSync(folder, { recursive: true, mode: folderMode });
}

async function openAuthority(
  folder: string,
  { authorityName, now }: KeyFolderSettings,
  report: Report,
): Promise<Authority> {
  const files = keyFiles(folder, authorityFile);
  const found = read(folder, authorityFile);
  if (found.certificate !== null && found.privateKey !== null) {
    const certificate = parseCertificate(found.certificate, files.certificate);
    if (!certificate.ca) throw new KeyError(`${files.certificate} is no authority's certificate: use another folder.`);
    checkPair(certificate, found.privateKey, folder, authorityFile);
    warnIfStale(certificate, authorityFile, now, report);
    warnIfOpen(files.privateKey, report);
    report.kept.push(authorityFile);
    return { certificate: found.certificate, privateKey: found.privateKey };
  }
  refuseCertificateAlone(found, folder, authorityFile);
  const privateKey = found.privateKey ?? makeKey(files.privateKey);
  const certificate = await certifyAuthority(authorityName, privateKey, now);
  createFile(files.certificate, certificate, fileMode);
  (found.privateKey === null ? report.made : report.certified).push(authorityFile);
  return { certificate, privateKey };
}

async function addSubject(
  folder: string,
  subject: Subject,
  authority: Authority,
  { days, now }: KeyFolderSettings,
  report: Report,
): Promise<void> {
  const { name } = subject;
  const files = keyFiles(folder, name);
  const found = read(folder, name);
  if (found.certificate !== null && found.privateKey !== null) {
    const certificate = parseCertificate(found.certificate, files.certificate);
    checkPair(certificate, found.privateKey, folder, name);
    if (commonNameOf(certificate) !== name || !isCertifiedBy(certificate, new X509Certificate(authority.certificate))) {
      throw new KeyError(
        `${files.certificate} does not certify "${name}" by the authority of this folder. ` +
          "Take it and its key away, or use another folder.",
      );
    }
    warnIfOpen(files.privateKey, report);
    if (holdsFor(certificate, subject)) {
      warnIfStale(certificate, name, now, report);
      report.kept.push(name);
      return;
    }
    const servesAt = [...(subject.servesAt ?? []), ...otherPlacesOf(certificate, subject)];
    const text = await certify(authority, { name, servesAt }, found.privateKey, validityFrom(now, days));
    replaceFile(files.certificate, text, fileMode);
    report.certified.push(name);
    return;
  }
  refuseCertificateAlone(found, folder, name);
  const privateKey = found.privateKey ?? makeKey(files.privateKey);
  createFile(files.certificate, await certify(authority, subject, privateKey, validityFrom(now, days)), fileMode);
  (found.privateKey === null ? report.made : report.certified).push(name);
}

function makeKey(path: string): string {
  const privateKey = generatePrivateKey();
  createFile(path, privateKey, fileMode);
  return privateKey;
}

function read(folder: string, name: string): Found {
  const files = keyFiles(folder, name);
  return { certificate: textOrNull(files.certificate), privateKey: textOrNull(files.privateKey) };
}

function textOrNull(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (codeOf(error) === "ENOENT") return null;
    throw error;
  }
}

function parseCertificate(text: string, path: string): X509Certificate {
  try {
    return new X509Certificate(text);
  } catch {
    throw new KeyError(`${path} holds no certificate that can be read: take it away, and a new one is made.`);
  }
}

function checkPair(certificate: X509Certificate, privateKey: string, folder: string, name: string): void {
  const files = keyFiles(folder, name);
  let fits = false;
  try {
    fits = belongTogether(certificate, privateKey);
  } catch {
    throw new KeyError(`${files.privateKey} holds no private key that can be read: bring back the right file.`);
  }
  if (!fits)
    throw new KeyError(`${files.certificate} does not belong to ${files.privateKey}: bring back the right one.`);
}

function refuseCertificateAlone(found: Found, folder: string, name: string): void {
  if (found.certificate === null) return;
  const { certificate, privateKey } = keyFiles(folder, name);
  throw new KeyError(
    `${certificate} is there without ${privateKey}. Bring the key back; or, to give "${name}" a new key, take the ` +
      "certificate away.",
  );
}

const staleDays = 30;

function warnIfStale(certificate: X509Certificate, name: string, now: Date, { warnings }: Report): void {
  const end = new Date(certificate.validTo);
  if (end.getTime() - now.getTime() > staleDays * 86_400_000) return;
  const verb = end.getTime() < now.getTime() ? "ended" : "ends";
  const cure =
    name === authorityFile ? "make a new folder of keys." : `take ${name}.pem away and run this again for a new one.`;
  warnings.push(`The certificate of ${name} ${verb} on ${end.toISOString().slice(0, 10)}: ${cure}`);
}

/** Whether its owner can serve with it wherever it has to. */
function holdsFor(certificate: X509Certificate, { servesAt }: Pick<Subject, "servesAt">): boolean {
  return (servesAt ?? []).every(
    (place) => (isIP(place) === 0 ? certificate.checkHost(place) : certificate.checkIP(place)) !== undefined,
  );
}

/** The places that stand in a certificate beside those that are asked for now: somebody once gave them by hand. */
function otherPlacesOf(certificate: X509Certificate, { servesAt }: Subject): readonly string[] {
  const asked = new Set((servesAt ?? []).map(canonical));
  return (certificate.subjectAltName ?? "").split(", ").flatMap((entry) => {
    const [, place] = /^(?:DNS|IP Address):([A-Za-z0-9.:-]+)$/.exec(entry) ?? [];
    return place === undefined || asked.has(canonical(place)) ? [] : [place];
  });
}

/** An IPv6 address can be written in several ways. */
function canonical(place: string): string {
  return isIP(place) === 6 ? new URL(`http://[${place}]`).hostname : place.toLowerCase();
}

function warnIfOpen(path: string, { warnings }: Report): void {
  if (process.platform === "win32" || (statSync(path).mode & 0o077) === 0) return;
  warnings.push(`Others than you can read ${path}: run "chmod 600 ${path}".`);
}

function explained(error: unknown, folder: string): unknown {
  switch (codeOf(error)) {
    case "EACCES":
    case "EROFS":
      return new KeyError(`${folder}: you may not write there. Use another folder, or change who may.`);
    case "ENOTDIR":
    case "EISDIR":
      return new KeyError(`${folder}: something else has the name of a folder or file of keys: ${String(error)}.`);
    case "EEXIST":
      return new KeyError(
        `${folder}: something else has that name, or another command writes there: ${String(error)}.`,
      );
    case "EPERM":
      return new KeyError(
        `${folder}: its file system cannot keep keys (no links, no permissions). Use another folder.`,
      );
    case "ENOSPC":
      return new KeyError(`${folder}: the disk is full. Make room and run this again; it goes on where it stopped.`);
    default:
      return error;
  }
}

function codeOf(error: unknown): string | null {
  return error instanceof Error && "code" in error ? String(error.code) : null;
}
