import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { readNodeArchive } from "./node-archive.ts";
import { nodeArchive } from "./stock-card.fixture.ts";

const folder = mkdtempSync(join(tmpdir(), "adrift-node-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The folder node-v20.19.0-linux-arm64, by tar and xz. */
const packedByXz = Buffer.from(
  "/Td6WFoAAAFpIt42AgAhARwAAAAQz1jM4Cf/AHNdADcbyLBT1zzV7G67WeLnycAeu1+q0W3W/Q41+gl+gVV8RZTkaOk8FKBbR48jEKMqt1BBVYhNG9Lyc/vy" +
    "rMbHn5gKEdyelBjJTo61wswo6mNMVt32cboD9dgYPKvWfqnm5MQznpisb6Qlz/BdgChQB36lAAAAAPDD5FsAAYsBgFAAAP2Bpws+MA2LAgAAAAABWVo=",
  "base64",
);

function read(name: string, content: Uint8Array) {
  writeFileSync(join(folder, name), content);
  return readNodeArchive(join(folder, name), name);
}

describe("Node for the boards", () => {
  it("is known by what is in it, whatever the file is called", async () => {
    expect(await read("node.tar.xz", packedByXz)).toEqual({ packing: "xz", content: packedByXz });
    const packed = nodeArchive("node-v22.1.0-linux-arm64");
    expect(await read("download", packed)).toEqual({ packing: "gz", content: Buffer.from(packed) });
  });

  it.each([
    ["node-v20.18.3-linux-arm64", /a\.tar\.gz is Node 20\.18: too old/],
    ["node-v18.20.0-linux-arm64", /too old/],
    ["node-v22.1.0-linux-x64", /is Node 22\.1 for linux-x64, but boards need linux-arm64/],
    ["node-v22.1.0-darwin-arm64", /for darwin-arm64/],
    ["node-v22.1.0", /holds no Node/],
    ["photos", /holds no Node/],
  ])("is refused if it is %s", async (top, message) => {
    await expect(read("a.tar.gz", nodeArchive(top))).rejects.toThrow(message);
  });

  it("is refused if it is missing, no file, cut off or damaged", async () => {
    await expect(readNodeArchive(join(folder, "none"), "none")).rejects.toThrow(
      "none: there is no such file. Take node-v",
    );
    await expect(readNodeArchive(folder, "folder")).rejects.toThrow("folder is no file");
    await expect(read("text.tar.xz", Buffer.from("node"))).rejects.toThrow("text.tar.xz is no Node");
    await expect(read("short.tar.xz", packedByXz.subarray(0, -8))).rejects.toThrow("short.tar.xz is cut off");
    const damaged = Buffer.from(packedByXz).fill(0xff, 30, 60);
    await expect(read("damaged.tar.xz", damaged)).rejects.toThrow("damaged.tar.xz is damaged");
    const short = nodeArchive("node-v22.1.0-linux-arm64").subarray(0, -4);
    await expect(read("short.tar.gz", short)).rejects.toThrow("short.tar.gz is damaged");
  });
});
