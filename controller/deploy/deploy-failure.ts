/** Why boards were not updated. */

/** The message says what, where, and what to do now. */
export class DeployFailure extends Error {
  override readonly name = "DeployFailure";
}
