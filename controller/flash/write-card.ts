/**
 * Writes cards: an image, the same on all of them, and each board's own files; and verifies both by reading them back.
 *
 * A card is made usable last: its first sector, with the partition table, is held back until all else is known to be on it.
 * Whatever ends the writing before, the card boots nothing, and can be written again.
 */

import { createHash } from "node:crypto";
import { type Extent, HeldBack } from "./bytes.ts";
import { CardFailure } from "./card-failure.ts";
import { Fat } from "./fat.ts";
import { writePhases } from "./fat-clusters.ts";
import type { ImageFile } from "./image-file.ts";
import { findBootPartition, type Partition } from "./partition-table.ts";
import type { Target } from "./target.ts";

/** A card to write. */
export type Card = {
  readonly target: Target;
  /** Puts the board's files on the boot partition. */
  readonly put: (boot: Fat) => void;
  /** Called when the card is about to become one that boots as the board. */
  readonly ready: () => void;
};

/**
 * Told what is done at present, with how far it is, from 0 to 1; `null` where nobody knows. If it throws a `CardFailure`, the
 * writing stops.
 */
export type CardProgress = (step: "write" | "verify" | "files", part: number | null) => void;

/** How it ended. */
export type CardResult = { readonly target: Target; readonly failure: CardFailure | null };

const sectorBytes = 512;

/**
 * Writes an image to cards, all at once, and each card's own files. A card that fails does not keep the others waiting.
 *
 * @throws {CardFailure} if the image proves damaged: then none of the cards is usable
 */
export async function writeCards(
  cards: readonly Card[],
  image: ImageFile,
  when: Date,
  tell: CardProgress,
): Promise<readonly CardResult[]> {
  const failures = new Map<Card, CardFailure>();
  const onEach = async (act: (card: Card) => Promise<void>): Promise<void> => {
    const going = cards.filter((card) => !failures.has(card));
    await Promise.all(
      going.map((card) =>
        act(card).catch((error: unknown) => {
          if (!(error instanceof CardFailure)) throw error;
          failures.set(card, error);
        }),
      ),
    );
  };

  // No partition table first: from now on the card is unusable until the end.
  await onEach(async ({ target }) => {
    await target.write(0, new Uint8Array(sectorBytes));
    await target.flush();
  });
  const written = await copy(image, (offset, bytes) => onEach(({ target }) => target.write(offset, bytes)), tell);
  await onEach(({ target }) => target.flush());
  await onEach(({ target }) => verify(target, written, (part) => tell("verify", part)));
  await onEach(async ({ target, put, ready }) => {
    tell("files", null);
    await putFiles(target, image.bootPartition, when, put);
    ready();
    await target.write(0, written.firstSector);
    await target.flush();
    await verifyExtents(target, [{ offset: 0, bytes: written.firstSector }]);
    await target.finish();
  });
  return cards.map((card) => ({ target: card.target, failure: failures.get(card) ?? null }));
}

/**
 * Puts a board's files on a card that has a system already; nothing else on it changes.
 *
 * @throws {CardFailure} if it holds no such system, or fails
 */
export async function addFiles({ target, put, ready }: Card, when: Date): Promise<void> {
  const partition = findBootPartition(target.read(0, sectorBytes), target.name);
  await putFiles(target, partition, when, put, ready);
  await target.finish();
}

type Written = { readonly sizeBytes: number; readonly hash: string; readonly firstSector: Uint8Array };

/** Copies the image, but for its first sector, in whose place there are zeros. */
async function copy(
  image: ImageFile,
  write: (offset: number, bytes: Uint8Array) => Promise<void>,
  tell: CardProgress,
): Promise<Written> {
  const hash = createHash("sha256");
  let firstSector: Uint8Array | null = null;
  let at = 0;
  for await (const block of blocksOf(image.chunks())) {
    if (firstSector === null) {
      firstSector = Uint8Array.from(block.subarray(0, sectorBytes));
      block.fill(0, 0, sectorBytes);
    }
    hash.update(block);
    await write(at, block);
    at += block.length;
    tell("write", image.sizeBytes === null ? null : at / image.sizeBytes);
  }
  if (firstSector === null || at < image.endBytes || (image.sizeBytes !== null && image.sizeBytes !== at)) {
    throw new CardFailure(`${image.name} is cut off: its end is missing. Download it again.`);
  }
  return { sizeBytes: at, hash: hash.digest("hex"), firstSector };
}

const blockBytes = 4 << 20;

/** The same bytes in large blocks: drives write them faster, and whole sectors need not be read first. */
async function* blocksOf(chunks: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  let block = Buffer.alloc(blockBytes);
  let filled = 0;
  for await (const chunk of chunks) {
    for (let at = 0; at < chunk.length; ) {
      const length = Math.min(chunk.length - at, blockBytes - filled);
      block.set(chunk.subarray(at, at + length), filled);
      at += length;
      filled += length;
      if (filled < blockBytes) continue;
      yield block;
      block = Buffer.alloc(blockBytes);
      filled = 0;
    }
  }
  if (filled > 0) yield block.subarray(0, filled);
}

async function verify(target: Target, written: Written, tell: (part: number) => void): Promise<void> {
  const hash = createHash("sha256");
  let at = 0;
  for await (const bytes of target.readBack(0, written.sizeBytes)) {
    hash.update(bytes);
    at += bytes.length;
    tell(at / written.sizeBytes);
  }
  if (hash.digest("hex") !== written.hash) throw differs(target);
}

function differs({ name }: Target): CardFailure {
  return new CardFailure(
    `${name} does not hold what was written to it: the card is worn out, or smaller than it says. Take another one.`,
  );
}

/** All is made ready in memory; then it is written, first what is pointed to, then what points to it. */
async function putFiles(
  target: Target,
  partition: Partition,
  when: Date,
  put: Card["put"],
  ready: Card["ready"] = () => undefined,
): Promise<void> {
  const { startBytes, sizeBytes } = partition;
  const held = new HeldBack({
    read: (offset, length) => target.read(startBytes + offset, Math.min(length, sizeBytes - offset)),
  });
  const boot = new Fat(held, target.name, when);
  put(boot);
  boot.save();
  ready();
  for (const phase of writePhases) {
    const extents = held
      .extents((offset) => boot.phaseOf(offset) === phase)
      .map(({ offset, bytes }) => ({ offset: startBytes + offset, bytes }));
    for (const { offset, bytes } of extents) await target.write(offset, bytes);
    await target.flush();
    await verifyExtents(target, extents);
  }
}

async function verifyExtents(target: Target, extents: readonly Extent[]): Promise<void> {
  const first = extents[0];
  const last = extents.at(-1);
  if (first === undefined || last === undefined) return;
  let at = first.offset;
  let rest = extents;
  for await (const bytes of target.readBack(at, last.offset + last.bytes.length - at)) {
    for (const extent of rest) {
      if (extent.offset >= at + bytes.length) break;
      const from = Math.max(at, extent.offset);
      const to = Math.min(at + bytes.length, extent.offset + extent.bytes.length);
      const wanted = extent.bytes.subarray(from - extent.offset, to - extent.offset);
      if (Buffer.compare(wanted, bytes.subarray(from - at, to - at)) !== 0) throw differs(target);
    }
    at += bytes.length;
    rest = rest.filter((extent) => extent.offset + extent.bytes.length > at);
  }
  if (rest.length > 0) throw differs(target);
}
