import { X509Certificate } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { type AddressInfo, connect as connectTcp } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, createServer, type TLSSocket } from "node:tls";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { keyFiles } from "../../device/mqtt/read-keys.ts";
import { fillKeyFolder, type KeyFolderSettings } from "./key-folder.ts";

const base = mkdtempSync(join(tmpdir(), "adrift-keys-"));
afterAll(() => rmSync(base, { recursive: true, force: true }));

const serves = ["localhost", "127.0.0.1", "::1"];
const settings: KeyFolderSettings = {
  authorityName: "authority of a test",
  subjects: [
    { name: "broker", servesAt: serves },
    { name: "pi-1", servesAt: null },
  ],
  days: 825,
  now: new Date(),
};

function newFolder(): string {
  return join(mkdtempSync(join(base, "bench-")), "keys");
}

function pathOf(folder: string, name: string, part: "certificate" | "privateKey" = "certificate"): string {
  return keyFiles(folder, name)[part];
}

function textOf(folder: string, name: string, part: "certificate" | "privateKey" = "certificate"): string {
  return readFileSync(pathOf(folder, name, part), "utf8");
}

function textsIn(folder: string): ReadonlyMap<string, string> {
  return new Map(readdirSync(folder).map((file) => [file, readFileSync(join(folder, file), "utf8")]));
}

describe("given a new folder of keys", () => {
  const folder = newFolder();
  beforeAll(async () => {
    await fillKeyFolder(folder, settings);
  });

  it("then only its owner can read what is in it", () => {
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    const modes = readdirSync(folder).map((file) => statSync(join(folder, file)).mode & 0o777);
    expect(modes).toEqual([0o600, 0o600, 0o600, 0o600, 0o600, 0o600]);
  });

  it("then certificates say who may serve, who may not, and until when", () => {
    const broker = new X509Certificate(textOf(folder, "broker"));
    const board = new X509Certificate(textOf(folder, "pi-1"));
    const authority = new X509Certificate(textOf(folder, "authority"));
    expect(serves.map((place) => broker.checkHost(place) ?? broker.checkIP(place))).toEqual(serves);
    expect(board.checkHost("localhost")).toBeUndefined();
    expect([broker.keyUsage, board.keyUsage]).toEqual([
      ["1.3.6.1.5.5.7.3.2", "1.3.6.1.5.5.7.3.1"],
      ["1.3.6.1.5.5.7.3.2"],
    ]);
    expect([authority.ca, broker.ca, board.ca]).toEqual([true, false, false]);
    expect(Date.parse(board.validFrom)).toBeLessThan(settings.now.getTime() - 3_500_000);
    expect(Date.parse(board.validTo)).toBeGreaterThan(settings.now.getTime() + 824 * 86_400_000);
    expect(broker.serialNumber).not.toBe(board.serialNumber);
  });

  it("when a board calls the broker, then each knows the other's name", async () => {
    expect(await handshake(folder, folder)).toEqual({ client: "pi-1", server: "broker" });
  });

  it("when somebody calls whom another authority certified, then the broker turns them away", async () => {
    const foreign = newFolder();
    await fillKeyFolder(foreign, settings);
    await expect(handshake(folder, foreign)).rejects.toThrow();
  });

  it("when a board poses as a broker, then its caller turns away", async () => {
    await expect(handshake(folder, folder, "pi-1")).rejects.toThrow();
  });
});

describe("given a folder of keys, when it is filled again", () => {
  it("then nothing in it changes", async () => {
    const folder = newFolder();
    const first = await fillKeyFolder(folder, settings);
    const before = textsIn(folder);
    const second = await fillKeyFolder(folder, settings);
    expect(first).toEqual({ made: ["authority", "broker", "pi-1"], certified: [], kept: [], warnings: [] });
    expect(second).toEqual({ made: [], certified: [], kept: ["authority", "broker", "pi-1"], warnings: [] });
    expect(textsIn(folder)).toEqual(before);
  });

  it("then whoever is new gets a key from the same authority", async () => {
    const folder = newFolder();
    await fillKeyFolder(folder, settings);
    const report = await fillKeyFolder(folder, { ...settings, subjects: [{ name: "anna", servesAt: null }] });
    expect(report.made).toEqual(["anna"]);
    const authority = new X509Certificate(textOf(folder, "authority"));
    expect(new X509Certificate(textOf(folder, "anna")).verify(authority.publicKey)).toBe(true);
  });

  it("then a key without a certificate, as a crash leaves it, gets one and stays", async () => {
    const folder = newFolder();
    await fillKeyFolder(folder, settings);
    const key = textOf(folder, "pi-1", "privateKey");
    rmSync(pathOf(folder, "pi-1"));
    const report = await fillKeyFolder(folder, settings);
    expect(report.certified).toEqual(["pi-1"]);
    expect(textOf(folder, "pi-1", "privateKey")).toBe(key);
  });

  it("then whoever serves at a new place gets a new certificate, for the old key, and keeps the places it had", async () => {
    const folder = newFolder();
    const at = (...places: readonly string[]): KeyFolderSettings => ({
      ...settings,
      subjects: [{ name: "broker", servesAt: [...serves, ...places] }],
    });
    await fillKeyFolder(folder, at("rack.example.org", "fd00::2"));
    const key = textOf(folder, "broker", "privateKey");
    const report = await fillKeyFolder(folder, at("192.168.7.2"));
    expect(report).toEqual({ made: [], certified: ["broker"], kept: ["authority"], warnings: [] });
    expect(textOf(folder, "broker", "privateKey")).toBe(key);
    const certificate = new X509Certificate(textOf(folder, "broker"));
    expect(certificate.subjectAltName).toBe(
      "DNS:localhost, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1, IP Address:192.168.7.2, DNS:rack.example.org, IP Address:FD00:0:0:0:0:0:0:2",
    );
    expect(statSync(pathOf(folder, "broker")).mode & 0o777).toBe(0o600);
    expect(readdirSync(folder)).toHaveLength(4);
    expect((await fillKeyFolder(folder, at("192.168.7.2"))).kept).toEqual(["authority", "broker"]);
    expect(await handshake(folder, folder, "broker", "broker")).toEqual({ client: "broker", server: "broker" });
  });

  it("then an old certificate is told of, and no new one outlives the authority", async () => {
    const folder = newFolder();
    await fillKeyFolder(folder, { ...settings, days: 10 });
    const late = new Date(settings.now.getTime() + 20 * 86_400_000);
    const { warnings } = await fillKeyFolder(folder, { ...settings, now: late });
    expect(warnings.join("\n")).toMatch(/certificate of pi-1 ended on .*: take pi-1.pem away/);
    await fillKeyFolder(folder, { ...settings, subjects: [{ name: "anna", servesAt: null }], days: 36_500 });
    const [anna, authority] = ["anna", "authority"].map((name) => new X509Certificate(textOf(folder, name)).validTo);
    expect(anna).toBe(authority);
  });
});

describe("given a folder with something wrong in it", () => {
  const wrongs: readonly { what: string; spoil: (folder: string) => void; message: RegExp }[] = [
    {
      what: "a certificate without its key",
      spoil: (folder) => rmSync(pathOf(folder, "pi-1", "privateKey")),
      message: /pi-1\.pem is there without .*pi-1\.key\.pem\. Bring the key back/,
    },
    {
      what: "an authority without its key",
      spoil: (folder) => rmSync(pathOf(folder, "authority", "privateKey")),
      message: /authority\.pem is there without/,
    },
    {
      what: "the key of somebody else",
      spoil: (folder) => writeFileSync(pathOf(folder, "pi-1", "privateKey"), textOf(folder, "broker", "privateKey")),
      message: /pi-1\.pem does not belong to .*pi-1\.key\.pem/,
    },
    {
      what: "the certificate of somebody else",
      spoil: (folder) => {
        writeFileSync(pathOf(folder, "pi-1", "privateKey"), textOf(folder, "broker", "privateKey"));
        writeFileSync(pathOf(folder, "pi-1"), textOf(folder, "broker"));
      },
      message: /pi-1\.pem does not certify "pi-1"/,
    },
    {
      what: "a file that is no certificate",
      spoil: (folder) => writeFileSync(pathOf(folder, "pi-1"), "hello\n"),
      message: /pi-1\.pem holds no certificate/,
    },
    {
      what: "a file that is no key",
      spoil: (folder) => writeFileSync(pathOf(folder, "pi-1", "privateKey"), "hello\n"),
      message: /pi-1\.key\.pem holds no private key/,
    },
  ];

  for (const { what, spoil, message } of wrongs) {
    it(`then ${what} is refused, and nothing is written over`, async () => {
      const folder = newFolder();
      await fillKeyFolder(folder, settings);
      spoil(folder);
      const before = textsIn(folder);
      await expect(fillKeyFolder(folder, settings)).rejects.toThrow(message);
      expect(textsIn(folder)).toEqual(before);
    });
  }

  it("then a file in the folder's place is told of", async () => {
    const file = join(mkdtempSync(join(base, "bench-")), "keys");
    writeFileSync(file, "");
    await expect(fillKeyFolder(file, settings)).rejects.toThrow(/something else has that name/);
  });
});

/** A board calls a broker over TLS; each side's name as the other sees it. */
async function handshake(brokers: string, callers: string, serverName = "broker", callerName = "pi-1") {
  const server = createServer({
    ca: textOf(brokers, "authority"),
    cert: textOf(brokers, serverName),
    key: textOf(brokers, serverName, "privateKey"),
    requestCert: true,
    rejectUnauthorized: true,
  });
  try {
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const client = new Promise<string>((resolve, reject) => {
      server.once("secureConnection", (socket: TLSSocket) => resolve(nameOf(socket)));
      server.once("tlsClientError", reject);
    });
    const name = new Promise<string>((resolve, reject) => {
      const { port } = server.address() as AddressInfo;
      const socket = connect({
        socket: connectTcp(port, "127.0.0.1"),
        servername: "localhost",
        ca: textOf(brokers, "authority"),
        cert: textOf(callers, callerName),
        key: textOf(callers, callerName, "privateKey"),
      });
      socket.once("error", reject);
      socket.once("secureConnect", () => {
        resolve(nameOf(socket));
        socket.end();
      });
    });
    const [seen, server_] = await Promise.all([client, name]);
    return { client: seen, server: server_ };
  } finally {
    server.close();
  }
}

function nameOf(socket: TLSSocket): string {
  const { CN: name } = socket.getPeerCertificate().subject;
  return Array.isArray(name) ? name.join() : (name ?? "");
}
