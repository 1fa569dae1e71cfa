/**
 * For tests: a controller that cuts the cable `uplink` of the firewall bench and dies at a step of that, by `kill -9` from
 * its own hand, or waits there until somebody ends it. Arguments: its settings as JSON.
 */

import { hostsBy } from "./command-host.ts";
import { openCutters } from "./cutters.ts";
import { firewallBench } from "./firewall-namespaces.fixture.ts";
import { nobody } from "./person.ts";
import type { CommandHost } from "./surroundings.ts";

/** Where it stops. */
export type Step =
  | "opened"
  | "written down"
  | "device is being told"
  | "cut"
  | "heal is being told"
  | "healed"
  | "close is being told";

/** What it is told. */
export type ControllerSettings = {
  readonly board: string;
  readonly peer: string;
  readonly ledgerFolder: string;
  readonly leaseMs: number;
  readonly stopAt: Step;
  readonly dies: boolean;
};

const settings = JSON.parse(process.argv[2] ?? "") as ControllerSettings;
/** What the next command to a board means. */
let next: { readonly before: Step | null; readonly meanwhile: Step | null } = { before: null, meanwhile: null };

const hostOf = hostsBy((name) => {
  return { kind: "namespace", namespace: name === "pi-1" ? settings.board : settings.peer };
});
const cutters = await openCutters({
  bench: firewallBench,
  surroundings: {
    bench: firewallBench,
    folder: "/",
    hostOf: (name) => watched(hostOf(name)),
    person: nobody,
    circuitSeen: () => null,
    virtual: null,
    openBrokers: null,
  },
  ledgerFolder: settings.ledgerFolder,
  leaseMs: settings.leaseMs,
  tell: (sentence) => process.stdout.write(`${sentence}\n`),
});
await reach("opened");
next = { before: "written down", meanwhile: "device is being told" };
await cutters.cut("uplink", "both");
await reach("cut");
next = { before: null, meanwhile: "heal is being told" };
if (settings.stopAt !== "close is being told") await cutters.heal("uplink");
await reach("healed");
next = { before: null, meanwhile: "close is being told" };
await cutters.close();

function watched(host: CommandHost): CommandHost {
  return {
    ...host,
    run: async (command, input, withinMs) => {
      if (next.before !== null) await reach(next.before);
      const running = host.run(command, input, withinMs);
      if (next.meanwhile !== null) await reach(next.meanwhile);
      return running;
    },
  };
}

async function reach(step: Step): Promise<void> {
  if (step !== settings.stopAt) return;
  process.stdout.write(`${step}\n`);
  if (settings.dies) process.kill(process.pid, "SIGKILL");
  await new Promise((resolve) => setTimeout(resolve, 60_000));
}
