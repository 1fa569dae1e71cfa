/**
 * A process that writes a log until it is killed: `node writer.mjs DATA`. It says on its standard output, a line each,
 * `ready`, and what has become durable: `<last index> <term>`. What it writes follows from index and term alone.
 */

import { writeSync } from "node:fs";
import { openStorage } from "../../storage/index.ts";
import { boot } from "../../storage/storage.fixture.ts";
import type { Storage } from "../../storage/storage.ts";
import { openDataFolder } from "./data-folder.ts";
import { openFileDisk } from "./file-disk.ts";
import { entryAt, segmentBytesMax, stateAt, voteIn } from "./written.fixture.ts";

const folder = await openDataFolder(process.argv[2] ?? "");
const disk = await openFileDisk(folder.logFolder);
openStorage(disk, boot, { segmentBytesMax }, (opened) => {
  if (opened.kind !== "ready") throw new Error(JSON.stringify(opened));
  const { storage, recovered } = opened;
  say("ready");
  // Several saves under way at once, so that flushes are shared.
  for (let lane = 0; lane < 3; lane += 1) write(storage, recovered.hardState.term + 1);
});

let term = 0;
let saves = 0;

/** Saves a few entries, now and then with a new term and its vote, again and again. */
function write(storage: Storage, termMin: number): void {
  saves += 1;
  const votes = saves % 7 === 1;
  term = Math.max(term, termMin);
  if (votes) term += 1;
  const termOfEntries = term;
  const first = storage.lastIndex + 1;
  const entries = Array.from({ length: saves % 4 }, (_, at) => entryAt(first + at, termOfEntries));
  const lastIndex = first - 1 + entries.length;
  const hardState = votes ? { term, votedFor: voteIn(term) } : null;
  storage.save({ hardState, entries, snapshot: null }, (result) => {
    if (!result.ok) throw new Error(result.error.message);
    say(`${lastIndex} ${termOfEntries}`);
    if (saves % 50 === 0 && entries.length > 0) {
      storage.compact(stateAt(lastIndex, termOfEntries), 20, (compacted) => {
        if (!compacted.ok) throw new Error(compacted.error.message);
      });
    }
    write(storage, termMin);
  });
}

function say(line: string): void {
  writeSync(1, `${line}\n`);
}
