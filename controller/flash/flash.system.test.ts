/**
 * Cards with the tools that people trust: an image as Raspberry Pi OS has it, made by sfdisk, mkfs.vfat and mke2fs; what
 * `adrift flash` makes of it, looked at by mtools, fsck.vfat and e2fsck; the first boot's script, run in a folder.
 */

import { execFileSync, spawn, spawnSync } from "node:child_process";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Fat } from "./fat.ts";
import { openImage } from "./image-file.ts";
import { openDrive } from "./target.ts";
import { writeCards } from "./write-card.ts";

const adrift = fileURLToPath(new URL("../../bin/adrift.mjs", import.meta.url));
const images = fileURLToPath(new URL("../../hardware/image/", import.meta.url));
const env = { ...process.env, PATH: `${process.env["PATH"]}:/usr/sbin:/sbin`, MTOOLS_SKIP_CHECK: "1" };
const tools = ["sfdisk", "mkfs.vfat", "mcopy", "mke2fs", "e2fsck", "fsck.vfat", "xz"];
const missing = tools.filter((tool) => spawnSync("which", [tool], { env }).status !== 0);
const isMissing = missing.length > 0 && process.env["CI"] === undefined;

const megabyte = 1 << 20;
const bootAt = 4 * megabyte;
const bootBytes = 64 * megabyte;
const rootAt = bootAt + bootBytes;
const rootBytes = 16 * megabyte;

let folder: string;
/** The files of pi-1's boot partition. */
let card: string;
beforeAll(() => {
  if (isMissing) return;
  folder = mkdtempSync(join(tmpdir(), "adrift-flash-"));
  makeStockImage();
  const bench = "name: lab\nboards: [pi-1, pi-2, pi-3]\nbrokers: [{ name: broker, address: 192.168.7.2 }]\n";
  writeFileSync(join(folder, "bench.yaml"), bench);
  expect(run(["init", ".", "--host", "192.168.7.2"]).status).toBe(0);
  const { status, err } = run(["flash", "pi-1", "--image", "stock.img.xz", "--out", "card.img"]);
  expect({ status, err }).toEqual({ status: 0, err: "" });
  card = filesOf("card.img", "card");
});
afterAll(() => {
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
});

function sh(command: string): string {
  return execFileSync("sh", ["-ec", command], {
    cwd: folder,
    env,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
  });
}

function run(args: readonly string[]): { readonly status: number | null; readonly out: string; readonly err: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [adrift, ...args], {
    cwd: folder,
    env,
    encoding: "utf8",
  });
  return { status, out: stdout, err: stderr };
}

function makeStockImage(): void {
  mkdirSync(join(folder, "boot", "overlays"), { recursive: true });
  mkdirSync(join(folder, "root", "etc"), { recursive: true });
  writeFileSync(join(folder, "root", "etc", "hostname"), "raspberrypi\n");
  const files = {
    "config.txt": "arm_64bit=1\n",
    "cmdline.txt": "console=tty1 root=PARTUUID=1234abcd-02 rootwait resize\n",
    "user-data": "#cloud-config\n",
    "meta-data": "instance-id: rpios-image\n",
    "network-config": "network: { version: 2 }\n",
    "kernel8.img": "k".repeat(3_000_000),
    "bcm2712-rpi-5-b.dtb": "d".repeat(70_000),
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, "boot", name), text);
  for (let at = 0; at < 40; at += 1) writeFileSync(join(folder, "boot", "overlays", `an-overlay-${at}.dtbo`), `${at}`);
  sh(`
    truncate -s ${bootBytes} boot.fat && mkfs.vfat -F 32 -n BOOTFS boot.fat
    mcopy -s -i boot.fat boot/* ::
    mke2fs -q -t ext4 -d root root.ext4 ${rootBytes / 1024}k
    truncate -s ${rootAt + rootBytes} stock.img
    printf 'label: dos\\nstart=${bootAt / 512}, size=${bootBytes / 512}, type=c\\nstart=${rootAt / 512}, size=${rootBytes / 512}, type=83\\n' |
      sfdisk -q stock.img
    dd if=boot.fat of=stock.img bs=1M seek=${bootAt / megabyte} conv=notrunc status=none
    dd if=root.ext4 of=stock.img bs=1M seek=${rootAt / megabyte} conv=notrunc status=none
    xz -1 -k stock.img
  `);
}

/** Takes the boot partition's files out of an image by mtools. */
function filesOf(image: string, into: string): string {
  sh(`dd if=${image} of=${into}.fat bs=1M skip=${bootAt / megabyte} count=${bootBytes / megabyte} status=none
      mkdir ${into} && mcopy -s -n -i ${into}.fat ::/* ${into}/`);
  return join(folder, into);
}

function allFiles(path: string, below = ""): readonly string[] {
  return readdirSync(join(path, below), { withFileTypes: true })
    .flatMap((entry) => (entry.isDirectory() ? allFiles(path, join(below, entry.name)) : [join(below, entry.name)]))
    .sort();
}

if (isMissing) console.warn(`Cards are not tried with real tools: ${missing.join(", ")} missing.`);

describe.skipIf(isMissing)("adrift flash --out, from an image packed by xz", () => {
  it("makes a card on which fsck finds nothing, with the board's files, and all others as they were", () => {
    expect(statSync(join(folder, "card.img")).mode & 0o777).toBe(0o600);
    expect(sh("fsck.vfat -n card.fat")).toMatch(/^card\.fat: \d+ files, /m);
    sh(
      `dd if=card.img of=card.ext4 bs=1M skip=${rootAt / megabyte} status=none; e2fsck -fn card.ext4; cmp card.ext4 root.ext4`,
    );
    sh(`cmp -n ${bootAt} card.img stock.img`);

    const stock = allFiles(join(folder, "boot"));
    const changed = ["meta-data", "network-config", "user-data"];
    for (const name of stock) {
      const isSame = readFileSync(join(card, name)).equals(readFileSync(join(folder, "boot", name)));
      expect({ name, isSame }).toEqual({ name, isSame: !changed.includes(name) });
    }
    const added = allFiles(card).filter((name) => !stock.includes(name));
    expect(added.every((name) => name.startsWith("adrift/"))).toBe(true);
    expect(added.filter((name) => name.endsWith(".pem"))).toEqual(
      ["authority.pem", "pi-1.key.pem", "pi-1.pem"].map((name) => `adrift/keys/${name}`),
    );
    expect(sh("cd card/adrift && sha256sum --check --strict SHA256SUMS")).not.toContain("FAILED");
  });

  it("killed in the middle leaves no card, and writes one the next time", async () => {
    const args = ["flash", "pi-2", "--image", "stock.img.xz", "--out", "killed.img"];
    const child = spawn(process.execPath, [adrift, ...args], { cwd: folder, env, stdio: "ignore" });
    const ended = new Promise((resolve) => child.on("close", resolve));
    const unfinished = join(folder, "killed.img.unfinished");
    const deadline = Date.now() + 30_000;
    while (Date.now() < deadline && child.exitCode === null) {
      if (existsSync(unfinished) && statSync(unfinished).size > 8 * megabyte) break;
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    child.kill("SIGKILL");
    await ended;
    expect(existsSync(join(folder, "killed.img"))).toBe(false);
    expect(
      readFileSync(unfinished)
        .subarray(0, 512)
        .every((byte) => byte === 0),
    ).toBe(true);
    expect(run(args)).toMatchObject({ status: 0, err: "" });
    expect(existsSync(unfinished)).toBe(false);
    filesOf("killed.img", "again");
    sh("fsck.vfat -n again.fat");
  });

  it.skipIf(process.getuid?.() !== 0 && process.env["CI"] === undefined)(
    "on a full disk says so, and leaves nothing there (as root: a small disk is mounted)",
    () => {
      mkdirSync(join(folder, "small"));
      const flash = `"${process.execPath}" "${adrift}" flash pi-3 --image stock.img --out small/card.img`;
      // Mounted in a namespace of its own, which ends with the command.
      const command = `mount -t tmpfs -o size=2m adrift small; ${flash} 2>&1; echo "status $?"; ls small`;
      const said = spawnSync("unshare", ["--mount", "sh", "-c", command], {
        cwd: folder,
        env,
        encoding: "utf8",
      }).stdout;
      expect(said).toMatch(
        /No room is left for small\/card\.img: the disk is full\.[^\n]*\nsmall\/card\.img was not written\.\n/,
      );
      expect(said).toMatch(/status 1\n$/);
    },
  );

  it("refuses a download that was cut off, and a file as a drive, and touches nothing", () => {
    cpSync(join(folder, "stock.img.xz"), join(folder, "short.img.xz"));
    truncateSync(join(folder, "short.img.xz"), statSync(join(folder, "short.img.xz")).size - 10_000);
    const cut = run(["flash", "pi-3", "--image", "short.img.xz", "--out", "none.img"]);
    expect(cut).toMatchObject({ status: 64, err: "short.img.xz is cut off: its end is missing. Download it again.\n" });
    expect(existsSync(join(folder, "none.img"))).toBe(false);
    const before = readFileSync(join(folder, "root.ext4"));
    const drive = run(["flash", "pi-3", "--image", "stock.img", "--drive", "root.ext4", "--yes"]);
    expect(drive.status).toBe(64);
    expect(drive.err).toMatch(/root\.ext4 is no drive of this machine|drives of this machine cannot be listed/);
    expect(readFileSync(join(folder, "root.ext4")).equals(before)).toBe(true);
  });
});

describe.skipIf(isMissing)("a drive", () => {
  it("is written, and read back past the page cache", async () => {
    const path = join(folder, "drive");
    writeFileSync(path, "");
    truncateSync(path, rootAt + rootBytes + megabyte);
    const target = await openDrive(path);
    const image = await openImage(join(folder, "stock.img.xz"), "stock.img.xz");
    const put = (boot: Fat): void => boot.write("user-data", Buffer.from("#cloud-config\nhostname: pi-1\n"));
    const [result] = await writeCards([{ target, put, ready: () => undefined }], image, new Date(), () => undefined);
    await target.close();
    expect(result?.failure).toBeNull();
    expect(sh(`mtype -i drive@@${bootAt} ::/user-data`)).toBe("#cloud-config\nhostname: pi-1\n");
    sh(`cmp -n ${bootAt} drive stock.img; cmp -i ${rootAt} -n ${rootBytes} drive stock.img`);
  });
});

describe.skipIf(isMissing)("the first boot", () => {
  /** What of a system the script finds, and a note of what it would do to it. */
  function makeSystem(): { readonly root: string; boot(): { readonly status: number | null; readonly out: string } } {
    const root = mkdtempSync(join(folder, "system-"));
    for (const path of ["etc", "var/lib", "boot/firmware", "opt", "usr/bin"])
      mkdirSync(join(root, path), { recursive: true });
    writeFileSync(join(root, "etc", "fstab"), "PARTUUID=1-02 / ext4 defaults,noatime 0 1\n");
    writeFileSync(join(root, "etc", "hosts"), "127.0.0.1 localhost\n127.0.1.1 raspberrypi\n");
    sh(`mcopy -s -n -i card.fat ::/adrift ${join(root, "boot", "firmware")}`);
    const acts = join(root, "acts");
    const note = join(root, "note");
    const answer = `case "$*" in "command -v node") echo ${process.execPath};; *--provision*) mkdir -p ${root}/var/lib/adrift/log;; esac`;
    writeFileSync(note, `#!/bin/sh\necho "$*" >>${acts}\n${answer}\n`);
    chmodSync(note, 0o755);
    return {
      root,
      boot() {
        const { status, stdout, stderr } = spawnSync("sh", [join(images, "first-boot.sh")], {
          env: { ...env, ADRIFT_ROOT: root, ADRIFT_RUN: note },
          encoding: "utf8",
        });
        return { status, out: stdout + stderr };
      },
    };
  }

  it("puts everything in its place, founds, enables the board, and takes the keys off the boot partition", () => {
    const { root, boot } = makeSystem();
    expect(boot()).toMatchObject({ status: 0 });
    expect(existsSync(join(root, "boot", "firmware", "adrift"))).toBe(false);
    expect(readdirSync(join(root, "etc", "adrift", "keys"))).toEqual(["authority.pem", "pi-1.key.pem", "pi-1.pem"]);
    expect(statSync(join(root, "etc", "adrift", "keys", "pi-1.key.pem")).mode & 0o007).toBe(0);
    expect(existsSync(join(root, "opt", "adrift", "board.mjs"))).toBe(true);
    expect(readFileSync(join(root, "etc", "fstab"), "utf8")).toContain(
      "/var/lib/adrift none bind,nodev,nosuid,noexec,noatime,nofail",
    );
    const acts = readFileSync(join(root, "acts"), "utf8");
    expect(acts.indexOf("--provision")).toBeGreaterThan(acts.indexOf("systemctl disable adrift.service"));
    expect(acts.indexOf("systemctl enable adrift.service")).toBeGreaterThan(acts.indexOf("--provision"));
  });

  it("run again after it was cut off while it cleaned up, then it only cleans up: the log stays", () => {
    const { root, boot } = makeSystem();
    const firmware = join(root, "boot", "firmware");
    cpSync(join(firmware, "adrift"), join(root, "kept"), { recursive: true });
    expect(boot().status).toBe(0);
    writeFileSync(join(root, "acts"), "");
    writeFileSync(join(root, "var", "lib", "adrift", "log", "votes"), "mine");
    mkdirSync(join(firmware, "adrift", "keys"), { recursive: true });
    cpSync(join(root, "kept", "card"), join(firmware, "adrift", "card"));
    expect(boot().status).toBe(0);
    expect(readFileSync(join(root, "acts"), "utf8")).toBe("");
    expect(readFileSync(join(root, "var", "lib", "adrift", "log", "votes"), "utf8")).toBe("mine");
    expect(existsSync(join(firmware, "adrift"))).toBe(false);
  });

  it("given a damaged file, then it begins nothing, and leaves a word on the boot partition", () => {
    const { root, boot } = makeSystem();
    writeFileSync(join(root, "boot", "firmware", "adrift", "board.mjs"), "torn");
    expect(boot()).toMatchObject({ status: 1 });
    expect(existsSync(join(root, "etc", "adrift"))).toBe(false);
    const word = readFileSync(join(root, "boot", "firmware", "adrift-failed.txt"), "utf8");
    expect(word).toBe("Files on the boot partition are missing or damaged. Write the card again with adrift flash.\n");
  });
});
