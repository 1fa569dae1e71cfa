import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { diskSuite } from "../../storage/disk.suite.ts";
import { type FileDisk, openFileDisk } from "./file-disk.ts";

diskSuite("a disk of files", async () => {
  const folder = mkdtempSync(join(tmpdir(), "adrift-disk-"));
  let disk = await openFileDisk(folder);
  return {
    disk: () => disk,
    settle: () => settled(disk),
    restart: async () => {
      await disk.close();
      disk = await openFileDisk(folder);
    },
    cutPower: null,
    dispose: async () => {
      await disk.close();
      rmSync(folder, { recursive: true });
    },
  };
});
function settled(disk: FileDisk): Promise<void> {
  return new Promise((resolve) => disk.list(() => setImmediate(resolve)));
}
