/** Three members of etcd as processes of this machine, with the settings that etcd comes with. */

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, openSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Warden } from "../bench/local/warden.ts";
import { type Contestant, type Fault, until } from "./contestant.ts";
import { LoadProcess } from "./load/load-process.ts";
import { monotonicUs } from "./load/orders.ts";

const memberNames = ["etcd-1", "etcd-2", "etcd-3"];

type Member = {
  readonly name: string;
  readonly clientUrl: string;
  readonly args: readonly string[];
  readonly logFile: string;
  child: ChildProcess | null;
};

/** The version of etcd that is installed; `null` if none is. */
export function etcdVersion(): string | null {
  const { stdout, status } = spawnSync("etcd", ["--version"], { encoding: "utf8" });
  if (status !== 0) return null;
  return /^etcd Version: (\S+)/m.exec(stdout)?.[1] ?? "of unknown version";
}

/** Starts three members, waits until they lead and follow, and has a load process ask the leader. */
export async function startEtcd(version: string): Promise<Contestant> {
  const warden = new Warden();
  const folder = mkdtempSync(join(tmpdir(), "adrift-etcd-"));
  warden.remove(folder);
  let load: LoadProcess | null = null;

  async function close(): Promise<void> {
    await load?.kill();
    await warden.release();
  }

  try {
    const members = await membersIn(folder);
    for (const member of members) start(member, warden);
    await until("a leader of etcd", async () => (await leaderOf(members)) !== null);
    const leader = await leaderOf(members);
    const inOrder = [...members].sort((one, other) => Number(other === leader) - Number(one === leader));
    const endpoints = inOrder.map(({ clientUrl }) => new URL(clientUrl).host);
    load = await LoadProcess.start({ kind: "etcd", endpoints }, null);
    return {
      name: `etcd ${version}`,
      load,
      folder,
      members: () =>
        new Map(members.flatMap(({ name, child }) => (child?.pid === undefined ? [] : [[name, child.pid]]))),
      restart: () => restart(members, warden),
      faults: { kill: () => killLeader(members, warden) },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

async function membersIn(folder: string): Promise<readonly Member[]> {
  const ports = await freePorts(2 * memberNames.length);
  const urlOf = (at: number): string => `http://127.0.0.1:${ports[at]}`;
  const cluster = memberNames.map((name, at) => `${name}=${urlOf(2 * at + 1)}`).join(",");
  return memberNames.map((name, at) => {
    const clientUrl = urlOf(2 * at);
    const peerUrl = urlOf(2 * at + 1);
    const args = [
      ["--name", name],
      ["--data-dir", join(folder, name)],
      ["--listen-client-urls", clientUrl],
      ["--advertise-client-urls", clientUrl],
      ["--listen-peer-urls", peerUrl],
      ["--initial-advertise-peer-urls", peerUrl],
      ["--initial-cluster", cluster],
      ["--initial-cluster-token", folder],
      ["--logger", "zap"],
      ["--log-level", "error"],
    ].flat();
    return { name, clientUrl, args, logFile: join(folder, `${name}.log`), child: null };
  });
}

function start(member: Member, warden: Warden): void {
  const log = openSync(member.logFile, "a");
  // In a session of its own: Ctrl-C is for the command, which then ends what it started.
  const child = spawn("etcd", member.args, { stdio: ["ignore", log, log], detached: true });
  child.on("error", () => undefined);
  if (child.pid !== undefined) warden.watch(child.pid);
  member.child = child;
}

async function kill(member: Member, warden: Warden): Promise<void> {
  const { child } = member;
  if (child?.pid === undefined) throw new Error(`${member.name} does not run.`);
  const gone = once(child, "exit");
  child.kill("SIGKILL");
  await gone;
  warden.forget(child.pid);
}

async function restart(members: readonly Member[], warden: Warden): Promise<number> {
  await Promise.all(members.map((member) => kill(member, warden)));
  const beganUs = monotonicUs();
  for (const member of members) start(member, warden);
  await until("a leader of etcd", async () => (await leaderOf(members)) !== null);
  return monotonicUs() - beganUs;
}

async function killLeader(members: readonly Member[], warden: Warden): Promise<Fault> {
  await until("a leader of etcd", async () => (await leaderOf(members)) !== null);
  const leader = await leaderOf(members);
  if (leader === null) throw new Error("etcd lost its leader by itself.");
  const atUs = monotonicUs();
  await kill(leader, warden);
  return {
    atUs,
    async mend() {
      start(leader, warden);
      await until(`${leader.name} has caught up`, () => hasCaughtUp(leader, members));
    },
  };
}

/** Somebody writes all the time: who is no further behind than this has caught up. */
const behindMax = 1_000;

type Status = { readonly member: string; readonly leader: string; readonly appliedIndex: number };

async function leaderOf(members: readonly Member[]): Promise<Member | null> {
  const statuses = await Promise.all(members.map(statusOf));
  const at = statuses.findIndex((status) => status !== null && status.leader === status.member);
  return members[at] ?? null;
}

async function hasCaughtUp(member: Member, members: readonly Member[]): Promise<boolean> {
  const status = await statusOf(member);
  const leader = await leaderOf(members);
  if (status === null || leader === null || status.leader === "0") return false;
  const leading = await statusOf(leader);
  return leading !== null && status.appliedIndex >= leading.appliedIndex - behindMax;
}

/** What a member says of itself, over the JSON gateway that it brings; `null` if it does not answer. */
async function statusOf({ clientUrl }: Member): Promise<Status | null> {
  try {
    const response = await fetch(`${clientUrl}/v3/maintenance/status`, {
      method: "POST",
      body: "{}",
      signal: AbortSignal.timeout(1_000),
    });
    const { header, leader, raftAppliedIndex } = (await response.json()) as {
      readonly header?: { readonly member_id?: string };
      readonly leader?: string;
      readonly raftAppliedIndex?: string;
    };
    return { member: header?.member_id ?? "", leader: leader ?? "0", appliedIndex: Number(raftAppliedIndex ?? 0) };
  } catch {
    return null;
  }
}

/** Ports that were free a moment ago. All are held at the same time, so that they differ. */
async function freePorts(count: number): Promise<readonly number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  const ports = await Promise.all(
    servers.map(async (server) => {
      server.listen(0, "127.0.0.1");
      await once(server, "listening");
      const address = server.address();
      return typeof address === "object" && address !== null ? address.port : 0;
    }),
  );
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
