/** What a command has of the outside: where it writes, what it reads, and whether somebody wants it to stop. */

/** Given to every command, so that a test can stand in for a terminal. */
export type Shell = {
  /** Results. */
  readonly out: Stream;
  /** Progress, and messages about what went wrong. */
  readonly err: Stream;
  readonly input: AsyncIterable<Uint8Array>;
  /** Where relative paths begin, and where `runs/` is kept. */
  readonly folder: string;
  /** How the command was called, for messages and for `run.json`. */
  readonly commandLine: string;
  /**
   * From now on Ctrl-C does not end the process but is noted, for a command that finishes what it knows. Pressed again, it
   * ends the process after all.
   */
  noteInterruption(): Interruption;
};

/** Whether somebody has pressed Ctrl-C since the command began to listen. */
export type Interruption = { readonly isRequested: boolean };

/** One of the two streams that a command writes to. */
export type Stream = {
  write(text: string): void;
  /** Whether a person watches it, so that a line may be written over again. */
  readonly isTerminal: boolean;
  readonly isColoured: boolean;
  /** Whoever read it has gone: what is written from now on nobody gets. */
  readonly isClosed: boolean;
  /** Columns of the terminal; of anything else a guess. */
  readonly columns: number;
};

/** What programs that call a command learn from how it ended. */
export const exitStatus = {
  /** Valid, or done. */
  done: 0,
  /** Invalid, or failed. */
  failed: 1,
  /** Nobody can tell: the checker met its bounds, or the run was stopped before its end. */
  unknown: 2,
  /** Wrong arguments, or wrong files. */
  usage: 64,
  /** A fault of Adrift's own. */
  fault: 70,
} as const;

/** One of these. */
export type ExitStatus = (typeof exitStatus)[keyof typeof exitStatus];

/** Something that the caller got wrong. The message says what, where, and what to do now. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}
