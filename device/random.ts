/**
 * Numbers that look random and follow from a seed, the same on every machine: the sfc32 generator (Chris Doty-Humphrey,
 * PractRand), integers only.
 */

export type Random = {
  /** A whole number, at least `min` and less than `max`, each as likely as the others. Needs `min < max`. */
  between(min: number, max: number): number;
  /** True `numerator` times in `denominator`. */
  chance(numerator: number, denominator: number): boolean;
  /** One of `items`, which must not be empty. */
  pick<Item>(items: readonly Item[]): Item;
  /** A generator of its own for `purpose`: what one part draws never shifts what another part draws. */
  fork(purpose: string): Random;
};

const two32 = 4_294_967_296;

/** The generator that follows from `seed`, any text or whole number. */
export function createRandom(seed: string | number): Random {
  const text = String(seed);
  let a = hashText(text, 0x9e3779b9);
  let b = hashText(text, 0x243f6a88);
  let c = hashText(text, 0xb7e15162);
  let counter = 1;

  function next(): number {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + sum;
    c |= 0;
    return sum >>> 0;
  }
  for (let round = 0; round < 12; round += 1) next();

  /** Draws below `range` without bias: draws that fall into the incomplete last stretch are thrown away. */
  function below(range: number): number {
    if (range <= two32) {
      const limit = two32 - (two32 % range);
      let drawn = next();
      while (drawn >= limit) drawn = next();
      return drawn % range;
    }
    const high = (next() & 0x1fffff) * two32;
    return (high + next()) % range;
  }

  return {
    between(min, max) {
      if (!(min < max)) throw new RangeError(`Nothing lies between ${min} and ${max}: the first must be the smaller.`);
      return min + below(max - min);
    },
    chance(numerator, denominator) {
      return below(denominator) < numerator;
    },
    pick(items) {
      const item = items[below(Math.max(items.length, 1))];
      if (item === undefined) throw new RangeError("Nothing to pick from: the list is empty.");
      return item;
    },
    fork(purpose) {
      return createRandom(`${text}/${purpose}`);
    },
  };
}

/** A 32-bit hash of a text (the mixing steps of MurmurHash3), well spread even for texts that differ in one character. */
function hashText(text: string, start: number): number {
  let hash = start | 0;
  for (let position = 0; position < text.length; position += 1) {
    let block = Math.imul(text.charCodeAt(position), 0xcc9e2d51);
    block = (block << 15) | (block >>> 17);
    hash ^= Math.imul(block, 0x1b873593);
    hash = (hash << 13) | (hash >>> 19);
    hash = (Math.imul(hash, 5) + 0xe6546b64) | 0;
  }
  hash ^= text.length;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}
