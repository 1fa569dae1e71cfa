/** What a bench of network namespaces needs of this computer, looked for before anything is made. */

import { spawnSync } from "node:child_process";
import { BenchFailure } from "../bench.ts";

/** Refuses a computer on which it cannot be. @throws {BenchFailure} which says what is missing, and what to do about it */
export function refuseUnlessPossible(): void {
  if (process.platform !== "linux") {
    throw new BenchFailure(
      "A netns bench is made of Linux's network namespaces, and this is no Linux. Use a local bench: --bench local.",
    );
  }
  if (process.getuid?.() !== 0) {
    throw new BenchFailure(
      "Only root may make network namespaces. Run the same command with sudo, or use a local bench: --bench local.",
    );
  }
  const missing = programs.filter(({ command }) => spawnSync(command[0], command.slice(1)).error !== undefined);
  if (missing.length === 0) return;
  const names = missing.map(({ command }) => command[0]).join(" and ");
  const packages = missing.map((each) => each.package).join(" ");
  throw new BenchFailure(`A netns bench needs ${names}. On Debian: apt install ${packages}`);
}

const programs = [
  { command: ["ip", "-V"], package: "iproute2" },
  { command: ["nsenter", "-V"], package: "util-linux" },
  { command: ["snmpd", "-v"], package: "snmpd" },
] as const;
