/** Small sets of small whole numbers, as immutable lists of 32-bit words. Sets of one family have the same length. */

/** A set of small whole numbers. */
export type Bits = readonly number[];

/** Whether the number is in the set. */
export function hasBit(bits: Bits, bit: number): boolean {
  return (((bits[bit >>> 5] ?? 0) >>> (bit & 31)) & 1) === 1;
}

/** The set with the number in it. */
export function withBit(bits: Bits, bit: number): Bits {
  const changed = bits.slice();
  while (changed.length <= bit >>> 5) changed.push(0);
  changed[bit >>> 5] = (changed[bit >>> 5] ?? 0) | (1 << (bit & 31));
  return changed;
}

/** The set without the number. */
export function withoutBit(bits: Bits, bit: number): Bits {
  const changed = bits.slice();
  changed[bit >>> 5] = (changed[bit >>> 5] ?? 0) & ~(1 << (bit & 31));
  return changed;
}
