/**
 * SNMP v2c and v3 as the drivers use it: short conversations with one agent, each of which ends in time.
 *
 * Every conversation has a session of its own, so nothing is left over from an agent that has been started again in
 * between: in SNMP v3 its engine's boots and time are asked anew (RFC 3414, section 4), for one round trip more.
 */

import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import snmp, { type Session, type User, type Varbind } from "net-snmp";
import type { SwitchManagement } from "../../hardware/bench.ts";
import { CutterFailure } from "./cutter.ts";
import { readSecrets, type Secrets } from "./switch-password.ts";

/** What an object is; `null` where the agent has none of that name. */
export type SnmpValue = string | number | null;

/** What can be asked of an agent. All reject with a `CutterFailure`. */
export type SnmpConversation = {
  /** The values of these objects, in the same order. */
  get(...oids: readonly string[]): Promise<readonly SnmpValue[]>;
  /** @param what for messages: what is to be changed */
  setInteger(oid: string, value: number, what: string): Promise<void>;
  /** A column of a table: its values by their index, the numbers behind the column's own name. */
  column(oid: string): Promise<ReadonlyMap<string, SnmpValue>>;
};

/** An agent that can be talked to. */
export type SnmpAgent = {
  /** For messages: `the switch at 192.168.7.2`. */
  readonly name: string;
  /** The IP address to which everything is sent. */
  readonly ipAddress: string;
  /** @param untilMs by `performance.now()`; what is still open then fails */
  converse<Result>(untilMs: number, talk: (agent: SnmpConversation) => Promise<Result>): Promise<Result>;
  /** Ends all conversations; new ones fail. */
  close(): void;
};

/** How long one request waits for its response, and how often it is repeated. */
const responseMsMax = 700;
const repeatsMax = 2;
/** Rows that one response may bring: few enough for a datagram of 1,472 bytes. */
const rowsAtOnce = 16;
/** More than the largest switch has ports: where an agent's table never ends, the question does. */
const rowsMax = 4_096;

/**
 * Finds out how the agent is reached and with which secrets. It sends nothing yet.
 *
 * @param folder where a relative path of the password file begins
 * @throws {CutterFailure} if the host's name is unknown or the secrets cannot be used
 */
export async function prepareSnmpAgent(management: SwitchManagement, folder: string): Promise<SnmpAgent> {
  const secrets = await readSecrets(management, folder);
  checkSecrets(management, secrets);
  const { host, port } = hostAndPort(management.address, 161);
  return new Agent(management, secrets, await ipAddressOf(host), port);
}

/** Takes `host` or `host:port` apart; an IPv6 address stands in brackets. */
export function hostAndPort(address: string, defaultPort: number): { readonly host: string; readonly port: number } {
  const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([^:]+))(?::([0-9]+))?$/.exec(address) ?? [];
  return { host: bracketed ?? plain ?? address, port: port === undefined ? defaultPort : Number(port) };
}

/** The IP address of a host, asked from the system unless it is one already. @throws {CutterFailure} */
export async function ipAddressOf(host: string): Promise<string> {
  if (isIP(host) !== 0) return host;
  try {
    return (await lookup(host)).address;
  } catch (cause) {
    throw new CutterFailure(
      `Nobody knows the host ${host}, at which a switch should be: write its IP address instead.`,
      {
        cause,
      },
    );
  }
}

class Agent implements SnmpAgent {
  readonly name: string;
  readonly ipAddress: string;
  readonly #management: SwitchManagement;
  readonly #secrets: Secrets;
  readonly #port: number;
  readonly #hangUps = new Set<(reason: CutterFailure) => void>();
  #closed = false;

  constructor(management: SwitchManagement, secrets: Secrets, ipAddress: string, port: number) {
    this.name = `the switch at ${management.address}`;
    this.ipAddress = ipAddress;
    this.#management = management;
    this.#secrets = secrets;
    this.#port = port;
  }

  async converse<Result>(untilMs: number, talk: (agent: SnmpConversation) => Promise<Result>): Promise<Result> {
    if (this.#closed) throw new CutterFailure(`The connection to ${this.name} has been closed.`);
    const remainingMs = untilMs - performance.now();
    if (remainingMs <= 0) throw this.#tooLate();
    const session = this.#openSession();
    let hangUp: (reason: CutterFailure) => void = () => {};
    const hungUp = new Promise<never>((_, reject) => {
      hangUp = reject;
    });
    const timer = setTimeout(() => hangUp(this.#tooLate()), remainingMs);
    this.#hangUps.add(hangUp);
    try {
      return await Promise.race([talk(this.#conversationOver(session)), hungUp]);
    } finally {
      clearTimeout(timer);
      this.#hangUps.delete(hangUp);
      session.close();
    }
  }

  close(): void {
    this.#closed = true;
    for (const hangUp of this.#hangUps) {
      hangUp(new CutterFailure(`The connection to ${this.name} was closed before it answered.`));
    }
  }

  #openSession(): Session {
    const { protocol, user } = this.#management;
    const { first, second } = this.#secrets;
    const transport = isIP(this.ipAddress) === 6 ? "udp6" : "udp4";
    const options = { transport, port: this.#port, timeout: responseMsMax, retries: repeatsMax } as const;
    const session =
      protocol === "snmp-v3"
        ? snmp.createV3Session(this.ipAddress, authPriv(user ?? "", first, second ?? first), options)
        : snmp.createSession(this.ipAddress, first, { ...options, version: snmp.Version2c });
    // Datagrams that are no SNMP come here, from whomever: the request goes on waiting for its response.
    session.on("error", () => {});
    return session;
  }

  #conversationOver(session: Session): SnmpConversation {
    const ask = <Result>(
      what: string,
      send: (done: (error: Error | null, result?: Result) => void) => void,
    ): Promise<Result> =>
      new Promise((resolve, reject) => {
        send((error, result) => {
          if (error === null && result !== undefined) resolve(result);
          else reject(this.#failure(what, error ?? new Error("it sent an empty response")));
        });
      });

    return {
      get: async (...oids) => {
        const rows = await ask<Varbind[]>("read", (done) => session.get([...oids], done));
        return oids.map((oid) => readValue(rows.find((row) => row.oid === oid)));
      },
      setInteger: async (oid, value, what) => {
        const type = snmp.ObjectType.Integer;
        await ask<Varbind[]>(what, (done) => session.set([{ oid, type, value }], done));
      },
      column: async (oid) => {
        const column = new Map<string, SnmpValue>();
        for (let last = oid; ; ) {
          const rows = await ask<(Varbind | Varbind[])[]>("read", (done) =>
            session.getBulk([last], 0, rowsAtOnce, done),
          );
          const fresh = rows.flat().filter((row) => row.oid.startsWith(`${oid}.`) && readValue(row) !== null);
          for (const row of fresh) column.set(row.oid.slice(oid.length + 1), readValue(row));
          const next = fresh.at(-1)?.oid;
          if (next === undefined || fresh.length < rows.flat().length) return column;
          if (next === last || column.size > rowsMax)
            throw new CutterFailure(`${capital(this.name)} has a table (${oid}) without an end.`);
          last = next;
        }
      },
    };
  }

  /** What net-snmp's error means for whoever has to put it right. */
  #failure(what: string, error: Error): CutterFailure {
    const { protocol, user } = this.#management;
    const { file } = this.#secrets;
    const who = protocol === "snmp-v3" ? `the user ${user ?? ""}` : "its community";
    const explain = (reason: string): CutterFailure =>
      new CutterFailure(`${capital(this.name)} ${reason}`, { cause: error });
    if (error.name === "RequestTimedOutError") {
      const wrong = protocol === "snmp-v2c" ? "the community" : "the pass-phrase for privacy, its last line,";
      return explain(
        `does not answer: it is off or out of reach, SNMP (${protocol}) is switched off there, or ${wrong} in ${file} is ` +
          "wrong, to which it keeps silent.",
      );
    }
    if (error.name === "RequestFailedError") {
      return explain(`refused (${error.message}): ${what}. Does ${who} have the right to write?`);
    }
    if (/Unknown User Name/.test(error.message)) return explain(`knows no SNMP v3 user "${user ?? ""}".`);
    if (/Wrong Digest/.test(error.message)) {
      return explain(`does not accept the pass-phrase in the first line of ${file} for ${who} (SHA-256).`);
    }
    if (/Decryption/i.test(error.message)) {
      return explain(`does not accept the pass-phrase for privacy, the last line of ${file}, for ${who} (AES).`);
    }
    if (/Unsupported Security Level/.test(error.message)) {
      return explain(
        `does not let ${who} in with authentication and privacy (SHA-256, AES): set both up for that user.`,
      );
    }
    return explain(`gave a wrong answer: ${error.message}.`);
  }

  #tooLate(): CutterFailure {
    return new CutterFailure(`${capital(this.name)} took too long to answer. Is it overloaded, or the path to it cut?`);
  }
}

function authPriv(name: string, authKey: string, privKey: string): User {
  const { SecurityLevel, AuthProtocols, PrivProtocols } = snmp;
  const level = SecurityLevel.authPriv;
  return { name, level, authProtocol: AuthProtocols.sha256, authKey, privProtocol: PrivProtocols.aes, privKey };
}

/** RFC 3414 wants pass-phrases of eight characters, and agents refuse shorter ones without saying so. */
function checkSecrets({ protocol }: SwitchManagement, { file, first, second }: Secrets): void {
  if (protocol !== "snmp-v3") return;
  if ([first, second ?? first].every((phrase) => phrase.length >= 8)) return;
  throw new CutterFailure(`${file} holds a pass-phrase of fewer than eight characters, and SNMP v3 has none so short.`);
}

function readValue(row: Varbind | undefined): SnmpValue {
  if (row === undefined || snmp.isVarbindError(row)) return null;
  if (Buffer.isBuffer(row.value)) return row.value.toString("utf8").replace(/\0+$/, "");
  if (typeof row.value === "string" || typeof row.value === "number") return row.value;
  return null;
}

/** A sentence begins with a capital. */
export function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
