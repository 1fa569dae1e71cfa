/**
 * What is left of a bench of network namespaces when its process and its wardens were all killed. The names of the
 * namespaces tell whose they are, so nothing has to be kept anywhere else.
 */

import { readdir } from "node:fs/promises";
import { isAlive, thisProcess } from "../../../device/board/disk/process-identity.ts";
import { BenchFailure } from "../bench.ts";
import { Warden } from "../local/warden.ts";
import { namespaceFolder, namespacePrefix, parseNamespace, type RunId } from "./names.ts";

/** This process as one that starts a run. */
export async function thisRun(): Promise<RunId> {
  const { pid, start } = await thisProcess();
  if (start === null) throw new BenchFailure("/proc does not tell when this process began: is it mounted?");
  return { pid, startTicks: start.ticks };
}

/** The namespaces that runs left whose process is gone, by their names; none where there are no namespaces at all. */
export async function netnsLeftovers(): Promise<readonly string[]> {
  const names = await readdir(namespaceFolder).catch(() => []);
  const { start } = await thisProcess();
  const left: string[] = [];
  for (const name of names) {
    const run = parseNamespace(name)?.run;
    if (run === undefined || start === null) continue;
    if (!(await isAlive({ pid: run.pid, start: { ...start, ticks: run.startTicks } }))) left.push(name);
  }
  return left.toSorted();
}

/** Removes them, and ends what runs in them. */
export async function sweepNetnsLeftovers(): Promise<void> {
  const runs = (await netnsLeftovers()).flatMap((name) => parseNamespace(name)?.run ?? []);
  if (runs.length === 0) return;
  const warden = new Warden();
  for (const prefix of new Set(runs.map(namespacePrefix))) warden.removeNamespacesOf(prefix);
  await warden.release();
}
