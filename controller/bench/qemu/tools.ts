/** The programs that a QEMU bench needs beside Node, and where Debian has them. */

import { access, constants } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { BenchFailure } from "../bench.ts";

const packages: Readonly<Record<string, string>> = {
  "qemu-system-aarch64": "qemu-system-arm",
  "qemu-img": "qemu-utils",
  mformat: "mtools",
  mcopy: "mtools",
  unshare: "util-linux",
  nsenter: "util-linux",
  setpriv: "util-linux",
  ip: "iproute2",
};

/** @throws {BenchFailure} which names the packages that are missing */
export async function requireTools(): Promise<void> {
  const missing = await missingPackages();
  if (missing.length === 0) return;
  throw new BenchFailure(
    `A qemu bench needs programs that are not here. Install them: sudo apt-get install ${missing.join(" ")}`,
  );
}

/** The packages of those programs that are not here. */
export async function missingPackages(): Promise<readonly string[]> {
  const programs = Object.entries(packages);
  const found = await Promise.all(programs.map(([program]) => isThere(program)));
  return [...new Set(programs.filter((_, index) => found[index] === false).map(([, name]) => name))];
}

function isThere(program: string): Promise<boolean> {
  // Where administrators' programs are, which are not always in the way of others.
  const folders = [...(process.env["PATH"] ?? "").split(delimiter), "/usr/sbin", "/sbin"];
  const looks = folders.map((folder) => access(join(folder, program), constants.X_OK));
  return Promise.any(looks).then(
    () => true,
    () => false,
  );
}
