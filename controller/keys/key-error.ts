/** Something about a folder of keys that a person has to put right. */

/** The message says what, where, and what to do now. */
export class KeyError extends Error {
  override readonly name = "KeyError";
}
