/** How the values of options are read. What cannot be read is refused with what may stand there. */

import { InvalidArgumentError } from "commander";

/** The greatest seed that an experiment's file may hold too. */
export const seedMax = 4_294_967_295;
const countMax = 10_000_000;
const minutesMax = 7 * 24 * 60;

/** A seed: a whole number. */
export function seedOption(text: string): number {
  return wholeNumber(text, 0, seedMax);
}

/** How many of something: at least one. */
export function countOption(text: string): number {
  return wholeNumber(text, 1, countMax);
}

/** A length of time in minutes; part of one will do. */
export function minutesOption(text: string): number {
  const minutes = /^\d{1,6}(\.\d{1,6})?$/.test(text) ? Number(text) : Number.NaN;
  if (minutes > 0 && minutes <= minutesMax) return minutes;
  throw new InvalidArgumentError(`It must be a number above 0, at most ${minutesMax}.`);
}

function wholeNumber(text: string, min: number, max: number): number {
  const number = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (number >= min && number <= max) return number;
  throw new InvalidArgumentError(`It must be a whole number from ${min} to ${max}.`);
}
