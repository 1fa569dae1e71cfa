/** The image of which all boards of a QEMU bench are copies: the flashable one, made on demand and kept in a cache. */

import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { BenchFailure } from "../bench.ts";
import { findPrograms } from "../local/programs.ts";
import { run } from "../netns/ip.ts";
import { findPartitions } from "./partitions.ts";

/** What a virtual machine boots from. */
export type BaseImage = {
  readonly path: string;
  /** The root partition inside it, in bytes. */
  readonly root: { readonly offset: number; readonly size: number };
  readonly kernel: string;
  readonly ramdisk: string;
  /** The file by which `adrift flash` knows the boot partition for one of ours. */
  readonly mark: string;
};

const top = fileURLToPath(new URL("../../../", import.meta.url));
const isCheckout = import.meta.url.endsWith(".ts");
/** Where the scripts are that make an image: beside the sources, and in the package beside the programs. */
const hardware = join(top, "hardware", "image");

/** Finds the image, or makes it. @throws {BenchFailure} which says what is missing here */
export async function findBaseImage(tell: (line: string) => void): Promise<BaseImage> {
  const cache = isCheckout ? join(top, "node_modules", ".cache", "adrift") : join(homedir(), ".cache", "adrift");
  const folder = join(cache, "image");
  mkdirSync(folder, { recursive: true });
  const image = join(folder, `board-${fingerprint(hardware)}.img`);
  if (!existsSync(image)) {
    tell("Making the image of the boards from Debian's packages: about a minute, 1 GB of disk, once.");
    await make(image, folder);
  }
  const partitions = findPartitions(image);
  const [boot, root] = partitions;
  if (boot === undefined || root === undefined) {
    throw new BenchFailure(`${image} is not an image of a board. Remove it; then it is made anew.`);
  }
  const take = (name: string): Promise<string> => extract(image, boot.offset, join(folder, name));
  return {
    ...{ path: image, root },
    kernel: await take("vmlinuz"),
    ramdisk: await take("initrd.img"),
    mark: await take("adrift.image"),
  };
}

/** Changes when a file changes of which the image is made; the board's program comes with each board's card. */
function fingerprint(folder: string): string {
  const hash = createHash("sha256");
  const files = filesIn(folder).filter((path) => !path.endsWith(".md"));
  for (const path of files) hash.update(path).update(readFileSync(join(folder, path)));
  return hash.digest("hex").slice(0, 16);
}

function filesIn(folder: string, below = ""): readonly string[] {
  const entries = readdirSync(join(folder, below), { withFileTypes: true });
  return entries
    .toSorted((one, other) => (one.name < other.name ? -1 : 1))
    .flatMap((entry) => {
      const path = join(below, entry.name);
      return entry.isDirectory() ? filesIn(folder, path) : [path];
    });
}

async function make(image: string, folder: string): Promise<void> {
  const { board } = await findPrograms();
  const unfinished = `${image}.${process.pid}`;
  try {
    await script(join(hardware, "build", "make.sh"), [unfinished, folder], board);
    for (const old of readdirSync(folder)) if (/^board-.*\.img$/.test(old)) rmSync(join(folder, old));
    renameSync(unfinished, image);
  } finally {
    rmSync(unfinished, { force: true });
  }
}

/** Runs the script; what it says goes to standard error as it comes. */
async function script(path: string, args: readonly string[], board: string): Promise<void> {
  const child = spawn("sh", [path, ...args], {
    stdio: ["ignore", "ignore", "inherit"],
    env: { ...process.env, ADRIFT_IMAGE_BOARD: board },
  });
  const status = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  if (status !== 0) throw new BenchFailure("The image of the boards could not be made: see above.");
}

/** Takes a file out of the boot partition, unless it has been taken out since the image was made. */
async function extract(image: string, offset: number, file: string): Promise<string> {
  const taken = statSync(file, { throwIfNoEntry: false });
  if (taken !== undefined && taken.mtimeMs > statSync(image).mtimeMs) return file;
  const name = file.slice(file.lastIndexOf("/") + 1);
  await run(["mcopy", "-o", "-n", "-i", `${image}@@${offset}`, `::/${name}`, file]);
  return file;
}
