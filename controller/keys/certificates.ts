/**
 * The certificates of a bench: an authority that certifies names, and nothing else.
 *
 * ECDSA on P-256 throughout: small, quick on a board, and understood by every TLS library. A certificate's common name
 * is the name under which its owner publishes; brokers go by it.
 */

import "./reflect-metadata.ts";
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  randomBytes,
  webcrypto,
  X509Certificate,
} from "node:crypto";
import { isIP } from "node:net";
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  type Extension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509CertificateGenerator,
} from "@peculiar/x509";

/** Who can certify: PEM texts. */
export type Authority = { readonly certificate: string; readonly privateKey: string };

/** Whom a certificate is for. */
export type Subject = {
  /** The common name. */
  readonly name: string;
  /** The DNS names and IP addresses under which it serves; `null`: it only calls others. */
  readonly servesAt: readonly string[] | null;
};

/** From when until when a certificate is good. */
export type Validity = { readonly notBefore: Date; readonly notAfter: Date };

const authorityDays = 3_650;
const dayMs = 86_400_000;

/** Boards have no battery for their clock: one that is a little behind must find a new certificate good. */
const clockLagMs = 3_600_000;

const curve = { name: "ECDSA", namedCurve: "P-256" };
const signature = { name: "ECDSA", hash: "SHA-256" };

/** A new private key: PKCS#8 in PEM. */
export function generatePrivateKey(): string {
  return generateKeyPairSync("ec", {
    namedCurve: "P-256",
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
    publicKeyEncoding: { type: "spki", format: "pem" },
  }).privateKey;
}

/** The validity of what is certified now, for so many days. */
export function validityFrom(now: Date, days: number): Validity {
  return {
    notBefore: new Date(now.getTime() - clockLagMs),
    notAfter: new Date(now.getTime() + days * dayMs),
  };
}

/** The authority's own certificate, good for ten years. It can certify names but no further authorities. */
export async function certifyAuthority(name: string, privateKey: string, now: Date): Promise<string> {
  const keys = await cryptoKeysOf(privateKey);
  const certificate = await X509CertificateGenerator.createSelfSigned(
    {
      ...validityFrom(now, authorityDays),
      serialNumber: randomSerialNumber(),
      name: [{ CN: [name] }],
      keys,
      signingAlgorithm: signature,
      extensions: [
        new BasicConstraintsExtension(true, 0, true),
        new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
        await SubjectKeyIdentifierExtension.create(keys.publicKey, false, webcrypto),
      ],
    },
    webcrypto,
  );
  return pemOf(certificate);
}

/** A certificate for a name, good for no longer than the authority itself. */
export async function certify(
  authority: Authority,
  subject: Subject,
  privateKey: string,
  { notBefore, notAfter }: Validity,
): Promise<string> {
  const { publicKey } = await cryptoKeysOf(privateKey);
  const issuer = await cryptoKeysOf(authority.privateKey);
  const own = new X509Certificate(authority.certificate);
  const certificate = await X509CertificateGenerator.create(
    {
      notBefore,
      notAfter: new Date(Math.min(notAfter.getTime(), Date.parse(own.validTo))),
      serialNumber: randomSerialNumber(),
      subject: [{ CN: [subject.name] }],
      issuer: [{ CN: [commonNameOf(own)] }],
      publicKey,
      signingKey: issuer.privateKey,
      signingAlgorithm: signature,
      extensions: [
        new BasicConstraintsExtension(false, undefined, true),
        new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
        ...usesOf(subject),
        await SubjectKeyIdentifierExtension.create(publicKey, false, webcrypto),
        await AuthorityKeyIdentifierExtension.create(issuer.publicKey, false, webcrypto),
      ],
    },
    webcrypto,
  );
  return pemOf(certificate);
}

/** The name in a certificate's subject. */
export function commonNameOf(certificate: X509Certificate): string {
  return /^CN=(.*)$/m.exec(certificate.subject)?.[1] ?? "";
}

/** Whether a certificate certifies the key that goes with this private one. */
export function belongTogether(certificate: X509Certificate, privateKey: string): boolean {
  return certificate.checkPrivateKey(createPrivateKey(privateKey));
}

/** Whether this authority signed the certificate. */
export function isCertifiedBy(certificate: X509Certificate, authority: X509Certificate): boolean {
  return certificate.checkIssued(authority) && certificate.verify(authority.publicKey);
}

function usesOf({ servesAt }: Subject): readonly Extension[] {
  if (servesAt === null) return [new ExtendedKeyUsageExtension([ExtendedKeyUsage.clientAuth])];
  const places = servesAt.map((place) => ({
    type: isIP(place) === 0 ? ("dns" as const) : ("ip" as const),
    value: place,
  }));
  return [
    new ExtendedKeyUsageExtension([ExtendedKeyUsage.clientAuth, ExtendedKeyUsage.serverAuth]),
    new SubjectAlternativeNameExtension(places),
  ];
}

/** 16 random bytes; the first says that the number is positive and not shorter. */
function randomSerialNumber(): string {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40;
  return bytes.toString("hex");
}

async function cryptoKeysOf(privateKey: string): Promise<webcrypto.CryptoKeyPair> {
  const key = createPrivateKey(privateKey);
  const pkcs8 = key.export({ type: "pkcs8", format: "der" });
  const spki = createPublicKey(privateKey).export({ type: "spki", format: "der" });
  return {
    privateKey: await webcrypto.subtle.importKey("pkcs8", pkcs8, curve, false, ["sign"]),
    publicKey: await webcrypto.subtle.importKey("spki", spki, curve, true, ["verify"]),
  };
}

function pemOf(certificate: { toString(format: "pem"): string }): string {
  return `${certificate.toString("pem").trimEnd()}\n`;
}
