/**
 * The driver `firewall`: nftables on the boards at a cable's ends drop what comes in or goes out there, of connections that
 * are established too. One-way cuts are possible, and the kernel of the board itself heals a cut that nobody renews: an
 * interface stands in a set, from which its lease removes it.
 *
 * The SSH connection by which the controller has to heal goes through all the same.
 */

import type { Cable, Cutter, Port } from "../../hardware/bench.ts";
import type { CutDirection } from "../../sim/network-types.ts";
import { type CircuitState, CutterFailure, type CutterIdentity, type OpenCutter } from "./cutter.ts";
import { boardsDropping, circuitOf, emptyRuleset, type Lost, parseSets, ruleset } from "./firewall-rules.ts";
import type { CommandHost, CommandResult, CutterSurroundings } from "./surroundings.ts";

/** For all of a call, its wait for those before it included. */
const answerMsMax = 4_500;

/** Opens it; the boards are reached when they are needed. */
export function openFirewallCutter(
  cutter: Extract<Cutter, { readonly driver: "firewall" }>,
  surroundings: CutterSurroundings,
): Promise<OpenCutter> {
  return Promise.resolve(new FirewallCutter(cutter, surroundings));
}

/** A board at the end of a cable, where packets are dropped. */
type Place = { readonly host: CommandHost; readonly port: Port; readonly isFirstEnd: boolean };

class FirewallCutter implements OpenCutter {
  readonly healsByItself = true;
  readonly cutsOneWay = true;
  readonly name: string;
  readonly #user: string | null;
  readonly #surroundings: CutterSurroundings;
  readonly #hosts = new Map<string, CommandHost>();
  #isClosed = false;
  #turn: Promise<unknown> = Promise.resolve();

  constructor({ name, user }: Extract<Cutter, { readonly driver: "firewall" }>, surroundings: CutterSurroundings) {
    this.name = name;
    this.#user = user;
    this.#surroundings = surroundings;
  }

  async cut(cable: Cable, direction: CutDirection, leaseMs: number): Promise<void> {
    if (this.#placesOf(cable).length === 0) {
      throw new CutterFailure(
        `${this.name} cuts at boards, and at neither end of the cable ${cable.name} is one. Give this cable another cutter.`,
      );
    }
    await this.#tell(cable, direction, leaseMs);
  }

  async heal(cable: Cable): Promise<void> {
    await this.#tell(cable, "whole", 0);
  }

  async read(cable: Cable): Promise<CircuitState> {
    const places = this.#placesOf(cable);
    return await this.#inTurn(async (untilMs) => {
      const lost = await Promise.all(
        places.map(async (place) => this.#lostAt(place, await this.#list(place, untilMs))),
      );
      return circuitOf(lost, places);
    });
  }

  async identify(): Promise<CutterIdentity> {
    this.#refuseClosed();
    const hosts = this.#surroundings.bench.cables
      .filter((cable) => cable.cutter.name === this.name)
      .flatMap((cable) => this.#placesOf(cable).map(({ host }) => host));
    const unique = [...new Map(hosts.map((host) => [host.name, host])).values()];
    const versions = await Promise.all(
      unique.map(async (host) => `${host.name}: ${(await this.#nft(host, ["--version"], "")).out.trim()}`),
    );
    return { device: versions.join("; "), remarks: ["It drops IP packets; the carrier of the cable stays."] };
  }

  /** What is still cut, the boards heal when the lease runs out. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await this.#turn;
    await Promise.all([...this.#hosts.values()].map((host) => this.#removeIfEmpty(host).catch(() => undefined)));
  }

  /** Has a cable lose this; resolves when the kernels of the boards list it so. */
  async #tell(cable: Cable, wanted: CircuitState, leaseMs: number): Promise<void> {
    const places = this.#placesOf(cable);
    await this.#inTurn(async (untilMs) => {
      await Promise.all(places.map((place) => this.#tellBoard(place, cable, wanted, leaseMs, untilMs)));
    });
  }

  async #tellBoard(place: Place, cable: Cable, wanted: CircuitState, leaseMs: number, untilMs: number): Promise<void> {
    const { host, port } = place;
    const lost = boardsDropping(wanted, place.isFirstEnd);
    const result = await this.#script(host, tellScript, [port.port], ruleset(port.port, lost, leaseMs), untilMs);
    if (result.status === noInterface) {
      throw new CutterFailure(
        `${this.name}: ${host.name} has no interface ${port.port}, into which the cable ${cable.name} is plugged. Write the ` +
          `right one on the cable in the bench's file, as in "ends: [${port.node}:eth0, ...]"; "ip link" lists them.`,
      );
    }
    this.#refuseFailed(host, result);
    const is = this.#lostAt(place, result);
    if (is.incoming === lost.incoming && is.outgoing === lost.outgoing) return;
    throw new CutterFailure(
      `${this.name}: ${host.name} took the rules for ${port.port}, but lists other ones. Does another program change the ` +
        'table "inet adrift" there? "nft list ruleset" shows it.',
    );
  }

  async #list(place: Place, untilMs: number): Promise<CommandResult> {
    const result = await this.#script(place.host, listScript, [], "", untilMs);
    this.#refuseFailed(place.host, result);
    return result;
  }

  #lostAt({ host, port }: Place, { out }: CommandResult): Lost {
    const sets = parseSets(out);
    if (sets === null) {
      throw new CutterFailure(
        `${this.name}: nft on ${host.name} answered something that is not its JSON: ${out.slice(0, 200).trim() || "nothing"}`,
      );
    }
    return { incoming: sets.incoming.has(port.port), outgoing: sets.outgoing.has(port.port) };
  }

  async #removeIfEmpty(host: CommandHost): Promise<void> {
    const { out, status } = await this.#script(host, listScript, [], "", soon());
    const sets = status === 0 ? parseSets(out) : null;
    if (sets === null || !sets.isThere || sets.incoming.size + sets.outgoing.size > 0) return;
    await this.#nft(host, ["-f", "-"], emptyRuleset);
  }

  /** Calls that overlap are carried out one after the other: the last one counts. */
  #inTurn<Value>(act: (untilMs: number) => Promise<Value>): Promise<Value> {
    const untilMs = soon();
    const turn = this.#turn.then(() => act(untilMs));
    this.#turn = turn.catch(() => undefined);
    return turn;
  }

  async #script(
    host: CommandHost,
    script: string,
    args: readonly string[],
    input: string,
    untilMs: number,
  ): Promise<CommandResult> {
    this.#hosts.set(host.name, host);
    const leftMs = Math.round(untilMs - performance.now());
    if (leftMs > 0) return await host.run(["sh", "-c", `${findNft}\n${script}`, "adrift", ...args], input, leftMs);
    throw new CutterFailure(`${this.name}: ${host.name} did not answer within ${answerMsMax} ms. Is it there?`);
  }

  #nft(host: CommandHost, args: readonly string[], input: string): Promise<CommandResult> {
    return this.#script(host, 'nft "$@"', args, input, soon());
  }

  #refuseFailed(host: CommandHost, { status, err }: CommandResult): void {
    if (status === 0) return;
    const said = err.trim().split("\n")[0] ?? "";
    throw new CutterFailure(
      status === noNft
        ? `${this.name}: ${host.name} has no nft. Install it there: apt-get install nftables`
        : `${this.name}: nft on ${host.name} failed with status ${status} (${said}). It needs root there, or sudo without a password.`,
    );
  }

  /** The boards at the ends of a cable. One without boards is whole to this cutter, whatever happens. */
  #placesOf(cable: Cable): readonly Place[] {
    this.#refuseClosed();
    if (cable.cutter.name !== this.name) {
      throw new CutterFailure(`The cable ${cable.name} is for ${cable.cutter.name} to cut, not for ${this.name}.`);
    }
    const { bench } = this.#surroundings;
    const isBoard = ({ node }: Port): boolean => bench.boards.some(({ name }) => name === node);
    return cable.ends.flatMap((port, index) =>
      isBoard(port) ? [{ host: this.#hostOf(port.node), port, isFirstEnd: index === 0 }] : [],
    );
  }

  #hostOf(board: string): CommandHost {
    const host = this.#surroundings.hostOf(board);
    if (host.place.kind !== "ssh" || this.#user === null || host.place.user !== null) return host;
    return this.#surroundings.hostOf({ host: host.place.host, user: this.#user });
  }

  #refuseClosed(): void {
    if (this.#isClosed) throw new CutterFailure(`${this.name} is closed.`);
  }
}

function soon(): number {
  return performance.now() + answerMsMax;
}

const noInterface = 66;
const noNft = 67;

/** As root, or by sudo; the folders of the system's programs are on nobody else's path. */
const findNft = `PATH="$PATH:/usr/sbin:/sbin"
command -v nft >/dev/null || exit ${noNft}
if [ "$(id -u)" != 0 ]; then nft() { sudo -n nft "$@"; }; fi`;

const listScript = `nft -j list ruleset inet`;

/** Takes the rules and then lists them, over one connection. Names the SSH connection by which it is told. */
const tellScript = `[ -e "/sys/class/net/$1" ] || exit ${noInterface}
{
  cat
  set -- \${SSH_CONNECTION:-}
  case "\${1:-}" in
    '') ;;
    *:*) echo "add element inet adrift controllers6 { \${1%%%*} . $4 }" ;;
    *) echo "add element inet adrift controllers4 { $1 . $4 }" ;;
  esac
} | nft -f - || exit 1
${listScript}`;
