/** A progress bar for long work: on standard error, and only on a terminal. */

import type { Stream } from "./shell.ts";

/** A line that is written over again and again. Where nobody watches, nothing is shown. */
export type ProgressBar = {
  /** Shows how far the work is, from 0 to 1, or `null` where nobody knows, and what there is to say of it. */
  show(part: number | null, text: string): void;
  /** Takes the bar away, before anything else is printed. */
  clear(): void;
};

const barWidth = 24;
const showEveryMs = 100;
/** What is done before anybody gets impatient needs no bar. */
const patienceMs = 400;

/** A bar for work that is called so. It appears only if the work takes a while. */
export function createProgressBar(stream: Stream, what: string): ProgressBar {
  if (!stream.isTerminal) return { show: () => undefined, clear: () => undefined };
  const startedMs = performance.now();
  let shownMs = startedMs + patienceMs - showEveryMs;
  let isShown = false;
  return {
    show(part, text) {
      const nowMs = performance.now();
      if (nowMs - shownMs < showEveryMs) return;
      shownMs = nowMs;
      isShown = true;
      const line = `${what} ${barOf(part, nowMs - startedMs)} ${text}`;
      stream.write(`\r\u001b[2K${line.slice(0, stream.columns - 1)}`);
    },
    clear() {
      if (isShown) stream.write("\r\u001b[2K");
      isShown = false;
    },
  };
}

function barOf(part: number | null, elapsedMs: number): string {
  if (part === null) {
    const place = Math.floor(elapsedMs / showEveryMs) % barWidth;
    return `[${"·".repeat(place)}█${"·".repeat(barWidth - 1 - place)}]`;
  }
  const full = Math.round(Math.min(Math.max(part, 0), 1) * barWidth);
  return `[${"█".repeat(full)}${"·".repeat(barWidth - full)}] ${String(Math.floor(part * 100)).padStart(3)} %`;
}
