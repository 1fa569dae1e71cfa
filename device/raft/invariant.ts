/** What must hold in every state; a board that finds otherwise stops, in production too, rather than go on and lie. */

/** Thrown when a board finds itself in an impossible state. The board must stop; its disk is left as it is. */
export class InvariantViolation extends Error {
  override readonly name = "InvariantViolation";

  /** The invariant's name, e.g. `committed entries are never overwritten`. */
  readonly invariant: string;
  /** What was found instead. */
  readonly detail: string;

  constructor(invariant: string, detail: string) {
    super(
      `Impossible state: "${invariant}" does not hold (${detail}). This board stops here; keep its disk and its log.`,
    );
    this.invariant = invariant;
    this.detail = detail;
  }
}

/** Stops the board unless `holds`; the message is only worked out when it is needed. */
export function assertInvariant(holds: boolean, invariant: string, detail: () => string): asserts holds {
  if (!holds) throw new InvariantViolation(invariant, detail());
}
