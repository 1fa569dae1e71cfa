/** What can go wrong with an operation, told apart by what is known of its effect. */

/** It surely had no effect and never will. What to do about it stands in the message. */
export class DefiniteError extends Error {
  override readonly name = "DefiniteError";
}

/**
 * Nobody knows whether it took effect, or will: it was sent, and no answer came. If it does, then once. Look at the
 * state before doing it again, or do again only what may be done twice.
 */
export class IndefiniteError extends Error {
  override readonly name = "IndefiniteError";
}

/** A client cannot be connected. The message says why and what to do. */
export class ConnectError extends Error {
  override readonly name = "ConnectError";
  /** `options`: they cannot be right; `unreachable`: no broker answered in time. */
  readonly reason: "options" | "unreachable";

  constructor(reason: ConnectError["reason"], message: string) {
    super(message);
    this.reason = reason;
  }
}
