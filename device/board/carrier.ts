/**
 * Watches whether the cables of this machine are plugged in at both ends: the kernel says so for each network interface
 * in `/sys/class/net/<interface>/carrier`. Nothing tells when it changes, so it is read again and again.
 */

import { access, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

/** What to watch. */
export type CarrierWatchSettings = {
  /** The interfaces to watch; none: all that can have a cable (neither loopback nor wireless). */
  readonly interfaces: readonly string[];
  readonly root?: string;
  readonly everyMs?: number;
  /** Told once of each interface's first state, and then of each change, and how long ago that was at most. */
  onChange(networkInterface: string, up: boolean, withinUs: number | null): void;
};

/** Interfaces under watch. */
export type CarrierWatch = {
  /** Whether any cable leads to something that is switched on; `null` where nobody can tell. */
  state(): boolean | null;
  close(): void;
};

const usualRoot = "/sys/class/net";
const usualEveryMs = 50;

/** Begins to watch. Does not keep the process alive. */
export function watchCarrier(settings: CarrierWatchSettings): CarrierWatch {
  const { root = usualRoot, everyMs = usualEveryMs } = settings;
  const carriers = new Map<string, boolean>();
  const canHaveCable = new Map<string, boolean>();
  let timer: NodeJS.Timeout | null = null;
  let isClosed = false;
  let lookedMs: number | null = null;

  async function look(): Promise<void> {
    const beganMs = performance.now();
    const present =
      settings.interfaces.length > 0 ? settings.interfaces : await interfacesWithCable(root, canHaveCable);
    const now = await Promise.all(present.map(async (name) => [name, await readCarrier(root, name)] as const));
    if (isClosed) return;
    const found = new Map(now);
    const withinUs = lookedMs === null ? null : Math.ceil((performance.now() - lookedMs) * 1_000);
    lookedMs = beganMs;
    for (const [name, wasUp] of carriers) {
      if (wasUp && found.get(name) !== true) note(name, false, withinUs);
      if ((found.get(name) ?? null) === null) carriers.delete(name);
    }
    for (const [name, up] of found) if (up !== null) note(name, up, withinUs);
    timer = setTimeout(() => void look(), everyMs).unref();
  }

  function note(name: string, up: boolean, withinUs: number | null): void {
    if (carriers.get(name) === up) return;
    carriers.set(name, up);
    settings.onChange(name, up, withinUs);
  }

  void look();
  return {
    state: () => (carriers.size === 0 ? null : [...carriers.values()].includes(true)),
    close(): void {
      isClosed = true;
      if (timer !== null) clearTimeout(timer);
    },
  };
}

/** Whether an interface has its carrier; `null` if there is no such interface. One that is switched off has none. */
async function readCarrier(root: string, name: string): Promise<boolean | null> {
  try {
    return (await readFile(join(root, name, "carrier"), "latin1")).trim() === "1";
  } catch (error) {
    const isSwitchedOff = error instanceof Error && "code" in error && error.code === "EINVAL";
    return isSwitchedOff ? false : null;
  }
}

/** All interfaces that a cable can be plugged into; what is once known of one is kept in `known`. */
async function interfacesWithCable(root: string, known: Map<string, boolean>): Promise<readonly string[]> {
  const names = await readdir(root).catch((): string[] => []);
  for (const name of names) if (!known.has(name)) known.set(name, name !== "lo" && !(await isWireless(root, name)));
  return names.filter((name) => known.get(name) === true);
}

function isWireless(root: string, name: string): Promise<boolean> {
  const marks = ["wireless", "phy80211"].map((mark) => access(join(root, name, mark)));
  return Promise.any(marks).then(
    () => true,
    () => false,
  );
}
