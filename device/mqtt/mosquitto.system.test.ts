import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe } from "vitest";
import { describeBroker } from "./broker.suite.ts";
import type { BrokerSettings, RunningBroker } from "./broker.ts";
import { startBroker } from "./embedded-broker.ts";
import { freePort } from "./free-port.fixture.ts";
import { mosquittoFiles } from "./mosquitto.ts";
import { keyFiles } from "./read-keys.ts";
import { eventually } from "./visitor.fixture.ts";

const isInstalled = spawnSync("mosquitto", ["-h"]).error === undefined;
if (!isInstalled && process.env["CI"] !== undefined) throw new Error("mosquitto is missing: apt install mosquitto");

const processes = new WeakMap<RunningBroker, ChildProcess>();

describe.skipIf(!isInstalled)("Debian's mosquitto, with the files that Adrift writes", () => {
  describeBroker({
    name: "mosquitto",
    start: startMosquitto,
    silentConnections: 5_000,
    memoryBytes: (broker) => residentBytes(processes.get(broker)?.pid ?? 0),
  });
});

describeBroker({ name: "embedded broker", start: startBroker, silentConnections: 10_000, memoryBytes: () => null });

async function startMosquitto(settings: BrokerSettings): Promise<RunningBroker> {
  const folder = mkdtempSync(join(tmpdir(), "adrift-mosquitto-"));
  const port = settings.port === 0 ? await freePort() : settings.port;
  const rulesFile = join(folder, "mosquitto.acl");
  const { keys } = settings;
  const files = mosquittoFiles({
    ...settings,
    port,
    keys: keys === null ? null : { folder, name: settings.name, rulesFile },
  });
  // Started by root, it would become another user, who may not read these keys.
  const user = process.getuid?.() === 0 ? "user root\n" : "";
  const configurationFile = join(folder, "mosquitto.conf");
  writeFileSync(configurationFile, files.configuration + user);
  if (files.rules !== null) writeFileSync(rulesFile, files.rules, { mode: 0o600 });
  if (keys !== null) {
    const paths = keyFiles(folder, settings.name);
    writeFileSync(paths.authority, keys.authority);
    writeFileSync(paths.certificate, keys.certificate);
    writeFileSync(paths.privateKey, keys.privateKey, { mode: 0o600 });
  }
  const child = spawn("mosquitto", ["-c", configurationFile], { stdio: "ignore" });
  const broker: RunningBroker = {
    port,
    webSocketPort: null,
    close: async () => {
      if (child.exitCode === null && child.signalCode === null) {
        child.kill("SIGKILL");
        await once(child, "exit");
      }
      rmSync(folder, { recursive: true, force: true });
    },
  };
  processes.set(broker, child);
  await eventually(() => reach(port));
  return broker;
}

async function reach(port: number): Promise<void> {
  const socket = connect({ port, host: "127.0.0.1" });
  await once(socket, "connect");
  socket.destroy();
}

function residentBytes(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) * 1024;
}
