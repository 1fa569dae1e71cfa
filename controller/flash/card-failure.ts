/** What goes wrong with a card. */

/** An image, a drive or a card that cannot be used. The message says what, where, and what to do now. */
export class CardFailure extends Error {
  override readonly name = "CardFailure";
}
