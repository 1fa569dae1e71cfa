/** The units of a board, judged by systemd's own tools, which need no running systemd. */

import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const images = fileURLToPath(new URL("../../hardware/image/", import.meta.url));
const isMissing = spawnSync("systemd-analyze", ["--version"]).status !== 0 && process.env["CI"] === undefined;
if (isMissing) console.warn("The units are not looked at: systemd-analyze is missing.");

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "adrift-units-"));
  for (const unit of ["adrift.service", "adrift-first-boot.service", "adrift-update-trial.service"]) {
    // Node is elsewhere on this machine, and an absent program is an error.
    const text = readFileSync(join(images, unit), "utf8").replaceAll("/opt/adrift/bin/node", process.execPath);
    writeFileSync(join(folder, unit), text);
  }
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function analyze(args: readonly string[]): { readonly status: number | null; readonly text: string } {
  const { status, stdout, stderr } = spawnSync("systemd-analyze", args, { encoding: "utf8", cwd: folder });
  return { status, text: stdout + stderr };
}

describe.skipIf(isMissing)("the units of a board", () => {
  it.each(["adrift.service", "adrift-first-boot.service", "adrift-update-trial.service"])(
    "%s holds nothing that systemd does not understand",
    (unit) => {
      expect(analyze(["verify", "--man=no", join(folder, unit)])).toEqual({ status: 0, text: "" });
    },
  );

  it("expose little: 2.0 of 10 or less for the board", () => {
    const { text } = analyze(["security", "--offline=true", "--no-pager", join(folder, "adrift.service")]);
    const score = Number(/exposure level for adrift\.service: ([\d.]+)/.exec(text)?.[1] ?? Number.NaN);
    console.log(`adrift.service: exposure ${score} of 10`);
    expect(score).toBeLessThanOrEqual(2);
  });
});
