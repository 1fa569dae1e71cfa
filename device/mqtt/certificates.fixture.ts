/**
 * An authority and certificates for tests, good and bad ones: just enough of X.509 (RFC 5280) for TLS to believe them.
 */

import { createPublicKey, generateKeyPairSync, type KeyObject, randomBytes, sign } from "node:crypto";
import type { Keys } from "./keys.ts";

/** An authority that certifies any name. */
export type TestAuthority = {
  readonly certificate: string;
  /** Keys for a name, which serves on loopback too. `days` counts from now; a negative number: it has expired. */
  keysFor(name: string, days?: number): Keys;
};

/** A new authority, which nobody else trusts. */
export function createTestAuthority(): TestAuthority {
  const own = newKeys();
  const authorityName = `authority ${randomBytes(4).toString("hex")}`;
  const issue = (name: string, days: number, publicKey: KeyObject, extensions: readonly Buffer[]): string =>
    certificateOf({ issuer: authorityName, issuerKey: own.privateKey, name, days, publicKey, extensions });
  const certificate = issue(authorityName, 30, own.publicKey, [authorityOnly]);
  return {
    certificate,
    keysFor: (name, days = 1) => {
      const { publicKey, privateKey } = newKeys();
      return {
        authority: certificate,
        certificate: issue(name, days, publicKey, [loopbackAddress]),
        privateKey: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
      };
    },
  };
}

function newKeys(): { readonly publicKey: KeyObject; readonly privateKey: KeyObject } {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  return { privateKey, publicKey: createPublicKey(privateKey) };
}

type Contents = {
  readonly issuer: string;
  readonly issuerKey: KeyObject;
  readonly name: string;
  readonly days: number;
  readonly publicKey: KeyObject;
  readonly extensions: readonly Buffer[];
};

function certificateOf({ issuer, issuerKey, name, days, publicKey, extensions }: Contents): string {
  const now = Date.now();
  const contents = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, Buffer.concat([Buffer.from([1]), randomBytes(8)])),
    ecdsaWithSha256,
    commonName(issuer),
    sequence(time(now - 60 * dayMs), time(now + days * dayMs)),
    commonName(name),
    publicKey.export({ type: "spki", format: "der" }),
    der(0xa3, sequence(...extensions)),
  );
  const signature = sign("sha256", contents, issuerKey);
  const bytes = sequence(contents, ecdsaWithSha256, der(0x03, Buffer.concat([Buffer.from([0]), signature])));
  const lines = bytes.toString("base64").match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`;
}

const dayMs = 24 * 60 * 60 * 1_000;

/** A value of DER: what it is, how long, and its content. */
function der(tag: number, content: Buffer): Buffer {
  const { length } = content;
  const head = length < 128 ? [tag, length] : [tag, 0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from(head), content]);
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return der(0x30, Buffer.concat(parts));
}

function objectIdentifier(hex: string): Buffer {
  return der(0x06, Buffer.from(hex, "hex"));
}

function commonName(name: string): Buffer {
  return sequence(der(0x31, sequence(objectIdentifier("550403"), der(0x0c, Buffer.from(name)))));
}

function time(ms: number): Buffer {
  const digits = new Date(ms).toISOString().replaceAll(/[-:T]|\.\d+/g, "");
  return der(0x18, Buffer.from(digits));
}

const ecdsaWithSha256 = sequence(objectIdentifier("2a8648ce3d040302"));

/** Basic constraints: it may certify others. */
const authorityOnly = sequence(
  objectIdentifier("551d13"),
  der(0x01, Buffer.from([0xff])),
  der(0x04, sequence(der(0x01, Buffer.from([0xff])))),
);

/** Subject alternative name: the address 127.0.0.1. */
const loopbackAddress = sequence(
  objectIdentifier("551d11"),
  der(0x04, sequence(der(0x87, Buffer.from([127, 0, 0, 1])))),
);
