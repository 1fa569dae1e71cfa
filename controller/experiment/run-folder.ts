/**
 * The folder of a run: everything seen, so that it can be looked at, checked and repeated later.
 *
 * The wall clock stands in the folder's name and in `run.json` alone; all else of a simulated run follows from its seed.
 */

import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { basename, join, resolve } from "node:path";
import type { HistoryEvent } from "../../sim/history.ts";
import type { RealKind } from "../bench/bench.ts";
import type { TextFile } from "./ready.ts";
import type { RunEvent } from "./run-result.ts";

/** What `run.json` says: how the run came about and, of a simulated one, what must come out again when it is repeated. */
export type RunRecord = SimulatedRecord | RealRecord;

type AnyRecord = {
  readonly format: 1;
  readonly experiment: string;
  readonly bench: string;
  /** What the two files were called before they were copied here. */
  readonly experimentFile: string;
  readonly benchFile: string;
  readonly seed: number;
  /** Stopped before its end. */
  readonly interrupted: boolean;
  readonly startedAt: string;
  readonly commandLine: string;
  readonly versions: Versions;
};

/** The record of a run in virtual time. */
export type SimulatedRecord = AnyRecord & {
  /** Runs that were kept before there were others say nothing, and mean this. */
  readonly kind: "simulated";
  readonly source: RunSource;
  readonly fingerprint: string;
  readonly virtualUs: number;
  /** Events of the simulation; not those of `events.jsonl`, which are fewer. */
  readonly events: number;
};

/** The record of a run in real time. */
export type RealRecord = AnyRecord & { readonly kind: RealKind; readonly durationUs: number };

/** From what a run can be repeated: its experiment's file, or the seed of a campaign that drew it. */
export type RunSource =
  | { readonly kind: "experiment" }
  | {
      readonly kind: "fuzz";
      /** The broken law, if any. */
      readonly mutant: string | null;
      /** The numbers of the faults that were left after shrinking, from 1. */
      readonly onlyFaults: readonly number[];
    };

/** What ran: other versions may come to another run from the same seed. */
export type Versions = { readonly adrift: string; readonly node: string };

/** The files of a run's folder. */
export const runFiles = {
  bench: "bench.yaml",
  experiment: "experiment.yaml",
  record: "run.json",
  history: "history.jsonl",
  events: "events.jsonl",
  verdict: "verdict.json",
  report: "report.html",
} as const;

/** What is known of a run when it begins. */
export type RunBeginning = {
  /** Where runs are kept; made if it is not there. */
  readonly runs: string;
  readonly name: string;
  readonly startedAt: Date;
  readonly bench: TextFile;
  readonly experiment: TextFile;
};

/** A folder that is being filled. */
export class RunFolder {
  readonly path: string;
  readonly #runs: string;
  readonly #events: LineFile;

  /** Makes a new folder. @throws the error of `node:fs` if it cannot be made. */
  constructor({ runs, name, startedAt, bench, experiment }: RunBeginning) {
    mkdirSync(runs, { recursive: true });
    this.#runs = runs;
    this.path = makeFolder(runs, `${startedAt.toISOString().slice(0, 19).replaceAll(":", "-")}-${name}`);
    this.#write(runFiles.bench, bench.text);
    this.#write(runFiles.experiment, experiment.text);
    this.#events = new LineFile(join(this.path, runFiles.events));
  }

  /** Takes the run's events as they happen. */
  tell(event: RunEvent): void {
    this.#events.add(JSON.stringify(event));
  }

  /** Writes what is known at the end, and lets `latest` point here. */
  finish(ending: {
    readonly record: RunRecord;
    readonly history: readonly HistoryEvent[];
    readonly verdict: object;
    readonly report: string;
  }): void {
    this.#events.close();
    const history = new LineFile(join(this.path, runFiles.history));
    for (const event of ending.history) history.add(JSON.stringify(event));
    history.close();
    this.#write(runFiles.record, `${JSON.stringify(ending.record, null, 2)}\n`);
    this.#write(runFiles.verdict, `${JSON.stringify(ending.verdict, null, 2)}\n`);
    this.#write(runFiles.report, ending.report);
    pointTo(this.#runs, this.path);
  }

  #write(file: string, text: string): void {
    writeFileSync(join(this.path, file), text);
  }
}

/** Makes `name` in `runs` or, if that is taken, `name-2`, `name-3`, ... */
function makeFolder(runs: string, name: string): string {
  for (let number = 1; ; number += 1) {
    const path = join(runs, number === 1 ? name : `${name}-${number}`);
    try {
      mkdirSync(path);
      return path;
    } catch (error) {
      if (!isTaken(error)) throw error;
    }
  }
}

function isTaken(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "EEXIST";
}

const latestName = "latest";

/** `latest` is a link, or where links are not to be had a file that holds the folder's name. */
function pointTo(runs: string, path: string): void {
  const latest = join(runs, latestName);
  rmSync(latest, { force: true, recursive: true });
  try {
    symlinkSync(basename(path), latest, "dir");
  } catch {
    writeFileSync(latest, `${basename(path)}\n`);
  }
}

/** A kept run, as far as it takes to repeat it. */
export type KeptRun<Record extends RunRecord = RunRecord> = {
  readonly path: string;
  readonly record: Record;
  readonly bench: TextFile;
  readonly experiment: TextFile;
  readonly history: string;
  readonly events: string;
};

/** A folder that is not that of a run. */
export class RunFolderError extends Error {
  override readonly name = "RunFolderError";
}

/**
 * Reads a kept run.
 *
 * @param given A folder, or `latest`.
 * @param base Where relative paths begin; `latest` stands in its `runs/`.
 * @throws {RunFolderError} if there is no run, or none that this version understands.
 */
export function readRunFolder(given: string, base: string): KeptRun {
  if (given === "") throw new RunFolderError(`The name of the run is empty. ${whatToGive}`);
  const runs = join(base, "runs");
  const path = given === latestName ? latestIn(runs) : resolve(base, given);
  if (!existsSync(path)) {
    const none = `No run is kept in ${runs} yet: begin with "npx adrift demo".`;
    throw new RunFolderError(given === latestName ? none : `There is no folder ${path}. ${whatToGive}`);
  }
  const record = parseRecord(readFrom(path, runFiles.record), path);
  return {
    path,
    record,
    bench: { name: record.benchFile, text: readFrom(path, runFiles.bench) },
    experiment: { name: record.experimentFile, text: readFrom(path, runFiles.experiment) },
    history: readFrom(path, runFiles.history),
    events: readFrom(path, runFiles.events),
  };
}

function latestIn(runs: string): string {
  const latest = join(runs, latestName);
  try {
    return join(runs, readFileSync(latest, "utf8").trim());
  } catch {
    // A link to a folder cannot be read as a file.
    return latest;
  }
}

function readFrom(path: string, file: string): string {
  try {
    return readFileSync(join(path, file), "utf8");
  } catch (error) {
    throw new RunFolderError(`${path} is not the folder of a whole run: ${whyNot(file, error)}. ${whatToGive}`, {
      cause: error,
    });
  }
}

const whatToGive = "Give a folder under runs/, or latest.";

function whyNot(file: string, error: unknown): string {
  const isMissing = error instanceof Error && "code" in error && ["ENOENT", "ENOTDIR"].includes(String(error.code));
  if (isMissing) return `it holds no ${file}`;
  return `its ${file} cannot be read (${error instanceof Error ? error.message : String(error)})`;
}

/** Checks of a record what a repetition relies on. */
function parseRecord(text: string, path: string): RunRecord {
  const refuse = (why: string): RunFolderError =>
    new RunFolderError(`${join(path, runFiles.record)} ${why}. Was it written by another version of Adrift?`);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw refuse("is not JSON");
  }
  if (typeof json !== "object" || json === null) throw refuse("holds no object");
  const record: { readonly [Field in string]?: unknown } = { kind: "simulated", ...json };
  if (record["format"] !== 1) throw refuse(`has the format ${JSON.stringify(record["format"])}, not 1`);
  if (!Number.isSafeInteger(record["seed"])) throw refuse("lacks its seed or its length");
  for (const field of ["experimentFile", "benchFile"]) {
    if (typeof record[field] !== "string") throw refuse(`lacks "${field}"`);
  }
  switch (record["kind"]) {
    case "local":
      return record as RealRecord;
    case "simulated":
      checkRepeatable(record as Partial<SimulatedRecord>, refuse);
      return record as SimulatedRecord;
    default:
      throw refuse(`is of a run on a bench of the kind ${JSON.stringify(record["kind"])}, which is not known`);
  }
}

function checkRepeatable(record: Partial<SimulatedRecord>, refuse: (why: string) => RunFolderError): void {
  const kind: unknown = record.source?.kind;
  if (kind !== "experiment" && kind !== "fuzz") throw refuse("does not say from what the run can be repeated");
  if (!Number.isSafeInteger(record.virtualUs)) throw refuse("lacks its seed or its length");
  if (typeof record.fingerprint !== "string") throw refuse('lacks "fingerprint"');
}

/** Writes a file line by line, in large pieces. */
class LineFile {
  readonly #descriptor: number;
  #pending: string[] = [];
  #pendingLength = 0;

  constructor(path: string) {
    this.#descriptor = openSync(path, "w");
  }

  add(line: string): void {
    this.#pending.push(line);
    this.#pendingLength += line.length + 1;
    if (this.#pendingLength > pieceLength) this.#flush();
  }

  close(): void {
    this.#flush();
    closeSync(this.#descriptor);
  }

  #flush(): void {
    if (this.#pending.length > 0) writeSync(this.#descriptor, `${this.#pending.join("\n")}\n`);
    this.#pending = [];
    this.#pendingLength = 0;
  }
}

const pieceLength = 1 << 20;
