/** What a person is told when a board cannot use its data folder. */

/** A data folder cannot be used; the message says what is wrong, where, and what to do now. */
export class DataFolderError extends Error {
  override readonly name = "DataFolderError";
}

/** The `code` of an error of the operating system (`ENOSPC`, `EROFS`, ...), or the empty text. */
export function errorCode(error: unknown): string {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";
}

/** What the operating system's refusal to let us use `folder` means, as an error for a person. */
export function folderError(folder: string, error: unknown): DataFolderError {
  if (error instanceof DataFolderError) return error;
  const cause = error instanceof Error ? error.message : String(error);
  return new DataFolderError(`${folder}: ${refusals[errorCode(error)] ?? `it cannot be used (${cause}).`}`, {
    cause: error,
  });
}

const noSpace = "there is no space left. Make room on this disk, then start the board again.";
const readOnly = "it cannot be written. Mount its disk with write access, or choose another folder.";
const forbidden = "this user may not write there. Give the folder to the user that runs the board (chown).";
const notAFolder = "this is not a folder, or a part of the path is a file. Choose another path.";

/** Refusals with a known remedy, by the operating system's code. */
const refusals: Readonly<Record<string, string>> = {
  ENOSPC: noSpace,
  EDQUOT: noSpace,
  EROFS: readOnly,
  EACCES: forbidden,
  EPERM: forbidden,
  ENOTDIR: notAFolder,
  EEXIST: notAFolder,
  ENOENT: "there is no such folder, and it cannot be made. Make the folder that it should stand in, or choose another.",
  EIO: "the disk fails to read or write (EIO). Replace the card or disk; what it holds should not be trusted.",
};
