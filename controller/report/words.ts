/** Times, counts and lists in words, as every report says them. */

/** Seconds with two places: `12.34 s`. */
export function seconds(us: number): string {
  return `${(us / 1_000_000).toFixed(2)} s`;
}

/** `1 operation`, `2 operations`, `1,240 operations`. */
export function count(number: number, one: string, several = `${one}s`): string {
  return `${grouped(number)} ${number === 1 ? one : several}`;
}

/** A whole number with commas between its thousands. */
export function grouped(number: number): string {
  return String(Math.round(number)).replaceAll(/\B(?=(\d{3})+$)/g, ",");
}

/** `pi-1`, `pi-1 and pi-2`, `pi-1, pi-2 and pi-3`. */
export function listed(names: readonly string[]): string {
  if (names.length < 2) return names.join("");
  return `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}

/** The text as a sentence begins: a name keeps its small letter. */
export function capitalized(text: string): string {
  return /^[a-z]+-\d/.test(text) ? text : text.charAt(0).toUpperCase() + text.slice(1);
}
