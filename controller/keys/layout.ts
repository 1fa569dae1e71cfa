/** The files in a folder of keys. Boards, brokers and clients find theirs by their name. */

import { join } from "node:path";

/** The authority's files are called like those of anybody else. */
export const authorityFile = "authority";

/** Where the certificate and the private key of a name are. */
export type KeyFiles = { readonly certificate: string; readonly privateKey: string };

/** The files of a name, or of `authorityFile`. */
export function keyFilesOf(folder: string, name: string): KeyFiles {
  return { certificate: join(folder, `${name}.pem`), privateKey: join(folder, `${name}.key.pem`) };
}
