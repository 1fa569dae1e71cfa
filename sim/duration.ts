/** Lengths of time as people write them: `300ms`, `5s`, `1.5s`, `2m`. Inside, whole microseconds. */

const unitsUs: Readonly<Record<string, number>> = { us: 1, ms: 1_000, s: 1_000_000, m: 60_000_000, h: 3_600_000_000 };

/** What a written duration looks like, a sign before it apart. */
export const durationPattern = /^\d{1,9}(\.\d{1,6})?(us|ms|s|m|h)$/;

/** The microseconds of a duration that matches `durationPattern`, perhaps with a minus sign before it; rounded. */
export function parseDurationUs(text: string): number {
  const unit = /[a-z]+$/.exec(text)?.[0] ?? "";
  return Math.round(Number(text.slice(0, text.length - unit.length)) * (unitsUs[unit] ?? Number.NaN));
}

/** The shortest text that says exactly this duration: `1.5s`, `300ms`, `2m`. */
export function formatDurationUs(durationUs: number): string {
  const size = Math.abs(durationUs);
  if (size >= 60_000_000 && size % 60_000_000 === 0) return `${durationUs / 60_000_000}m`;
  if (size >= 1_000_000) return `${durationUs / 1_000_000}s`;
  if (size >= 1_000) return `${durationUs / 1_000}ms`;
  return size === 0 ? "0s" : `${durationUs}us`;
}
