/**
 * Who founded the cluster whose boards keep their data in a folder: `bench.json` in it. Once the cluster is founded no
 * board is made ready to vote any more: whoever then comes with an empty card has forgotten what it promised, or never
 * promised anything, and has to be taken in under a new identity.
 */

import { readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod/mini";
import { type FoundLog, findLog, isEmptyDataFolder, provision } from "../../../device/board/disk/data-folder.ts";
import { DataFolderError, errorCode } from "../../../device/board/disk/data-folder-error.ts";
import { Folder } from "../../../device/board/disk/folder.ts";
import type { Bench, NodeName } from "../../../hardware/bench.ts";
import { BenchFailure } from "../bench.ts";

/** With whom a bench begins. */
export type Founding = {
  readonly founders: readonly NodeName[];
  /** Boards with an empty card that are no founders of a new cluster: they ask to be taken in. */
  readonly newcomers: readonly NodeName[];
};

const recordName = "bench.json";

const record = z.object({
  format: z.literal(1),
  cluster: z.string(),
  founders: z.array(z.string()),
  /** `founding`: some founders may not have their card yet, and none of them has ever run. */
  state: z.enum(["founding", "founded"]),
});

type FoundingRecord = z.output<typeof record>;

/**
 * Founds a cluster in a folder that is new, or finds who founded the one that is there.
 *
 * @throws {BenchFailure} if the cluster in the folder is not this bench's
 * @throws {DataFolderError} if the folder holds what nobody understands
 */
export async function found(folder: string, bench: Bench): Promise<Founding> {
  const logs = await logsIn(folder);
  const known =
    (await readRecord(folder)) ?? (await (logs.size === 0 ? begin(folder, bench) : adopt(folder, bench, logs)));
  refuseOther(folder, bench, known, logs);
  if (known.state === "founding") await complete(folder, known);
  else refuseLost(folder, logs);
  const names = bench.boards.map(({ name }) => name);
  const isNew = (name: NodeName) => !logs.has(name) && !(known.state === "founding" && known.founders.includes(name));
  return { founders: known.founders, newcomers: names.filter(isNew) };
}

/** Says who is going to found the cluster, before any of them could. */
async function begin(folder: string, { cluster, boards }: Bench): Promise<FoundingRecord> {
  const founders = boards.map(({ name }) => name);
  for (const name of founders) {
    if (await isEmptyDataFolder(join(folder, name))) continue;
    throw new DataFolderError(
      `${join(folder, name)}: the folder is not empty, but holds no board's log. Empty it, or choose another folder.`,
    );
  }
  const begun: FoundingRecord = { format: 1, cluster, founders, state: "founding" };
  await writeRecord(folder, begun);
  return begun;
}

/** Gives every founder its card. What is there of one was begun before a crash, and no board has run on it. */
async function complete(folder: string, begun: FoundingRecord): Promise<void> {
  const { cluster, founders } = begun;
  const makeReady = async (board: NodeName) => {
    await rm(join(folder, board, "log"), { recursive: true, force: true });
    await provision(join(folder, board), { cluster, board });
  };
  await Promise.all(founders.map(makeReady));
  await writeRecord(folder, { ...begun, state: "founded" });
}

/** Boards that ran before there was a record all founded their cluster; if one is missing, nobody can tell which. */
async function adopt(folder: string, { name, cluster, boards }: Bench, logs: Logs): Promise<FoundingRecord> {
  const founders = boards.map((board) => board.name);
  const others = [...logs.values()].filter((log) => log !== "unreadable" && log.cluster !== cluster);
  const isWhole = logs.size === founders.length && founders.every((board) => logs.has(board)) && others.length === 0;
  if (!isWhole) {
    throw new BenchFailure(
      `${folder} holds boards (${[...logs.keys()].join(", ")}), but no ${recordName} that says who founded their cluster, and they ` +
        `are not those of ${name} (${founders.join(", ")}, cluster ${cluster}). Start it once with the bench that these boards ` +
        "are of, or choose another folder.",
    );
  }
  const adopted: FoundingRecord = { format: 1, cluster, founders, state: "founded" };
  await writeRecord(folder, adopted);
  return adopted;
}

function refuseOther(folder: string, { name, cluster, boards }: Bench, known: FoundingRecord, logs: Logs): void {
  const advice = "or choose another folder.";
  if (known.cluster !== cluster) {
    throw new BenchFailure(
      `${folder} holds the cluster ${known.cluster}, but the cluster of ${name} is ${cluster}. Start the bench that it belongs ` +
        `to, ${advice}`,
    );
  }
  const missing = (names: readonly NodeName[]) => names.filter((each) => !boards.some((board) => board.name === each));
  const founders = missing(known.founders);
  if (founders.length > 0) {
    throw new BenchFailure(
      `${folder} holds a cluster that ${known.founders.join(", ")} founded, but ${name} has no ${founders.join(", ")}. Start a ` +
        `bench that has all of them, ${advice}`,
    );
  }
  const members = missing([...logs.keys()]);
  if (members.length > 0) {
    throw new BenchFailure(
      `${folder} holds what ${members.join(", ")} stored, but ${name} has no such board, and it may have a vote. Start a bench ` +
        `that has it, or, if it has left the cluster for good, remove ${join(folder, members[0] ?? "")}.`,
    );
  }
}

/** Without anybody who could take them in, boards would ask for ever. */
function refuseLost(folder: string, logs: Logs): void {
  if (logs.size > 0) return;
  throw new BenchFailure(
    `${folder} holds a cluster of which no board has its data any more. To begin a new one there, remove ` +
      `${join(folder, recordName)} too, or choose another folder.`,
  );
}

type Logs = ReadonlyMap<NodeName, Exclude<FoundLog, "none">>;

/** Whose logs are in the folder, by the names of the folders in which they are. */
async function logsIn(folder: string): Promise<Logs> {
  const logs = new Map<NodeName, Exclude<FoundLog, "none">>();
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const log = entry.isDirectory() ? await findLog(join(folder, entry.name)) : "none";
    if (log !== "none") logs.set(entry.name, log);
  }
  return logs;
}

async function readRecord(folder: string): Promise<FoundingRecord | null> {
  const path = join(folder, recordName);
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if (errorCode(error) === "ENOENT") return null;
    throw error;
  }
  const parsed = record.safeParse(parseJson(text));
  if (parsed.success) return parsed.data;
  throw new DataFolderError(
    `${path} does not say who founded this cluster. If a newer version of adrift wrote it, install that; otherwise remove ` +
      "it, and start the bench that it was made for with all its boards' folders in place.",
  );
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

async function writeRecord(path: string, content: FoundingRecord): Promise<void> {
  const folder = await Folder.open(path);
  try {
    await folder.replace(recordName, Buffer.from(`${JSON.stringify(content, null, 2)}\n`));
  } finally {
    await folder.close();
  }
}
