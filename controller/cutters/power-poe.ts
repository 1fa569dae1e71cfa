/**
 * The power source `poe`: a switch feeds boards over their cables and takes their power by SNMP (RFC 3621,
 * pethPsePortAdminEnable). A board without power has crashed; its cable is not cut by that.
 */

import type { PowerSource } from "../../hardware/bench.ts";
import { CutterFailure, type CutterIdentity, type OpenPowerSource } from "./cutter.ts";
import { capital, prepareSnmpAgent, type SnmpAgent, type SnmpConversation } from "./snmp.ts";
import type { CutterSurroundings } from "./surroundings.ts";

type PoeSettings = Extract<PowerSource, { readonly driver: "poe" }>;

const sysDescr = "1.3.6.1.2.1.1.1.0";
/** Followed by the group, mostly 1 or the number of a unit in a stack, and the port's number in it. */
const pethPsePortAdminEnable = "1.3.6.1.2.1.105.1.1.1.3";
/** SNMP's truth values. */
const statusOf = { on: 1, off: 2 } as const;

/** How long anything that is asked of the switch may take. */
const poeMsMax = 4_500;

/** Opens it. @throws {CutterFailure} if the switch does not answer, or feeds nobody */
export async function openPoe(source: PoeSettings, surroundings: CutterSurroundings): Promise<OpenPowerSource> {
  const agent = await prepareSnmpAgent(source, surroundings.folder);
  const poe = new Poe(source.name, agent);
  try {
    await poe.identify();
  } catch (reason) {
    agent.close();
    throw reason;
  }
  return poe;
}

class Poe implements OpenPowerSource {
  readonly name: string;
  readonly #agent: SnmpAgent;

  constructor(name: string, agent: SnmpAgent) {
    this.name = name;
    this.#agent = agent;
  }

  switchOff(channel: string): Promise<void> {
    return this.#switch(channel, "off");
  }

  switchOn(channel: string): Promise<void> {
    return this.#switch(channel, "on");
  }

  isOn(channel: string): Promise<boolean> {
    return this.#converse(async (agent) => (await this.#read(agent, channel)) === statusOf.on);
  }

  identify(): Promise<CutterIdentity> {
    return this.#converse(async (agent) => {
      const [description] = await agent.get(sysDescr);
      const outlets = [...(await agent.column(pethPsePortAdminEnable)).keys()];
      if (outlets.length === 0) {
        throw new CutterFailure(
          `${capital(this.#agent.name)} shows no port that feeds anybody (RFC 3621): it has no power over Ethernet, or ` +
            "this user or community may not see it.",
        );
      }
      return {
        device: `${this.#agent.ipAddress}: ${String(description ?? "").split(/\r?\n/)[0]}`,
        remarks: [
          `It feeds by the outlets ${outlets.join(", ")}.`,
          "An outlet that is off stays off until it is told to be on. A board without power has crashed: that is no cut.",
        ],
      };
    });
  }

  close(): Promise<void> {
    this.#agent.close();
    return Promise.resolve();
  }

  #switch(channel: string, wanted: keyof typeof statusOf): Promise<void> {
    return this.#converse(async (agent) => {
      await this.#read(agent, channel);
      const what = `it should switch the power of ${channel} ${wanted}`;
      await agent.setInteger(`${pethPsePortAdminEnable}.${outletOf(channel)}`, statusOf[wanted], what);
      if ((await this.#read(agent, channel)) === statusOf[wanted]) return;
      throw new CutterFailure(
        `${capital(this.#agent.name)} said that it would switch the power of ${channel} ${wanted}, and did not.`,
      );
    });
  }

  async #read(agent: SnmpConversation, channel: string): Promise<number> {
    const outlet = outletOf(channel);
    const [status] = await agent.get(`${pethPsePortAdminEnable}.${outlet}`);
    if (status === statusOf.on || status === statusOf.off) return status;
    const outlets = [...(await agent.column(pethPsePortAdminEnable)).keys()];
    throw new CutterFailure(
      `${capital(this.#agent.name)} has no outlet ${outlet} (group.port). It has: ${outlets.join(", ") || "none"}.`,
    );
  }

  #converse<Result>(talk: (agent: SnmpConversation) => Promise<Result>): Promise<Result> {
    return this.#agent.converse(performance.now() + poeMsMax, talk);
  }
}

/** A port's number alone is one of the first group. */
function outletOf(channel: string): string {
  if (/^[0-9]+$/.test(channel)) return `1.${channel}`;
  if (/^[0-9]+\.[0-9]+$/.test(channel)) return channel;
  throw new CutterFailure(
    `"${channel}" is no outlet of a switch: write the port's number, or group.port, as in "poe:1.3".`,
  );
}
