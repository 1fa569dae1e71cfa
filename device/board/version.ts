/** The version of the software that runs on a board. */

/** Put in when the board's program is bundled. */
declare const adriftVersion: string | undefined;

/** As in `package.json`; a board that runs from its sources has none. */
export const version: string = typeof adriftVersion === "string" ? adriftVersion : "unbundled";
