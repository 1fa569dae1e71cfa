import { existsSync, linkSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { readBoardConfiguration } from "../../../device/board/read-configuration.ts";
import type { Drive } from "../../flash/drives.ts";
import { bootOf, cloudInitFiles, firstRunFiles, nodeArchive, stockImage } from "../../flash/stock-card.fixture.ts";
import { createTestShell, type TestShell } from "../shell.fixture.ts";
import { planFlash } from "./flash-plan.ts";

const benchText = `name: lab
boards:
  - { name: pi-1, address: 192.168.7.11, console: /dev/ttyUSB0 }
  - { name: pi-2, address: pi-2.local }
  - pi-3
brokers: [{ name: broker, address: 192.168.7.2 }]
cutters: [{ name: relays, driver: relay, serialPort: /dev/ttyACM0 }]
cables: [{ name: cable-1, ends: [pi-1, "switch:1"], cutter: "relays:4" }]
`;
const cloudInit = stockImage(cloudInitFiles);
const nodeForBoards = nodeArchive("node-v22.1.0-linux-arm64");

let shell: TestShell;
beforeAll(async () => {
  shell = createTestShell();
  put("bench.yaml", benchText);
  put("stock.img", cloudInit);
  put("node.tar.gz", nodeForBoards);
  put("ada.pub", "ssh-ed25519 AAAAC3Nz ada@laptop\n");
  await shell.adrift(["init"]);
});
afterAll(() => shell.remove());

let record = "";
beforeEach(() => {
  record = join(shell.folder, ".adrift", "cards.json");
});
afterEach(() => {
  if (existsSync(record))
    writeFileSync(
      record,
      JSON.stringify({ format: 1, cluster: "lab", founders: ["pi-1", "pi-2", "pi-3"], written: {} }),
    );
});

const node = ["--node", "node.tar.gz"];
const key = ["--ssh-key", "ada.pub"];

function put(name: string, content: string | Uint8Array): void {
  writeFileSync(join(shell.folder, name), content);
}

function written(name: string): Uint8Array {
  return readFileSync(join(shell.folder, name));
}

function textOn(image: Uint8Array, path: string): string {
  return Buffer.from(bootOf(image).read(path) ?? []).toString();
}

describe("adrift flash", () => {
  it("given Raspberry Pi OS with cloud-init, then it writes an image that becomes the board, and changes nothing else", async () => {
    const { status, out, err } = await shell.adrift([
      "flash",
      "pi-1",
      "--image",
      "stock.img",
      "--out",
      "card.img",
      ...node,
      ...key,
    ]);
    expect({ status, err }).toEqual({ status: 0, err: "" });
    expect(out).toContain("192.168.7.11, founds the cluster, 100 Mb/s\n");
    expect(out).toContain("pi-1: card.img is written and verified.\n");
    expect(statSync(join(shell.folder, "card.img")).mode & 0o777).toBe(0o600);

    const image = written("card.img");
    expect(Buffer.compare(image.subarray(-(1 << 20)), cloudInit.subarray(-(1 << 20)))).toBe(0);
    expect(Buffer.compare(image.subarray(0, 1 << 20), cloudInit.subarray(0, 1 << 20))).toBe(0);
    expect(parse(textOn(image, "network-config"))).toEqual({
      network: { version: 2, ethernets: { eth0: { dhcp4: false, addresses: ["192.168.7.11/24"], optional: true } } },
    });
    expect(textOn(image, "user-data")).toMatch(/^#cloud-config\n/);
    expect(parse(textOn(image, "user-data"))).toMatchObject({
      hostname: "pi-1",
      users: [{ name: "pi", lock_passwd: true, ssh_authorized_keys: ["ssh-ed25519 AAAAC3Nz ada@laptop"] }],
    });
    const instance = `adrift-pi-1-${textOn(image, "adrift/card").trim()}`;
    expect(parse(textOn(image, "meta-data"))).toEqual({ "instance-id": instance, dsmode: "local" });
    expect(textOn(image, "cmdline.txt")).toBe(
      `console=tty1 root=PARTUUID=1234abcd-02 rootwait ds=nocloud;i=${instance}\n`,
    );
    expect(textOn(image, "config.txt")).toContain("enable_uart=1");
    expect(bootOf(image).list("adrift/keys")).toEqual(["authority.pem", "pi-1.pem", "pi-1.key.pem"]);
    expect(Buffer.compare(bootOf(image).read("adrift/node.tar.gz") ?? new Uint8Array(), nodeForBoards)).toBe(0);

    put("board.yaml", textOn(image, "adrift/board.yaml"));
    expect(readBoardConfiguration(join(shell.folder, "board.yaml"), {})).toMatchObject({
      board: "pi-1",
      brokers: [{ name: "broker", url: "mqtts://192.168.7.2:8883" }],
      founders: ["pi-1", "pi-2", "pi-3"],
      console: "/dev/serial0",
    });
  });

  it("given an older image, then its command line names a script that runs once", async () => {
    put("old.img.gz", gzipSync(stockImage(firstRunFiles), { level: 1 }));
    const args = ["flash", "pi-1", "--image", "old.img.gz", "--out", "old-card.img", ...node, ...key];
    expect(await shell.adrift(args)).toMatchObject({ status: 0, err: "" });
    const image = written("old-card.img");
    expect(textOn(image, "cmdline.txt")).toMatch(
      / init=\S+ systemd\.run=\/boot\/firmware\/firstrun\.sh .*kernel-command-line\.target\n$/,
    );
    expect(textOn(image, "firstrun.sh")).toContain("ssh-ed25519 AAAAC3Nz ada@laptop\n");
    expect(textOn(image, "adrift/adrift.nmconnection")).toContain("address1=192.168.7.11/24");
    expect(textOn(image, "adrift/hostname")).toBe("pi-1\n");
  });

  it("given a board whose card was written before, then it asks what the new one is for, and does as it is told", async () => {
    const args = ["flash", "pi-2", "--image", "stock.img", "--out", "second.img"];
    await shell.adrift(args);
    expect(textOn(written("second.img"), "adrift/founds")).toBe("pi-2\n");
    const again = await shell.adrift(args);
    expect(again.status).toBe(64);
    expect(again.err).toMatch(/A card of pi-2 was written before .*\n {2}--join .*\n {2}--found /);
    const joined = await shell.adrift([...args, "--join", "--yes"]);
    expect(joined).toMatchObject({ status: 0, err: "" });
    expect(joined.out).toContain("address by DHCP, joins the cluster, with an empty log\n");
    expect(bootOf(written("second.img")).list("adrift")).not.toContain("founds");
    expect((await shell.adrift([...args, "--found", "--yes"])).status).toBe(0);
    expect(textOn(written("second.img"), "adrift/founds")).toBe("pi-2\n");
  });

  it("given --found for one of several boards, then it says that the others need new cards, and asks", async () => {
    const found = (board: string) => ["flash", board, "--image", "stock.img", "--out", `${board}-found.img`, "--found"];
    const nobody = await shell.adrift(found("pi-2"));
    expect(nobody.status).toBe(64);
    expect(nobody.err).toMatch(/new cards on all boards: those of pi-1, pi-3 become worthless[\s\S]*Nobody is there/);
    expect(existsSync(join(shell.folder, "pi-2-found.img"))).toBe(false);
    expect((await shell.adrift(found("pi-2"), { input: "no\n" })).status).toBe(1);
    const { status, out } = await shell.adrift(found("pi-2"), { input: "yes\n" });
    expect(status).toBe(0);
    expect(out).toContain("Still without a card, of the cluster's first boards: pi-1, pi-3.\n");
    const second = await shell.adrift(found("pi-3"));
    expect(second.status).toBe(64);
    expect(second.err).toMatch(/lab is being founded: pi-2 has a card already\. Leave --found out/);
    const goesOn = found("pi-3").filter((word) => word !== "--found");
    expect((await shell.adrift(goesOn)).out).toContain("founds the cluster");
  });

  it("given a file that is there, then it asks before it replaces it", async () => {
    put("there.img", "hello");
    const args = ["flash", "pi-3", "--image", "stock.img", "--out", "there.img"];
    const nobody = await shell.adrift(args);
    expect(nobody.status).toBe(64);
    expect(nobody.err).toMatch(/^there\.img will be replaced\. Type "there\.img" or "yes" to go on: \nNobody/);
    expect(written("there.img").toString()).toBe("hello");
    expect((await shell.adrift(args, { input: "yes\n" })).status).toBe(0);
    expect(textOn(written("there.img"), "adrift/name")).toBe("pi-3\n");
  });

  it("given a place for an image that is a device, a folder, or the image itself, then it refuses, even with --yes", async () => {
    mkdirSync(join(shell.folder, "folder"));
    linkSync(join(shell.folder, "stock.img"), join(shell.folder, "hard.img"));
    symlinkSync("stock.img", join(shell.folder, "soft.img"));
    symlinkSync("/dev/full", join(shell.folder, "device.img"));
    linkSync(join(shell.folder, "stock.img"), join(shell.folder, "next.img.unfinished"));
    for (const [place, message] of [
      ["/dev/full", /no file but a device/],
      ["device.img", /no file but a device/],
      ["folder", /folder is a folder: .*folder\/card\.img/],
      ["nowhere/card.img", /nowhere\/card\.img cannot be written: its folder/],
      ["stock.img", /stock\.img is read from/],
      ["hard.img", /hard\.img is read from/],
      ["soft.img", /soft\.img is read from/],
      ["next.img", /next\.img\.unfinished is read from/],
    ] as const) {
      const { status, err } = await shell.adrift(["flash", "pi-3", "--image", "stock.img", "--out", place, "--yes"]);
      expect({ place, status }).toEqual({ place, status: 64 });
      expect(err).toMatch(message);
    }
    expect(Buffer.compare(written("stock.img"), cloudInit)).toBe(0);
    expect(statSync("/dev/full").isCharacterDevice()).toBe(true);
    const both = ["flash", "pi-2", "pi-3", "--image", "stock.img", "--out", "a.img", "--out", "./a.img"];
    expect((await shell.adrift(both)).err).toContain("./a.img is named twice");
  });

  it("given --dry-run, then it says what it would do, and does nothing", async () => {
    const { status, out } = await shell.adrift([
      "flash",
      "pi-2",
      "--image",
      "stock.img",
      "--out",
      "dry.img",
      "--dry-run",
    ]);
    expect(status).toBe(0);
    expect(out).toMatch(/pi-2 → dry\.img\n {6}address by DHCP/);
    expect(out).toContain("Nothing was written (--dry-run).\n");
    expect(existsSync(join(shell.folder, "dry.img"))).toBe(false);
  });

  it.each([
    [["pi-9", "--image", "stock.img", "--out", "x.img"], /There is no board of lab called|pi-9/],
    [["pi-1", "--image", "stock.img"], /Where is the card of pi-1\? Give its drive, as in --drive \/dev\/sdb/],
    [["pi-1", "pi-2", "--image", "stock.img", "--out", "x.img"], /2 boards .* but 1 places/],
    [["pi-1", "pi-1", "--image", "stock.img", "--out", "x.img", "y.img"], /pi-1 is named twice/],
    [["pi-1", "--image", "stock.img", "--out", "x.img"], /pi-1 has the fixed address 192\.168\.7\.11.*--node FILE/],
    [["pi-2", "--image", "none.img", "--out", "x.img"], /none\.img cannot be read/],
    [["pi-2", "--image", "bench.yaml", "--out", "x.img"], /bench\.yaml does not begin with a partition table/],
    [["pi-2", "--image", "stock.img", "--out", "x.img", "--join", "--found"], /opposite things/],
    [["pi-2", "--image", "stock.img", "--out", "x.img", "--node", "bench.yaml"], /no Node for a Raspberry Pi/],
    [
      ["pi-2", "--image", "stock.img", "--out", "x.img", "--node", "none.tar.xz"],
      /none\.tar\.xz: there is no such file/,
    ],
    [["pi-2", "--image", "keys", "--out", "x.img"], /keys is a folder: --image takes/],
    [["pi-2", "--image", "stock.img", "--out", "x.img", "--ssh-key", "keys/pi-1.key.pem"], /no public SSH key/],
    [["pi-2", "--image", "stock.img", "--out", "x.img", "--bench", "none.yaml"], /none\.yaml: there is no such file/],
    [["pi-2", "--out", "x.img"], /--out needs --image/],
  ])("given %j, then it says what is wrong, and touches nothing", async (args, message) => {
    const { status, err } = await shell.adrift(["flash", ...args]);
    expect(err).toMatch(message);
    expect(status).toBe(64);
    expect(existsSync(join(shell.folder, "x.img"))).toBe(false);
  });

  it("given images that are cut off or are none, then it says so before anything is written", async () => {
    const packed = gzipSync(cloudInit, { level: 1 });
    put("half.img", cloudInit.subarray(0, 2 << 20));
    put("short.img", cloudInit.subarray(0, -512));
    put("half.img.gz", packed.subarray(0, packed.length - 100));
    put("empty.img", "");
    put("other.img", stockImage({ "readme.txt": "hello" }));
    for (const [image, message] of [
      ["half.img", /half\.img is cut off/],
      ["short.img", /short\.img is cut off/],
      ["empty.img", /does not begin with a partition table/],
      ["other.img", /not Raspberry Pi OS/],
    ] as const) {
      const { status, err } = await shell.adrift(["flash", "pi-2", "--image", image, "--out", "x.img"]);
      expect({ image, status }).toEqual({ image, status: 64 });
      expect(err).toMatch(message);
    }
    const { status, err } = await shell.adrift(["flash", "pi-2", "--image", "half.img.gz", "--out", "x.img"]);
    expect(err).toMatch(/half\.img\.gz is damaged.*\nx\.img was not written\.\n/);
    expect(status).not.toBe(0);
    expect(existsSync(join(shell.folder, "x.img"))).toBe(false);
  });

  it("given a bench whose brokers have no address, or a certificate for another place, then it says what to write", async () => {
    put("lost.yaml", "name: lost\ncluster: lab\nboards: [pi-1]\n");
    const lost = await shell.adrift([
      "flash",
      "pi-1",
      "--bench",
      "lost.yaml",
      "--image",
      "stock.img",
      "--out",
      "x.img",
    ]);
    expect(lost.err).toContain("brokers: [{ name: broker, address: 192.168.7.2 }]");
    put("moved.yaml", "name: lab\nboards: [pi-1]\nbrokers: [{ name: broker, address: 10.9.9.9 }]\n");
    const moved = await shell.adrift([
      "flash",
      "pi-1",
      "--bench",
      "moved.yaml",
      "--image",
      "stock.img",
      "--out",
      "x.img",
    ]);
    expect(moved.err).toMatch(/does not hold for 10\.9\.9\.9.*Run "adrift init"/);
    expect([lost.status, moved.status]).toEqual([64, 64]);
  });
});

describe("the drives of adrift flash", () => {
  const card: Drive = {
    path: "/dev/sdq",
    kind: "disk",
    sizeBytes: 32e9,
    model: "Card Reader",
    transport: "usb",
    isRemovable: true,
    isReadOnly: false,
    labels: [],
    mountPoints: [],
  };
  const plan = (drive: readonly string[], drives: readonly Drive[]) =>
    planFlash(
      shell.folder,
      ["pi-2", "pi-3"].slice(0, drive.length),
      { bench: "bench.yaml", image: "stock.img", drive },
      () => Promise.resolve(drives),
    );

  it("are paired with the boards in their order", async () => {
    const { cards } = await plan(["/dev/sdr", "/dev/sdq"], [card, { ...card, path: "/dev/sdr" }]);
    expect(cards.map(({ board, destination }) => [board.board, destination])).toEqual([
      ["pi-2", { kind: "drive", drive: { ...card, path: "/dev/sdr" } }],
      ["pi-3", { kind: "drive", drive: card }],
    ]);
  });

  it("are refused if one of them is none, or must not be written, and those that could be meant are named", async () => {
    await expect(plan(["/dev/sdx"], [card])).rejects.toThrow("These could be cards: /dev/sdq.");
    await expect(plan([join(shell.folder, "stock.img")], [card])).rejects.toThrow("is no drive of this machine");
    await expect(plan(["/dev/sdq"], [{ ...card, mountPoints: ["/"] }])).rejects.toThrow("from which this machine runs");
    await expect(plan(["/dev/sdq"], [{ ...card, sizeBytes: 1e6 }])).rejects.toThrow("Take a larger card");
  });
});
