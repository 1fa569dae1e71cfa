import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { keyFiles } from "../../device/mqtt/read-keys.ts";
import { fillKeyFolder } from "./key-folder.ts";

const folder = join(mkdtempSync(join(tmpdir(), "adrift-openssl-")), "keys");
afterAll(() => rmSync(join(folder, ".."), { recursive: true, force: true }));

const isMissing = spawnSync("openssl", ["version"]).status !== 0 && process.env["CI"] === undefined;

describe.skipIf(isMissing)(isMissing ? "OpenSSL (not installed: skipped)" : "OpenSSL", () => {
  it("given a new folder of keys, then it finds each certificate good for what it is for, and for nothing else", async () => {
    const subjects = [
      { name: "broker", servesAt: ["localhost", "192.168.1.20"] },
      { name: "pi-1", servesAt: null },
    ];
    await fillKeyFolder(folder, { authorityName: "authority of a test", subjects, days: 825, now: new Date() });
    expect(verify("broker", "sslserver", "-verify_ip", "192.168.1.20")).toBe(0);
    expect(verify("broker", "sslserver", "-verify_ip", "192.168.1.21")).not.toBe(0);
    expect(verify("broker", "sslclient")).toBe(0);
    expect(verify("pi-1", "sslclient")).toBe(0);
    expect(verify("pi-1", "sslserver")).not.toBe(0);
  });
});

function verify(name: string, purpose: string, ...more: readonly string[]): number | null {
  const { certificate } = keyFiles(folder, name);
  const authority = keyFiles(folder, "authority").certificate;
  const args = ["verify", "-x509_strict", "-purpose", purpose, ...more, "-CAfile", authority, certificate];
  return spawnSync("openssl", args).status;
}
