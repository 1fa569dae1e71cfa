/** The status with which a command ends that has come to a verdict. */

import type { VerdictName } from "../check/index.ts";
import { type ExitStatus, exitStatus } from "./shell.ts";

/** The status that tells a verdict. */
export function statusOf(verdict: VerdictName): ExitStatus {
  switch (verdict) {
    case "valid":
      return exitStatus.done;
    case "invalid":
      return exitStatus.failed;
    case "unknown":
      return exitStatus.unknown;
    default:
      return verdict satisfies never;
  }
}
