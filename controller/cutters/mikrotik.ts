/**
 * The ports of a switch of MikroTik by the REST interface of RouterOS (7.1 and later), always over HTTPS.
 *
 * Such a switch mostly shows a certificate that it signed itself. Then the second line of the password file holds the
 * certificate's SHA-256 fingerprint: this certificate is trusted and no other, and the password is sent to nobody else.
 * Without that line an authority must have signed it that Node.js trusts (see NODE_EXTRA_CA_CERTS).
 */

import { type IncomingMessage, request } from "node:http";
import { isIP } from "node:net";
import { connect, type TLSSocket } from "node:tls";
import type { SwitchManagement } from "../../hardware/bench.ts";
import { CutterFailure } from "./cutter.ts";
import { hostAndPort, ipAddressOf } from "./snmp.ts";
import { readSecrets } from "./switch-password.ts";
import type { ManagedPorts, ManagedSwitch } from "./switch-ports.ts";

/** Prepares it; sends nothing yet. @throws {CutterFailure} if the host or the secrets cannot be used */
export async function openMikrotikPorts(management: SwitchManagement, folder: string): Promise<ManagedPorts> {
  const { file, first, second } = await readSecrets(management, folder);
  const fingerprint = second === null ? null : bareFingerprint(second);
  if (fingerprint === "") {
    throw new CutterFailure(
      `The second line of ${file} is no SHA-256 fingerprint: 64 hexadecimal digits, with or without colons.`,
    );
  }
  const { host, port } = hostAndPort(management.address, 443);
  const ipAddress = await ipAddressOf(host);
  const authorization = `Basic ${Buffer.from(`${management.user ?? ""}:${first}`).toString("base64")}`;
  return new MikrotikPorts({ name: management.address, host, ipAddress, port, authorization, fingerprint, file });
}

type Place = {
  readonly name: string;
  readonly host: string;
  readonly ipAddress: string;
  readonly port: number;
  readonly authorization: string;
  readonly fingerprint: string | null;
  readonly file: string;
};

/** A line of a RouterOS menu: every value is a string, also where it stands for a number or a truth value. */
type Item = { readonly [property: string]: string };

const answerBytesMax = 1_048_576;

class MikrotikPorts implements ManagedPorts {
  readonly #place: Place;
  readonly #open = new Set<TLSSocket>();
  #closed = false;

  constructor(place: Place) {
    this.#place = place;
  }

  async isOpen(port: string, untilMs: number): Promise<boolean> {
    return isEnabled(await this.#find(port, untilMs));
  }

  async hasLink(port: string, untilMs: number): Promise<boolean> {
    return (await this.#find(port, untilMs))["running"] === "true";
  }

  async setOpen(port: string, open: boolean, untilMs: number): Promise<void> {
    const item = await this.#find(port, untilMs);
    if (isEnabled(item) === open) return;
    if (!open && (await this.#interfaceOfAddress(untilMs)) === port) {
      throw new CutterFailure(
        `The switch at ${this.#place.name} is managed over its port ${port} (it has the address ${this.#place.ipAddress}): ` +
          "closed, nobody could open it again. Plug the cable in elsewhere.",
      );
    }
    const path = `interface/ethernet/${encodeURIComponent(item[".id"] ?? "")}`;
    await this.#ask("PATCH", path, untilMs, { disabled: open ? "false" : "true" });
    if (isEnabled(await this.#find(port, untilMs)) === open) return;
    throw new CutterFailure(
      `The switch at ${this.#place.name} said that it would ${open ? "open" : "close"} its port ${port}, and did not.`,
    );
  }

  async describe(untilMs: number): Promise<ManagedSwitch> {
    const [resource = {}] = itemsIn(await this.#ask("GET", "system/resource", untilMs));
    const ports = itemsIn(await this.#ask("GET", "interface/ethernet", untilMs)).flatMap(({ name }) => name ?? []);
    const own = await this.#interfaceOfAddress(untilMs);
    const { "board-name": board = "a switch", version = "of unknown version" } = resource;
    return {
      device: `${board} at ${this.#place.ipAddress}: RouterOS ${version}`,
      ports,
      remarks: [
        own !== null && ports.includes(own)
          ? `It has its address on ${own}, which is never closed; name the uplink among the protectedPorts.`
          : `It has its address on ${own ?? "no interface that it shows"}: name the port by which it is managed among the protectedPorts.`,
      ],
    };
  }

  close(): void {
    this.#closed = true;
    for (const socket of this.#open) socket.destroy(this.#closedFailure());
  }

  async #find(port: string, untilMs: number): Promise<Item> {
    const items = itemsIn(await this.#ask("GET", "interface/ethernet", untilMs));
    const item = items.find(({ name }) => name === port);
    if (item !== undefined) return item;
    const names = items.flatMap(({ name }) => name ?? []);
    throw new CutterFailure(`The switch at ${this.#place.name} has no port ${port}. Its ports: ${names.join(", ")}.`);
  }

  /** The interface with the address to which we speak. */
  async #interfaceOfAddress(untilMs: number): Promise<string | null> {
    const { ipAddress } = this.#place;
    const addresses = itemsIn(await this.#ask("GET", isIP(ipAddress) === 6 ? "ipv6/address" : "ip/address", untilMs));
    const own = addresses.find(({ address = "" }) => address.split("/")[0] === ipAddress);
    return own?.["actual-interface"] ?? own?.["interface"] ?? null;
  }

  async #ask(method: "GET" | "PATCH", path: string, untilMs: number, body?: Item): Promise<unknown> {
    if (this.#closed) throw this.#closedFailure();
    const remainingMs = untilMs - performance.now();
    if (remainingMs <= 0) throw this.#tooLate();
    let socket: TLSSocket | null = null;
    const timer = setTimeout(() => socket?.destroy(this.#tooLate()), remainingMs);
    try {
      socket = this.#dial();
      await this.#trust(socket);
      return await this.#exchange(socket, method, path, body);
    } catch (error) {
      throw error instanceof CutterFailure ? error : this.#failure(error);
    } finally {
      clearTimeout(timer);
      socket?.destroy();
    }
  }

  #dial(): TLSSocket {
    const { host, ipAddress, port, fingerprint } = this.#place;
    const servername = isIP(host) === 0 ? { servername: host } : {};
    const socket = connect({ host: ipAddress, port, rejectUnauthorized: fingerprint === null, ...servername });
    this.#open.add(socket);
    // Whoever waits for the socket hears of it; when nobody waits any more, it matters to nobody.
    socket.on("error", () => {});
    socket.once("close", () => this.#open.delete(socket));
    return socket;
  }

  /** Resolves when the connection stands and its other end has shown the certificate that is trusted. */
  async #trust(socket: TLSSocket): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      socket.once("secureConnect", resolve);
      socket.once("error", reject);
      socket.once("close", () => reject(new Error("it ended the connection")));
    });
    const { fingerprint, name, file } = this.#place;
    const shown = socket.getPeerCertificate().fingerprint256;
    if (fingerprint === null || bareFingerprint(shown) === fingerprint) return;
    throw new CutterFailure(
      `The switch at ${name} shows another certificate than the one in the second line of ${file}: ${shown}. ` +
        "Has it got a new one? Then write that fingerprint there. Otherwise somebody else answers in its place.",
    );
  }

  #exchange(socket: TLSSocket, method: string, path: string, body?: Item): Promise<unknown> {
    const { host, authorization } = this.#place;
    const content = body === undefined ? "" : JSON.stringify(body);
    const headers = {
      authorization,
      host,
      connection: "close",
      ...(body === undefined
        ? {}
        : { "content-type": "application/json", "content-length": Buffer.byteLength(content) }),
    };
    return new Promise((resolve, reject) => {
      const call = request({ createConnection: () => socket, method, path: `/rest/${path}`, headers }, (response) => {
        this.#answerOf(response).then(resolve, reject);
      });
      call.once("error", reject);
      call.end(content);
    });
  }

  async #answerOf(response: IncomingMessage): Promise<unknown> {
    response.setEncoding("utf8");
    let text = "";
    for await (const piece of response) {
      text += String(piece);
      if (text.length > answerBytesMax) throw new Error("its answer has no end");
    }
    const { name, file } = this.#place;
    const status = response.statusCode ?? 0;
    if (status === 401) {
      throw new CutterFailure(`The switch at ${name} refuses the user or the password in the first line of ${file}.`);
    }
    if (status >= 400) {
      const [{ message = "", detail = "" } = {}] = itemsIn(jsonOf(text));
      throw new CutterFailure(
        `The switch at ${name} refused (${status} ${message}): ${detail || "no reason given"}. ` +
          "Does its user have the rights read, write and rest-api, and is it RouterOS 7.1 or later?",
      );
    }
    return jsonOf(text);
  }

  #failure(error: unknown): CutterFailure {
    const { name, file } = this.#place;
    const reason = error instanceof Error ? error.message : String(error);
    const code = error instanceof Error && "code" in error ? String(error.code) : "";
    if (/CERT|SIGNATURE|ISSUER|ALTNAME/.test(code)) {
      return new CutterFailure(
        `The switch at ${name} shows a certificate that nobody vouches for (${reason}). If it is its own, write the ` +
          `certificate's SHA-256 fingerprint, as the switch itself shows it, in the second line of ${file}.`,
        { cause: error },
      );
    }
    return new CutterFailure(
      `The switch at ${name} does not answer over HTTPS (${reason}). Is it on and in reach, and its service www-ssl enabled?`,
      { cause: error },
    );
  }

  #tooLate(): CutterFailure {
    return new CutterFailure(`The switch at ${this.#place.name} took too long to answer. Is it on, and in reach?`);
  }

  #closedFailure(): CutterFailure {
    return new CutterFailure(`The connection to the switch at ${this.#place.name} has been closed.`);
  }
}

function isEnabled({ disabled }: Item): boolean {
  if (disabled === "false") return true;
  if (disabled === "true") return false;
  throw new CutterFailure("The switch does not say whether its port is disabled. Is it RouterOS 7.1 or later?");
}

/** A checked boundary: one item or a list of them. Values that are no text are left out. */
function itemsIn(answer: unknown): readonly Item[] {
  const entries: readonly unknown[] = Array.isArray(answer) ? answer : [answer];
  return entries.flatMap((entry) => {
    if (typeof entry !== "object" || entry === null) return [];
    const texts = Object.entries(entry).filter((pair): pair is [string, string] => typeof pair[1] === "string");
    return [Object.fromEntries(texts)];
  });
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new CutterFailure("The switch answered with something that is no JSON. Is it RouterOS 7.1 or later?");
  }
}

/** In capitals and without colons; empty if it is no SHA-256 fingerprint. */
function bareFingerprint(text: string): string {
  const digits = text.replaceAll(/[:\s]/g, "").toUpperCase();
  return /^[0-9A-F]{64}$/.test(digits) ? digits : "";
}
