/** From a disk, whatever state it is in, to the durable state of a member: opening, and starting over. */

import type { MemberId } from "../raft/index.ts";
import {
  type BootRecord,
  type Damage,
  type Disk,
  formatStorage,
  openStorage,
  type Recovered,
  type Storage,
  type StorageOptions,
} from "../storage/index.ts";
import type { BoardId } from "./identity.ts";

/** What opening a disk takes. */
export type OpenSettings = {
  readonly disk: Disk;
  readonly cluster: string;
  readonly board: BoardId;
  readonly storage: StorageOptions;
  /** Draws the identity under which the board starts over. */
  readonly rebirth: () => MemberId;
  readonly rejoinAfterDamage: boolean;
};

/** What the opener hears, in the order in which it happens; the last is `ready` or `failed`. */
export type Opening = {
  /** The disk is broken before its end; it is given up, if the settings say so. */
  damaged(damage: Damage): void;
  reborn(member: MemberId): void;
  ready(storage: Storage, boot: BootRecord, recovered: Recovered): void;
  failed(reason: string): void;
};

/** Opens the disk. An empty one, or a broken one that may be given up, becomes the disk of a new member. */
export function open(settings: OpenSettings, opening: Opening): void {
  const { disk, cluster, board } = settings;
  openStorage(disk, { cluster, board }, settings.storage, (opened) => {
    switch (opened.kind) {
      case "ready":
        opening.ready(opened.storage, opened.boot, opened.recovered);
        return;
      case "empty":
        startOver(settings, opening);
        return;
      case "damaged":
        opening.damaged(opened.damage);
        if (settings.rejoinAfterDamage) startOver(settings, opening);
        else opening.failed(`${placeOf(opened.damage)}: ${opened.damage.reason}. Wipe the disk to join anew.`);
        return;
      case "refused":
        opening.failed(`${opened.file}: ${opened.reason}`);
        return;
      case "failed":
        opening.failed(opened.error.message);
        return;
      default:
        opened satisfies never;
    }
  });
}

/** The promises made under the old identity are lost with its disk, so the board takes a new one. */
function startOver(settings: OpenSettings, opening: Opening): void {
  const { disk, cluster, board } = settings;
  const member = settings.rebirth();
  formatStorage(disk, { cluster, board, member }, (formatted) => {
    if (!formatted.ok) {
      opening.failed(formatted.error.message);
      return;
    }
    opening.reborn(member);
    open(settings, opening);
  });
}

function placeOf(damage: Damage): string {
  return `${damage.file} is damaged at offset ${damage.offset}`;
}
