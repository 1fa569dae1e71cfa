import type { ConcludedRun } from "../experiment/conclude.ts";
import type { RunRecord } from "../experiment/run-folder.ts";

export function renderReport(run: ConcludedRun, record: RunRecord): string {
  return `<p>${run.judgement.verdict} ${record.seed}</p>`;
}
