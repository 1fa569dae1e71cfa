/** `.adrift/up.json`: how commands in the same folder find the bench that `adrift up` runs there. */

import { existsSync, mkdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import * as z from "zod/mini";
import { askBench, NoBenchError } from "../../bench/local/control-client.ts";
import type { ControlReply, ControlRequest } from "../../bench/local/control-protocol.ts";
import { UsageError } from "../shell.ts";

const upFile = z.object({
  format: z.literal(1),
  pid: z.int(),
  bench: z.string(),
  cluster: z.string(),
  brokers: z.array(z.object({ name: z.string(), url: z.string() })),
  /** The folder of keys, or `null`. */
  keys: z.nullable(z.string()),
  /** The path of the bench's control socket. */
  control: z.string(),
});

/** What the file says: who runs, where its brokers are, and how to ask something of it. */
export type UpFile = z.output<typeof upFile>;

/** Where the file is, for commands that are called in this folder. */
export function upFilePath(folder: string): string {
  return join(folder, ".adrift", "up.json");
}

/** The bench that runs in this folder, as far as the file says; `null` if there is none. */
export function readUpFile(folder: string): UpFile | null {
  const path = upFilePath(folder);
  if (!existsSync(path)) return null;
  try {
    const parsed = upFile.safeParse(JSON.parse(readFileSync(path, "utf8")));
    return parsed.success ? parsed.data : null;
  } catch {
    return null;
  }
}

/** Writes the file, of which nobody else may read anything. @throws {UsageError} if it cannot stand there. */
export function writeUpFile(folder: string, content: UpFile): void {
  const path = upFilePath(folder);
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    writeFileSync(path, `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600 });
  } catch (error) {
    const cause = error instanceof Error ? error.message : String(error);
    throw new UsageError(
      `Commands find the bench by ${path}, which cannot be written (${cause}). Move away what is in its place, or start ` +
        "the bench in a folder where you may write.",
    );
  }
}

/** Removes the file, and its folder if nothing else is in it. */
export function removeUpFile(folder: string): void {
  const path = upFilePath(folder);
  try {
    rmSync(path, { force: true });
    rmdirSync(dirname(path));
  } catch {
    // Something else is in it or in its place, or it is gone already.
  }
}

/** The bench that really runs in this folder; `null` if there is none, or only the file of one that is gone. */
export async function findRunning(folder: string): Promise<UpFile | null> {
  const up = readUpFile(folder);
  if (up === null) return null;
  try {
    await askBench(up.control, { do: "state" });
    return up;
  } catch (error) {
    if (error instanceof NoBenchError) return null;
    throw error;
  }
}

/** Asks something of the bench that runs in this folder. @throws {UsageError} if none runs there, or it refuses. */
export async function askRunning(
  folder: string,
  request: ControlRequest,
): Promise<Extract<ControlReply, { readonly ok: true }>> {
  const up = readUpFile(folder);
  if (up === null) throw nothingRuns(folder);
  try {
    const reply = await askBench(up.control, request);
    if (!reply.ok) throw new UsageError(reply.error);
    return reply;
  } catch (error) {
    throw error instanceof NoBenchError ? nothingRuns(folder) : error;
  }
}

function nothingRuns(folder: string): UsageError {
  return new UsageError(`No bench runs in ${folder}. Start one there with "npx adrift up", or go where one runs.`);
}
