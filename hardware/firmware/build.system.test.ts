import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";

const folder = fileURLToPath(new URL(".", import.meta.url));
const compiler = spawnSync("avr-gcc", ["--version"], { encoding: "utf8" }).stdout?.split("\n")[0];
const flashBytes = 32_256;
const memoryBytes = 2_048;

describe.skipIf(compiler === undefined && !process.env["CI"])("the relay firmware (needs avr-gcc and avr-libc)", () => {
  test("when it is built, then it is, byte by byte, the committed one, and it fits with room to spare", () => {
    const build = mkdtempSync(join(tmpdir(), "adrift-firmware-"));
    try {
      const said = execFileSync("make", ["--no-print-directory", "-C", folder, `BUILD=${build}`], { encoding: "utf8" });
      const committed: unknown = JSON.parse(readFileSync(join(folder, "relay.json"), "utf8"));
      expect(committed, "another compiler may give other bytes: make release says which it was").toMatchObject({
        compiler,
      });
      expect(readFileSync(join(build, "relay.hex"), "utf8")).toBe(readFileSync(join(folder, "relay.hex"), "utf8"));

      const [text = 0, data = 0, bss = 0] = said.trim().split("\n").at(-1)?.trim().split(/\s+/).map(Number) ?? [];
      console.log(`The relay firmware takes ${text + data} bytes of flash and ${data + bss} bytes of memory.`);
      expect(text + data).toBeLessThan(flashBytes / 2);
      expect(data + bss).toBeLessThan(memoryBytes / 2);
    } finally {
      rmSync(build, { recursive: true, force: true });
    }
  });
});
