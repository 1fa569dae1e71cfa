import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CardFailure } from "./card-failure.ts";
import { type ImageFile, openImage } from "./image-file.ts";
import { bootOf, cloudInitFiles, stockImage } from "./stock-card.fixture.ts";
import type { Target } from "./target.ts";
import { addFiles, type Card, writeCards } from "./write-card.ts";

const stock = stockImage(cloudInitFiles);
const when = new Date("2026-03-01T10:00:00Z");
let folder: string;
let image: ImageFile;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "adrift-card-"));
  writeFileSync(join(folder, "stock.img"), stock);
  image = await openImage(join(folder, "stock.img"), "stock.img");
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A card in memory; `wornAt`: a place that does not keep what is written there. */
function memoryCard(wornAt: number | null = null): { card: Card; content: Uint8Array; isReady: () => boolean } {
  const content = new Uint8Array(stock.length + 4_096).fill(0xee);
  let ready = false;
  const target: Target = {
    name: "/dev/sdq",
    write: (offset, bytes) => {
      content.set(bytes, offset);
      if (wornAt !== null && wornAt >= offset && wornAt < offset + bytes.length) content[wornAt] = 0xbd;
      return Promise.resolve();
    },
    read: (offset, length) => content.slice(offset, offset + length),
    flush: () => Promise.resolve(),
    async *readBack(offset, length) {
      yield await Promise.resolve(content.slice(offset, offset + length));
    },
    finish: () => Promise.resolve(),
    close: () => Promise.resolve(),
  };
  const put: Card["put"] = (boot) => {
    boot.write("user-data", Buffer.from("#cloud-config\nhostname: pi-1\n"));
    boot.write("adrift/board.mjs", new Uint8Array(50_000).fill(7));
  };
  const noteReady = (): void => {
    ready = true;
  };
  return { card: { target, put, ready: noteReady }, content, isReady: () => ready };
}

/** Whether anything would boot from it. */
function boots(content: Uint8Array): boolean {
  return content[510] === 0x55 && content[511] === 0xaa;
}

describe("writing cards", () => {
  it("leaves the image's bytes everywhere but on the boot partition, where the board's files are", async () => {
    const { card, content, isReady } = memoryCard();
    const results = await writeCards([card], image, when, () => undefined);
    expect(results.map(({ failure }) => failure)).toEqual([null]);
    expect(isReady()).toBe(true);
    const boot = bootOf(content);
    expect(Buffer.from(boot.read("user-data") ?? []).toString()).toContain("hostname: pi-1");
    expect(Buffer.from(boot.read("cmdline.txt") ?? []).toString()).toBe(cloudInitFiles["cmdline.txt"]);
    const { startBytes, sizeBytes } = image.bootPartition;
    expect(Buffer.compare(content.subarray(0, startBytes), stock.subarray(0, startBytes))).toBe(0);
    const end = startBytes + sizeBytes;
    expect(Buffer.compare(content.subarray(end, stock.length), stock.subarray(end))).toBe(0);
  });

  it("given a worn card among others, then that one boots nothing and is named, and the others are done", async () => {
    const worn = memoryCard(stock.length - 1_000);
    const good = memoryCard();
    const results = await writeCards([worn.card, good.card], image, when, () => undefined);
    expect(results[0]?.failure?.message).toMatch(/does not hold what was written to it: the card is worn out/);
    expect(results[1]?.failure).toBeNull();
    expect([boots(worn.content), boots(good.content)]).toEqual([false, true]);
    expect([worn.isReady(), good.isReady()]).toEqual([false, true]);
  });

  it("given a place on the boot partition that does not keep the board's files, then it is found too", async () => {
    const { card, content } = memoryCard();
    await writeCards([card], image, when, () => undefined);
    const at = Buffer.from(content).indexOf(Buffer.alloc(40_000, 7));
    const worn = memoryCard();
    const target: Target = {
      ...worn.card.target,
      write: async (offset, bytes) => {
        await worn.card.target.write(offset, bytes);
        if (bytes.length < 1 << 20 && at >= offset && at < offset + bytes.length) worn.content[at] = 0xbd;
      },
    };
    const [result] = await writeCards([{ ...worn.card, target }], image, when, () => undefined);
    expect(result?.failure).toBeInstanceOf(CardFailure);
    expect(boots(worn.content)).toBe(false);
  });

  it("given that it is stopped anywhere, then the card boots nothing, and the next writing works", async () => {
    for (const stopAt of [1, 2, 3, 4]) {
      const { card, content } = memoryCard();
      let steps = 0;
      const stopping = (): void => {
        steps += 1;
        if (steps === stopAt) throw new CardFailure("Stopped.");
      };
      const failures = await writeCards([card], image, when, stopping).then(
        (results) => results.map(({ failure }) => failure?.message),
        (error: unknown) => [error instanceof CardFailure ? error.message : error],
      );
      expect(failures).toEqual(["Stopped."]);
      expect(boots(content)).toBe(false);
      const [again] = await writeCards([card], image, when, () => undefined);
      expect(again?.failure).toBeNull();
      expect(boots(content)).toBe(true);
    }
  });

  it("given a card with a system, then only the board's files are added, whichever write is the last before a kill", async () => {
    const { card, content } = memoryCard();
    content.set(stock);
    let writes = Number.POSITIVE_INFINITY;
    let count = 0;
    const target: Target = {
      ...card.target,
      write: async (offset, bytes) => {
        count += 1;
        if (count > writes) throw new CardFailure("killed");
        await card.target.write(offset, bytes);
      },
    };
    for (writes = 0; writes < 12; writes += 1) {
      count = 0;
      await addFiles({ ...card, target }, when).catch(() => undefined);
      expect(Buffer.from(bootOf(content).read("cmdline.txt") ?? []).toString()).toBe(cloudInitFiles["cmdline.txt"]);
    }
    await addFiles(card, when);
    expect(bootOf(content).read("adrift/board.mjs")).toHaveLength(50_000);
  });
});
