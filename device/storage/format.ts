/** A disk made ready for a member that starts from nothing. */

import { type BootRecord, bootFile, encodeBootRecord } from "./boot-record.ts";
import type { Disk, Done } from "./disk.ts";
import { removeFiles, sortFiles } from "./files.ts";
import { initialHardState } from "./replay.ts";
import { encodeNewSegment, segmentFile } from "./segment.ts";

/**
 * Makes the disk that of `boot.member`, with an empty log. Whatever log and snapshots were there are erased; foreign
 * files stay. If it is interrupted the disk opens as empty, so it can simply be repeated.
 */
export function formatStorage(disk: Disk, boot: BootRecord, done: Done<null>): void {
  const writeBoot = (state: "formatting" | "formatted", then: () => void): void => {
    disk.replace(bootFile, encodeBootRecord(boot, state), (result) => {
      if (result.ok) then();
      else done(result);
    });
  };
  const writeLog = (): void => {
    const header = { owner: boot, hardState: initialHardState, lastIndex: 0, lastTerm: 0 };
    disk.replace(segmentFile(1), encodeNewSegment(header, 1), (result) => {
      if (result.ok) writeBoot("formatted", () => done({ ok: true, value: null }));
      else done(result);
    });
  };
  writeBoot("formatting", () => {
    disk.list((listed) => {
      if (!listed.ok) {
        done(listed);
        return;
      }
      const { segments, snapshots } = sortFiles(listed.value);
      removeFiles(disk, [...segments.map(segmentFile), ...snapshots.map(({ file }) => file)], (result) => {
        if (result.ok) writeLog();
        else done(result);
      });
    });
  });
}
