/** The keys beside a bench: whether each proves its name, is kept well, and for how long it still does. */

import { X509Certificate } from "node:crypto";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { KeysError, keyFiles, readKeys } from "../../device/mqtt/read-keys.ts";
import { controllerName } from "../../device/transport/topics.ts";
import type { Bench } from "../../hardware/bench.ts";
import { authorityFile, rosterOf } from "../keys/roster.ts";
import { count } from "../report/words.ts";
import { type Finding, ok, warning, wrong } from "./finding.ts";

/** So long before its end a certificate is told of. */
const noticeDays = 30;
const dayMs = 86_400_000;

/**
 * Looks at all of them.
 *
 * @param folder of the keys, which need not be there
 * @param isOpenToOthers whether a broker of the bench has an address that other machines reach
 */
export function checkKeys(
  bench: Bench,
  folder: string,
  { now, isOpenToOthers }: { readonly now: Date; readonly isOpenToOthers: boolean },
): readonly Finding[] {
  if (!existsSync(folder)) return [withoutKeys(folder, isOpenToOthers)];
  const roster = rosterOf(bench, { clients: [], hosts: [] }).map(({ name }) => name);
  const names = [...new Set([...roster, ...namesIn(folder)])];
  const { certificate } = keyFiles(folder, authorityFile);
  if (!isCertificate(certificate)) {
    const what = `${certificate} is missing or no certificate, and nobody's keys are good without it`;
    return [wrong(authorityFile, what, "Bring it back from the folder in which the keys were made.")];
  }
  const notices = [...names.flatMap((name) => checkName(folder, name, now)), ...checkAuthority(folder, now)];
  if (notices.length > 0) return notices;
  const ends = names.map((name) => endOf(keyFiles(folder, name).certificate)).toSorted();
  return [ok(folder, `${count(names.length, "name")}, good until ${ends[0] ?? ""} at least`)];
}

function withoutKeys(folder: string, isOpenToOthers: boolean): Finding {
  if (!isOpenToOthers) return ok(folder, "none, and none are needed on this machine alone");
  return warning(
    folder,
    "there are none, so whoever reaches the brokers may say anything in anybody's name",
    'Make some with "npx adrift init" (docs/guide/keys.md), unless nobody else is on this network.',
  );
}

/** Everybody of whom something is there. */
function namesIn(folder: string): readonly string[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith(".pem"))
    .map((file) => file.replace(/(\.key)?\.pem$/, ""))
    .filter((name) => name !== authorityFile);
}

function checkName(folder: string, name: string, now: Date): readonly Finding[] {
  const { certificate, privateKey } = keyFiles(folder, name);
  if (![certificate, privateKey].some((file) => existsSync(file))) return [missing(folder, name)];
  try {
    readKeys(folder, name);
  } catch (error) {
    if (error instanceof KeysError) return [wrong(name, error.message, null)];
    throw error;
  }
  const end = endOf(certificate);
  if (Date.parse(end) - now.getTime() > noticeDays * dayMs) return [];
  const cure = `Delete ${certificate}, keep ${privateKey}, run "npx adrift init", and bring the new one to ${name}.`;
  return [warning(name, `its certificate ends on ${end}`, cure)];
}

function isCertificate(file: string): boolean {
  try {
    return endOf(file) !== "";
  } catch {
    return false;
  }
}

/** A board's keys may be on its card alone; the controller's are needed here. */
function missing(folder: string, name: string): Finding {
  const what = `it has no keys in ${folder}`;
  if (name === controllerName) return wrong(name, what, '"npx adrift init" in the folder of the bench makes them.');
  return warning(name, what, 'Well if they are on its card alone; otherwise "npx adrift init" makes them.');
}

/** The authority's own files, which no name's keys are without. */
function checkAuthority(folder: string, now: Date): readonly Finding[] {
  const { certificate, privateKey } = keyFiles(folder, authorityFile);
  const findings: Finding[] = [];
  const end = endOf(certificate);
  if (Date.parse(end) - now.getTime() <= noticeDays * dayMs) {
    const cure = "Make a new folder of keys, and new cards: all certificates end with it.";
    findings.push(warning(authorityFile, `its certificate ends on ${end}`, cure));
  }
  if (existsSync(privateKey) && process.platform !== "win32" && (statSync(privateKey).mode & 0o077) !== 0) {
    const what = `others may read ${privateKey}, with which anybody can be anyone`;
    findings.push(wrong(authorityFile, what, `Make it yours alone: chmod 600 ${privateKey}`));
  }
  return findings;
}

/** @throws if there is no certificate in this file */
function endOf(file: string): string {
  return new Date(new X509Certificate(readFileSync(file, "utf8")).validTo).toISOString().slice(0, 10);
}
