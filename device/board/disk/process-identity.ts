/** Which process is meant, although its number is given to another one after its end. */

import { readFile } from "node:fs/promises";
import { errorCode } from "./data-folder-error.ts";

/** A process of this machine. */
export type ProcessIdentity = {
  readonly pid: number;
  /** Its start in ticks since the machine started, and that start of the machine; `null` where only the number is known. */
  readonly start: { readonly ticks: string; readonly machineStart: string } | null;
};

/** This process. */
export async function thisProcess(): Promise<ProcessIdentity> {
  const machineStart = await machineStartNow();
  const state = await readProcess(process.pid);
  return {
    pid: process.pid,
    start: machineStart === null || state === null ? null : { ticks: state.startTicks, machineStart },
  };
}

/** Whether exactly this process still runs, or may still write what it was writing when it was killed. */
export async function isAlive({ pid, start }: ProcessIdentity): Promise<boolean> {
  const machineStart = await machineStartNow();
  if (start !== null && machineStart !== null) {
    if (start.machineStart !== machineStart) return false;
    const state = await readProcess(pid);
    if (state !== null) return state.startTicks === start.ticks && !state.hasEnded;
  }
  return isNumberTaken(pid);
}

/** The process that a text names, or `null` if it names none. */
export function parseIdentity(text: string): ProcessIdentity | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (!isObject(value)) return null;
  const { pid, start } = value;
  if (typeof pid !== "number" || !Number.isSafeInteger(pid) || pid <= 0) return null;
  if (start === null) return { pid, start };
  if (!isObject(start)) return null;
  const { ticks, machineStart } = start;
  return typeof ticks === "string" && typeof machineStart === "string" ? { pid, start: { ticks, machineStart } } : null;
}

type ProcessState = { readonly startTicks: string; readonly hasEnded: boolean };

/** What Linux tells about a process; `null` if there is none, or on another system. */
async function readProcess(pid: number): Promise<ProcessState | null> {
  let text: string;
  try {
    text = await readFile(`/proc/${pid}/stat`, "utf8");
  } catch {
    return null;
  }
  // The name in parentheses may hold anything; fields are counted from the state behind it, which is the third.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const [state = ""] = fields;
  const threads = Number(fields[17]);
  // A killed process of which a thread still waits for the disk has not ended.
  return { startTicks: fields[19] ?? "", hasEnded: (state === "Z" || state === "X") && threads <= 1 };
}

/** What tells one start of this machine from another; `null` on other systems than Linux. */
async function machineStartNow(): Promise<string | null> {
  try {
    return (await readFile("/proc/sys/kernel/random/boot_id", "utf8")).trim();
  } catch {
    return null;
  }
}

function isNumberTaken(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return errorCode(error) !== "ESRCH";
  }
}

function isObject(value: unknown): value is { readonly [name: string]: unknown } {
  return typeof value === "object" && value !== null;
}
