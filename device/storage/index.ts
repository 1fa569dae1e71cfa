/** The durable state of a consensus member, over a small `Disk`. */

export type { BootRecord } from "./boot-record.ts";
export type { Disk, DiskError, DiskResult, Done } from "./disk.ts";
export { formatStorage } from "./format.ts";
export { openStorage } from "./open.ts";
export { initialHardState } from "./replay.ts";
export type {
  Damage,
  Opened,
  Recovered,
  SaveBatch,
  Storage,
  StorageIdentity,
  StorageOptions,
  StorageStatistics,
  TornTail,
} from "./storage.ts";
