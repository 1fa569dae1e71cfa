import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test, vi } from "vitest";
import type { Cable } from "../../hardware/bench.ts";
import { openHost } from "./command-host.ts";
import { type CutterPeer, describeCutter } from "./cutter.suite.ts";
import { CutterFailure } from "./cutter.ts";
import { openFirewallCutter } from "./firewall.ts";
import { firewallBench, missingForNamespaces, Namespaces } from "./firewall-namespaces.fixture.ts";
import type { HostPlace } from "./surroundings.ts";

const missing = missingForNamespaces ?? (existsSync("/usr/sbin/sshd") ? null : "it needs sshd (openssh-server)");
if (missing !== null) console.warn(`The firewall is not tried: ${missing}.`);
const isLeftOut = missing !== null && process.env["CI"] === undefined;

const settings = { name: "firewall", driver: "firewall", user: null } as const;
const cables = [cable("uplink"), cable("trunk")] as const;

describe.skipIf(isLeftOut)("the firewall of a board", () => {
  describeCutter("a firewall cutter, on boards in network namespaces", async () => {
    const namespaces = await Namespaces.make();
    const cutter = await openFirewallCutter(settings, namespaces.surroundings);
    return { cutter, cables, peer: peerOf(namespaces, { unplugged: null, silent: null }) };
  });

  describeCutter("a firewall cutter, over SSH that runs through the very cable", async () => {
    const namespaces = await Namespaces.make();
    const server = await SshServer.start(namespaces);
    const cutter = await openFirewallCutter(settings, namespaces.surroundingsWith(server.place));
    const link = (state: "up" | "down") => void namespaces.in(namespaces.board, "ip", "link", "set", "eth0", state);
    const peer = peerOf(namespaces, {
      unplugged: { begin: () => server.stop(), end: () => server.listen() },
      silent: { begin: () => link("down"), end: () => link("up") },
    });
    return { cutter, cables, peer: { ...peer, dispose: () => server.dispose() } };
  });

  test("given a TCP connection, when the cable is cut, then what is said waits, and when it is healed, it arrives", async () => {
    await withNamespaces(async (namespaces) => {
      const cutter = await openFirewallCutter(settings, namespaces.surroundings);
      const client = namespaces.start("client", namespaces.peer, "socat", "-", `TCP:${namespaces.address(0)}:4000`);
      let heard = "";
      client.stdout?.on("data", (text) => {
        heard += String(text);
      });
      client.stdin?.write("before\n");
      await expect.poll(() => heard).toBe("before\n");
      await cutter.cut(cable("uplink"), "both", 60_000);
      client.stdin?.write("meanwhile\n");
      expect(await namespaces.look(cable("uplink"))).toBe("both");
      expect(heard).toBe("before\n");
      await cutter.heal(cable("uplink"));
      await expect.poll(() => heard, { timeout: 10_000 }).toBe("before\nmeanwhile\n");
      await cutter.close();
    });
  });

  test("given everything healed, when the cutter is closed, then no rule of it is left on the board", async () => {
    await withNamespaces(async (namespaces) => {
      const cutter = await openFirewallCutter(settings, namespaces.surroundings);
      await cutter.cut(cable("trunk"), "both", 60_000);
      expect(namespaces.in(namespaces.board, "nft", "list", "ruleset")).toContain("adrift");
      await cutter.heal(cable("trunk"));
      await cutter.close();
      expect(namespaces.in(namespaces.board, "nft", "list", "ruleset")).toBe("");
      expect(namespaces.in(namespaces.peer, "nft", "list", "ruleset")).toBe("");
    });
  });

  test("given a port that the board does not have, when its cable is cut, then that is said, and what to write", async () => {
    await withNamespaces(async (namespaces) => {
      const cutter = await openFirewallCutter(settings, namespaces.surroundings);
      const [first, second] = cable("uplink").ends;
      const wrong = { ...cable("uplink"), ends: [{ ...first, port: "wlan0" }, second] } as const;
      await expect(cutter.cut(wrong, "both", 1_000)).rejects.toThrow(/has no interface wlan0.*"ip link" lists them/s);
      await cutter.close();
    });
  });

  test("given a host whose key nobody knows, a key that is refused, or no server, then each is said in words", async () => {
    await withNamespaces(async (namespaces) => {
      const server = await SshServer.start(namespaces);
      const run = () => openHost("pi-1", server.place).run(["true"], "", 5_000);
      server.use(["-o", "UserKnownHostsFile=/dev/null", "-o", "StrictHostKeyChecking=yes"]);
      await expect(run()).rejects.toThrow(/does not know this host's key yet. Log in once/);
      server.use(["-o", "PubkeyAuthentication=no"]);
      await expect(run()).rejects.toThrow(/ssh-copy-id/);
      await server.stop();
      server.use([]);
      await expect(run()).rejects.toThrow(/no SSH server listens/);
      await expect(run()).rejects.toBeInstanceOf(CutterFailure);
      await server.dispose();
    });
  });
});

/** A real SSH server on the board, and a client that enters from the other namespace with a key of its own. */
class SshServer {
  readonly #namespaces: Namespaces;
  readonly #folder = mkdtempSync(join(tmpdir(), "adrift-ssh-test-"));
  readonly #path = process.env["PATH"] ?? "";
  readonly place: HostPlace;

  private constructor(namespaces: Namespaces) {
    this.#namespaces = namespaces;
    this.place = { kind: "ssh", host: namespaces.address(0), user: "root" };
  }

  static async start(namespaces: Namespaces): Promise<SshServer> {
    const server = new SshServer(namespaces);
    try {
      server.#configure();
      await server.listen();
      return server;
    } catch (error) {
      await server.dispose();
      throw error;
    }
  }

  /** From now on the client has these options beside its key. What it had open is closed. */
  use(options: readonly string[]): void {
    const client = join(this.#folder, "ssh");
    const own = ["-F", "none", "-i", `${this.#folder}/user`, "-o", "IdentitiesOnly=yes"];
    const trusting = ["-o", "UserKnownHostsFile=/dev/null", "-o", "StrictHostKeyChecking=no", "-o", "LogLevel=ERROR"];
    const words = ["ip", "netns", "exec", this.#namespaces.peer, "/usr/bin/ssh", ...own, ...options, ...trusting];
    writeFileSync(client, `#!/bin/sh\nexec ${words.join(" ")} "$@"\n`);
    chmodSync(client, 0o755);
  }

  #configure(): void {
    // OpenSSH wants it to be there, even where no service has ever started it.
    mkdirSync("/run/sshd", { recursive: true, mode: 0o755 });
    for (const name of ["host", "user"]) {
      execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", join(this.#folder, name)]);
    }
    const lines = [
      `HostKey ${this.#folder}/host`,
      `AuthorizedKeysFile ${this.#folder}/user.pub`,
      "StrictModes no",
      "PermitRootLogin yes",
      "PasswordAuthentication no",
      "UsePAM no",
      "PidFile none",
      // What this machine's root has its shell do at each start is none of this.
      `SetEnv HOME=${this.#folder}`,
    ];
    writeFileSync(join(this.#folder, "sshd_config"), `${lines.join("\n")}\n`);
    this.use([]);
    process.env["PATH"] = `${this.#folder}:${this.#path}`;
  }

  async listen(): Promise<void> {
    const { board } = this.#namespaces;
    this.#namespaces.start("sshd", board, "/usr/sbin/sshd", "-D", "-e", "-f", join(this.#folder, "sshd_config"));
    const listens = () => expect(this.#namespaces.in(board, "ss", "-Hltn", "sport = :22")).not.toBe("");
    await vi.waitFor(listens, { timeout: 5_000 });
  }

  /** Ends it with all of its connections. */
  async stop(): Promise<void> {
    await this.#namespaces.stop("sshd");
    this.#endSessions();
  }

  async dispose(): Promise<void> {
    await this.stop();
    process.env["PATH"] = this.#path;
    await this.#namespaces.dispose();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #endSessions(): void {
    const { board } = this.#namespaces;
    const pids = execFileSync("ip", ["netns", "pids", board], { encoding: "utf8" }).trim().split("\n");
    for (const pid of pids.map(Number).filter((each) => each > 1)) {
      const name = execFileSync("ps", ["-o", "comm=", "-p", String(pid)], { encoding: "utf8" }).trim();
      if (name.startsWith("sshd")) process.kill(pid, "SIGKILL");
    }
  }
}

function peerOf(
  namespaces: Namespaces,
  { unplugged, silent }: Pick<CutterPeer["troubles"], "unplugged" | "silent">,
): CutterPeer {
  return {
    look: (each) => namespaces.look(each),
    change: (each, state) => {
      const isCut = state === "both";
      for (const set of ["cut_incoming", "cut_outgoing"]) {
        const element = `{ "${each.name === "uplink" ? "eth0" : "eth1"}" }`;
        const add = `add element inet adrift ${set} ${element}`;
        namespaces.in(
          namespaces.board,
          "nft",
          `${add}; ${isCut ? "" : `delete element inet adrift ${set} ${element}`}`,
        );
      }
    },
    troubles: { unplugged, silent, slow: null, wrong: null },
    leaseMsMin: 1_000,
    dispose: () => namespaces.dispose(),
  };
}

async function withNamespaces(act: (namespaces: Namespaces) => Promise<void>): Promise<void> {
  const namespaces = await Namespaces.make();
  try {
    await act(namespaces);
  } finally {
    await namespaces.dispose();
  }
}

function cable(name: string): Cable {
  const found = firewallBench.cables.find((each) => each.name === name);
  if (found === undefined) throw new Error(`There is no cable ${name}.`);
  return found;
}
