/** The operating system's errors in storage's words. */

import type { DiskError, DiskResult } from "../../storage/disk.ts";
import { errorCode } from "./data-folder-error.ts";

/** How an operation ends whose only result is that it succeeded. */
export const success: DiskResult<null> = { ok: true, value: null };

/** What it means for storage that `action` on `path` failed: "C cannot be flushed ...". */
export function diskFailure(path: string, action: string, error: unknown): DiskError {
  const cause = error instanceof Error ? error.message : String(error);
  switch (errorCode(error)) {
    case "ENOSPC":
    case "EDQUOT":
      return {
        kind: "full",
        message: `${path} could not be ${action}: the disk is full. Make room, then start the board again (${cause}).`,
      };
    case "ENOENT":
      return { kind: "missing", message: `${path} could not be ${action}: there is no such file.` };
    case "EROFS":
      return {
        kind: "failed",
        message: `${path} could not be ${action}: the disk has become read-only, as cards do that fail. Check it (fsck), mount it with write access or replace it, then start the board again (${cause}).`,
      };
    default:
      return {
        kind: "failed",
        message: `${path} could not be ${action}: the disk fails. Check the card or disk and replace it if need be, then start the board again (${cause}).`,
      };
  }
}
