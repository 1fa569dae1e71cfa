import { diskSuite } from "./disk.suite.ts";
import { MemoryDisk } from "./memory-disk.fixture.ts";

diskSuite("the tests' disk in memory", () => {
  const disk = new MemoryDisk();
  return { disk: () => disk, settle: () => disk.settle(), restart: () => {}, cutPower: null, dispose: () => {} };
});
