/** The ports of a switch by SNMP: the interfaces table of IF-MIB (RFC 2863). */

import { isIPv6 } from "node:net";
import type { SwitchManagement } from "../../hardware/bench.ts";
import { CutterFailure } from "./cutter.ts";
import { capital, prepareSnmpAgent, type SnmpAgent, type SnmpConversation, type SnmpValue } from "./snmp.ts";
import type { ManagedPorts, ManagedSwitch } from "./switch-ports.ts";

const sysDescr = "1.3.6.1.2.1.1.1.0";
const sysName = "1.3.6.1.2.1.1.5.0";
const ifName = "1.3.6.1.2.1.31.1.1.1.1";
const ifDescr = "1.3.6.1.2.1.2.2.1.2";
const ifAdminStatus = "1.3.6.1.2.1.2.2.1.7";
const ifOperStatus = "1.3.6.1.2.1.2.2.1.8";
/** The interface that has an IPv4 address, by this address (RFC 1213). */
const ipAdEntIfIndex = "1.3.6.1.2.1.4.20.1.2";
/** The same for any address (RFC 4293), by its kind, its length and its bytes. */
const ipAddressIfIndex = "1.3.6.1.2.1.4.34.1.3";

/** Values of `ifAdminStatus`; the third one, testing, lets nothing through either. */
const statusUp = 1;
const statusDown = 2;

/** The column in which a port's label stands, and a port's row in it. */
type PortRow = { readonly labels: typeof ifName | typeof ifDescr; readonly ifIndex: string };

/** Prepares it; sends nothing yet. @throws {CutterFailure} if the host or the secrets cannot be used */
export async function openSnmpPorts(management: SwitchManagement, folder: string): Promise<ManagedPorts> {
  return new SnmpPorts(await prepareSnmpAgent(management, folder));
}

/**
 * The place of a port in the table is remembered only to be checked: the label is read together
 * with the port's state each time, since a switch may number its ports anew when it starts.
 */
class SnmpPorts implements ManagedPorts {
  readonly #agent: SnmpAgent;
  readonly #rows = new Map<string, PortRow>();

  constructor(agent: SnmpAgent) {
    this.#agent = agent;
  }

  isOpen(port: string, untilMs: number): Promise<boolean> {
    return this.#agent.converse(untilMs, async (agent) => (await this.#find(agent, port)).status === statusUp);
  }

  hasLink(port: string, untilMs: number): Promise<boolean> {
    return this.#agent.converse(untilMs, async (agent) => {
      const { row } = await this.#find(agent, port);
      const [status] = await agent.get(`${ifOperStatus}.${row.ifIndex}`);
      return Number(status) === statusUp;
    });
  }

  setOpen(port: string, open: boolean, untilMs: number): Promise<void> {
    const wanted = open ? statusUp : statusDown;
    return this.#agent.converse(untilMs, async (agent) => {
      const { row, status } = await this.#find(agent, port);
      if (status === wanted) return;
      if (!open && row.ifIndex === (await this.#managementInterface(agent))) {
        throw new CutterFailure(
          `${capital(this.#agent.name)} is managed over its port ${port} (it has the address ${this.#agent.ipAddress}): ` +
            "closed, nobody could open it again. Plug the cable in elsewhere.",
        );
      }
      await agent.setInteger(
        `${ifAdminStatus}.${row.ifIndex}`,
        wanted,
        `it should ${open ? "open" : "close"} its port ${port}`,
      );
      if ((await this.#find(agent, port)).status === wanted) return;
      throw new CutterFailure(
        `${capital(this.#agent.name)} said that it would ${open ? "open" : "close"} its port ${port}, and did not. ` +
          "Look at the port's settings in the switch.",
      );
    });
  }

  describe(untilMs: number): Promise<ManagedSwitch> {
    return this.#agent.converse(untilMs, async (agent) => {
      const [description, name] = await agent.get(sysDescr, sysName);
      const { labels, column } = await this.#table(agent);
      const own = await this.#managementInterface(agent);
      const ports = [...column.values()].map(String);
      const product = String(description ?? "").split(/\r?\n/)[0];
      const remarks: string[] = [];
      if (labels === ifDescr) remarks.push("It has no ifName: its ports are found by what ifDescr says of them.");
      remarks.push(
        own === null
          ? `It does not say which interface has its address ${this.#agent.ipAddress}: name the port by which it is managed among the protectedPorts.`
          : `It has its address on ${String(column.get(own) ?? own)}, which is never closed; name the uplink among the protectedPorts.`,
      );
      return { device: `${String(name ?? "a switch")} at ${this.#agent.ipAddress}: ${product}`, remarks, ports };
    });
  }

  close(): void {
    this.#agent.close();
  }

  /** Where the port stands in the table now, and its state. */
  async #find(agent: SnmpConversation, port: string): Promise<{ readonly row: PortRow; readonly status: number }> {
    const known = this.#rows.get(port);
    if (known !== undefined) {
      const status = await readRow(agent, known, port);
      if (status !== null) return { row: known, status };
      this.#rows.delete(port);
    }
    const row = await this.#search(agent, port);
    const status = await readRow(agent, row, port);
    if (status === null) {
      throw new CutterFailure(`${capital(this.#agent.name)} does not say whether its port ${port} is open.`);
    }
    this.#rows.set(port, row);
    return { row, status };
  }

  async #search(agent: SnmpConversation, port: string): Promise<PortRow> {
    const { labels, column } = await this.#table(agent);
    const [ifIndex, ...others] = [...column].flatMap(([index, label]) => (String(label) === port ? [index] : []));
    if (ifIndex !== undefined && others.length === 0) return { labels, ifIndex };
    const what = ifIndex === undefined ? `no port ${port}` : `several ports ${port}`;
    throw new CutterFailure(
      `${capital(this.#agent.name)} has ${what}. Its ports: ${[...column.values()].map(String).join(", ")}.`,
    );
  }

  async #table(
    agent: SnmpConversation,
  ): Promise<{ readonly labels: PortRow["labels"]; readonly column: ReadonlyMap<string, SnmpValue> }> {
    for (const labels of [ifName, ifDescr] as const) {
      const column = await agent.column(labels);
      if (column.size > 0) return { labels, column };
    }
    throw new CutterFailure(
      `${capital(this.#agent.name)} shows no ports: neither ifName nor ifDescr. May this user or community see IF-MIB?`,
    );
  }

  /** The interface with the address to which we speak; `null` if the agent does not say. */
  async #managementInterface(agent: SnmpConversation): Promise<string | null> {
    const { ipAddress } = this.#agent;
    const bytes = isIPv6(ipAddress) ? ipv6Bytes(ipAddress) : ipAddress.split(".").map(Number);
    const kind = bytes.length === 16 ? 2 : 1;
    const [old, present] = await agent.get(
      `${ipAdEntIfIndex}.${bytes.slice(0, 4).join(".")}`,
      `${ipAddressIfIndex}.${kind}.${bytes.length}.${bytes.join(".")}`,
    );
    const ifIndex = kind === 1 ? (old ?? present) : present;
    return typeof ifIndex === "number" ? String(ifIndex) : null;
  }
}

/** The state of the port if it still stands in this row. */
async function readRow(agent: SnmpConversation, row: PortRow, port: string): Promise<number | null> {
  const [label, status] = await agent.get(`${row.labels}.${row.ifIndex}`, `${ifAdminStatus}.${row.ifIndex}`);
  return String(label) === port && typeof status === "number" ? status : null;
}

function ipv6Bytes(address: string): readonly number[] {
  const words = new URL(`http://[${address.replace(/%.*$/, "")}]`).hostname.slice(1, -1).split("::");
  const [head = [], tail = []] = words.map((half) => (half === "" ? [] : half.split(":")));
  const zeros = Array.from({ length: 8 - head.length - tail.length }, () => "0");
  return [...head, ...zeros, ...tail]
    .map((word) => Number.parseInt(word, 16))
    .flatMap((word) => [word >> 8, word & 255]);
}
