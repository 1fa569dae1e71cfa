/** The whole of `adrift bench`: starts what is to be measured, measures it, and ends it again. */

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { checkHistoryFile, type Verdict } from "../check/index.ts";
import { startAdrift } from "./adrift-cluster.ts";
import type { Contestant, FaultName } from "./contestant.ts";
import { startEtcd } from "./etcd-cluster.ts";
import {
  type Contest,
  inFlightLevels,
  type MeasureSettings,
  measureFailOvers,
  measureStarts,
  measureThroughput,
  type Tell,
  warmUp,
} from "./measure.ts";
import type { Row } from "./row.ts";

/** What can be measured, each by itself. */
export const partNames = ["start", "writes", "reads", "kill", "cut"] as const;

export type PartName = (typeof partNames)[number];

/** What to measure, and how much of it. */
export type SpeedSettings = MeasureSettings & {
  readonly parts: readonly PartName[];
  /** How many faults of each kind. */
  readonly faults: number;
  /** The version of Adrift, for the table. */
  readonly version: string;
  /** The installed version of etcd to compare with; `null`: no comparison. */
  readonly etcdVersion: string | null;
  /** A folder for what clients saw, to be judged at the end; `null`: it is not written down. */
  readonly historyFolder: string | null;
};

/** What was measured. */
export type SpeedReport = {
  readonly adrift: string;
  readonly peer: string | null;
  readonly rows: readonly Row[];
  /** One for each cluster of ours that was asked; empty if nothing was written down. */
  readonly verdicts: readonly { readonly file: string; readonly verdict: Verdict }[];
};

const startsMax = 5;
/** The peer's wait varies little, and each takes a second. */
const peerFaultsMax = 5;

/** Measures. @throws whatever `tell` throws, and errors for what does not run; nothing is left behind then either. */
export async function measureSpeed(settings: SpeedSettings, tell: Tell): Promise<SpeedReport> {
  const { parts, etcdVersion, historyFolder } = settings;
  if (historyFolder !== null) mkdirSync(historyFolder, { recursive: true });
  const rows: Row[] = [];
  const files: string[] = [];
  const names = { adrift: `adrift ${settings.version}`, peer: etcdVersion === null ? null : `etcd ${etcdVersion}` };

  for (const [at, cables] of [false, true].entries()) {
    const here = parts.filter((part) => (part === "cut") === cables);
    if (here.length === 0) continue;
    const historyFile = historyFolder === null ? null : join(historyFolder, `history-${at + 1}.jsonl`);
    if (historyFile !== null) files.push(historyFile);
    await withContest({ settings, cables, historyFile, tell }, async (contest) => {
      rows.push(...(await measureParts(contest, here, settings, tell)));
    });
  }

  const verdicts: { file: string; verdict: Verdict }[] = [];
  for (const file of files) {
    tell(`judging ${file}`);
    verdicts.push({ file, verdict: await checkHistoryFile(file) });
  }
  return { ...names, rows, verdicts };
}

type Surroundings = {
  readonly settings: SpeedSettings;
  readonly cables: boolean;
  readonly historyFile: string | null;
  readonly tell: Tell;
};

/** The peer has no cables to be cut: it takes part in all else. */
async function withContest(
  { settings, cables, historyFile, tell }: Surroundings,
  measure: (contest: Contest) => Promise<void>,
): Promise<void> {
  const running: Contestant[] = [];
  try {
    tell("starting three boards and a broker");
    const inFlightMax = Math.max(...inFlightLevels);
    const adrift = await startAdrift({ version: settings.version, cables, historyFile, inFlightMax });
    running.push(adrift);
    let peer: Contestant | null = null;
    if (settings.etcdVersion !== null && !cables) {
      tell("starting three members of etcd");
      peer = await startEtcd(settings.etcdVersion);
      running.push(peer);
    }
    await measure({ adrift, peer });
    await adrift.load.close();
  } finally {
    await Promise.all(running.map((contestant) => contestant.close()));
  }
}

async function measureParts(
  contest: Contest,
  parts: readonly PartName[],
  settings: SpeedSettings,
  tell: Tell,
): Promise<readonly Row[]> {
  const rows: Row[] = [];
  if (parts.includes("start")) rows.push(await measureStarts(contest, Math.min(startsMax, settings.faults), tell));
  if (parts.includes("writes") || parts.includes("reads")) await warmUp(contest, settings, tell);
  if (parts.includes("writes")) rows.push(...(await measureThroughput(contest, "write", settings, tell)));
  if (parts.includes("reads")) rows.push(...(await measureThroughput(contest, "read", settings, tell)));
  for (const fault of ["kill", "cut"] satisfies FaultName[]) {
    if (!parts.includes(fault)) continue;
    const times = { adrift: settings.faults, peer: Math.min(settings.faults, peerFaultsMax) };
    rows.push(await measureFailOvers(contest, fault, times, tell));
  }
  return rows;
}
