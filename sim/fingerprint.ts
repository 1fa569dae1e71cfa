/**
 * The fingerprint of a run: a running hash of everything that happens in it. Two runs with the same fingerprint went
 * the same way; it finds accidents, it does not keep out forgers.
 *
 * Two lanes of 32 bits, each mixed like MurmurHash3's and each fed with the other, by integer arithmetic alone: the same
 * on every machine.
 */
export class Fingerprint {
  private one = 0x243f6a88 | 0;
  private two = 0xb7e15162 | 0;

  /** Takes in a whole number of at most 53 bits. */
  mixNumber(value: number): void {
    const low = value | 0;
    const high = low === value ? low >> 31 : Math.floor(value / two32) | 0;
    this.mix(low, high);
  }

  /** Takes in a text, and its length, so that "ab", "c" and "a", "bc" differ. */
  mixText(text: string): void {
    const length = text.length;
    this.mix(length, 1);
    for (let position = 0; position < length; position += 2) {
      // Beyond the end charCodeAt gives NaN, which `|` takes for 0.
      this.mix(text.charCodeAt(position), text.charCodeAt(position + 1) | 0);
    }
  }

  /** Takes in two numbers of 32 bits at once. */
  private mix(low: number, high: number): void {
    let one = this.one ^ Math.imul(low, 0xcc9e2d51);
    one = (one << 15) | (one >>> 17);
    one = (Math.imul(one, 5) + 0xe6546b64) | 0;
    let two = this.two ^ Math.imul(high ^ one, 0x1b873593);
    two = (two << 13) | (two >>> 19);
    two = (Math.imul(two, 5) + 0x38495ab5) | 0;
    this.one = (one + two) | 0;
    this.two = two;
  }

  /** What was taken in so far, as 16 hexadecimal digits. More may be taken in afterwards. */
  digest(): string {
    const one = avalanche((this.one + this.two) | 0);
    const two = avalanche((this.two + one) | 0);
    return hex(one) + hex(two);
  }
}

const two32 = 4_294_967_296;

/** The last steps of MurmurHash3: every bit that goes in can change every bit that comes out. */
function avalanche(value: number): number {
  let hash = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}

function hex(value: number): string {
  return (value >>> 0).toString(16).padStart(8, "0");
}
