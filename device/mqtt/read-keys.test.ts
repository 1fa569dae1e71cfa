import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createTestAuthority } from "./certificates.fixture.ts";
import type { Keys } from "./keys.ts";
import { KeysError, keyFiles, readKeys } from "./read-keys.ts";

let folder = "";
const authority = createTestAuthority();

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "adrift-keys-"));
});

afterEach(() => rmSync(folder, { recursive: true }));

function put(name: string, keys: Keys): void {
  const files = keyFiles(folder, name);
  writeFileSync(files.authority, keys.authority);
  writeFileSync(files.certificate, keys.certificate);
  writeFileSync(files.privateKey, keys.privateKey, { mode: 0o600 });
}

function refusal(name = "pi-1"): string {
  try {
    readKeys(folder, name);
  } catch (error) {
    if (error instanceof KeysError) return error.message;
    throw error;
  }
  return "none";
}

describe("keys are read by their owner's name", () => {
  test("given the files of a name, then its keys are read", () => {
    const keys = authority.keysFor("pi-1");
    put("pi-1", keys);

    expect(readKeys(folder, "pi-1")).toEqual(keys);
  });

  test("given no files, then the message says which is missing and how to make it", () => {
    expect(refusal()).toMatch(/authority\.pem is missing.*adrift init/);
    put("pi-2", authority.keysFor("pi-2"));
    expect(refusal()).toMatch(/pi-1\.pem is missing/);
  });

  test("given text that is no PEM, then it is refused", () => {
    put("pi-1", authority.keysFor("pi-1"));
    writeFileSync(keyFiles(folder, "pi-1").certificate, "hello");
    expect(refusal()).toMatch(/pi-1\.pem is not a certificate in PEM/);

    put("pi-1", authority.keysFor("pi-1"));
    writeFileSync(keyFiles(folder, "pi-1").privateKey, "hello");
    expect(refusal()).toMatch(/pi-1\.key\.pem is not a private key in PEM/);
  });

  test("given a certificate that has expired, then the message says when", () => {
    put("pi-1", authority.keysFor("pi-1", -3));
    expect(refusal()).toMatch(/pi-1\.pem expired on \d{4}-\d\d-\d\d\. Delete it and run/);
  });

  test("given somebody else's certificate, then it is refused", () => {
    put("pi-1", authority.keysFor("pi-2"));
    expect(refusal()).toMatch(/is the certificate of "pi-2", not of "pi-1"/);
  });

  test("given a certificate of another authority, then it is refused", () => {
    put("pi-1", { ...createTestAuthority().keysFor("pi-1"), authority: authority.certificate });
    expect(refusal()).toMatch(/was not issued by/);
  });

  test("given a private key that belongs to another certificate, then it is refused", () => {
    put("pi-1", { ...authority.keysFor("pi-1"), privateKey: authority.keysFor("pi-1").privateKey });
    expect(refusal()).toMatch(/belongs to another certificate/);
  });

  test.skipIf(process.platform === "win32")("given a key that others may read, then it is refused", () => {
    put("pi-1", authority.keysFor("pi-1"));
    chmodSync(keyFiles(folder, "pi-1").privateKey, 0o644);
    expect(refusal()).toMatch(/can be read by others \(0644\).*chmod 600/);
  });
});
