/** From what a person wrote to a whole bench: fills in what is left out, and checks that the parts fit together. */

import { type CableSurroundings, resolveCables } from "./cables.ts";
import { resolveCutters } from "./cutters.ts";
import { type Host, type Named, type Placed, placed, repeated } from "./entries.ts";
import { reachability } from "./graph.ts";
import type { Bench, Board, Broker, Timing } from "./model.ts";
import { controllerNode } from "./model.ts";
import { outletOf, resolvePowerSources } from "./power.ts";
import type { BenchFile } from "./schema.ts";
import { unknownName } from "./suggestion.ts";
import type { Problems } from "./yaml-file.ts";

type BoardEntry = Named & {
  readonly inbox?: string | undefined;
  readonly switch?: string | undefined;
  readonly address?: string | undefined;
  readonly power?: string | undefined;
  readonly console?: string | undefined;
};
type BrokerEntry = Named & {
  readonly board?: string | undefined;
  readonly switch?: string | undefined;
  readonly address?: string | undefined;
};
type SwitchEntry = Named & { readonly ports?: number | readonly (number | string)[] | undefined };

const timings = {
  lan: { heartbeatMs: 50, electionMinMs: 300, electionMaxMs: 600 },
  "sd-card": { heartbeatMs: 150, electionMinMs: 1000, electionMaxMs: 2000 },
} satisfies Record<string, Timing>;

/** Words that mean something else wherever the name of a machine may stand. */
const reservedNames: readonly string[] = [controllerNode, "leader", "follower", "minority", "majority", "all"];

/** Makes the bench, or throws all that is wrong with it. */
export function resolveBench(file: BenchFile, fileName: string, problems: Problems): Bench {
  const boardEntries = placedBoards(file);
  const brokerEntries = placed<BrokerEntry>("brokers", file.brokers ?? ["broker"], (name) => ({ name }));
  const switchEntries = placed<SwitchEntry>("switches", file.switches ?? ["switch"], (name) => ({ name }));
  checkNames([...boardEntries, ...brokerEntries, ...switchEntries], problems);

  const name = file.name ?? nameFromFile(fileName, problems);
  const timing = resolveTiming(file, problems);
  const brokers = resolveBrokers(brokerEntries, boardEntries, problems);
  const boards = resolveBoards(boardEntries, brokers, problems);
  const controller = resolveController(file, switchEntries, problems);

  const surroundings: CableSurroundings = {
    hosts: [...boardEntries, ...brokerEntries.filter(({ entry }) => entry.board === undefined)].map(asHost),
    switches: switchEntries.map(({ entry }) => ({ name: entry.name, ports: portLabels(entry) })),
    brokers,
  };
  const { cables, switches } = resolveCables(file, surroundings, problems);
  const cutters = resolveCutters(file, cables, switches, problems);
  const powerSources = resolvePowerSources(file, boardEntries, problems);
  problems.throwIfAny();

  const cluster = file.cluster ?? name;
  const plainCables = cables.map(({ entry }) => entry);
  const parts = { boards, brokers, switches, cables: plainCables, cutters, powerSources };
  const bench = { name, cluster, timing, ...parts, controller };
  checkWays(bench, boardEntries, problems);
  problems.throwIfAny();
  return bench;
}

function placedBoards(file: BenchFile): readonly Placed<BoardEntry>[] {
  if (typeof file.boards !== "number") return placed<BoardEntry>("boards", file.boards, (name) => ({ name }));
  const count = file.boards;
  return Array.from({ length: count }, (_, position) => ({
    entry: { name: `pi-${position + 1}` },
    path: ["boards"],
  }));
}

function checkNames(nodes: readonly Placed<Named>[], problems: Problems): void {
  for (const { entry, path } of repeated(nodes)) {
    const message = `There are two things called "${entry.name}"; boards, brokers and switches need names of their own.`;
    problems.add([...path, "name"], message);
  }
  for (const { entry, path } of nodes) {
    if (!reservedNames.includes(entry.name)) continue;
    const message = `"${entry.name}" cannot be a name: it means something else in experiments and commands.`;
    problems.add([...path, "name"], message);
  }
}

function nameFromFile(fileName: string, problems: Problems): string {
  const name = (fileName.split(/[/\\]/).at(-1) ?? "").replace(/\.ya?ml$/, "");
  if (/^[a-z][a-z0-9-]{0,31}$/.test(name)) return name;
  problems.add([], `The bench has no name, and "${name}" cannot be one. Write one, such as "name: my-bench".`);
  return "unnamed";
}

function resolveTiming(file: BenchFile, problems: Problems): Timing {
  const written = file.timing ?? "lan";
  if (typeof written === "string") return timings[written];
  const { heartbeatMs, electionMinMs, electionMaxMs } = written;
  if (electionMinMs <= 2 * heartbeatMs) {
    const message =
      `The shortest election timeout, ${electionMinMs} ms, must be more than twice the heartbeat of ${heartbeatMs} ms: ` +
      "one lost heartbeat would start an election.";
    problems.add(["timing", "electionMinMs"], message);
  }
  if (electionMaxMs <= electionMinMs) {
    const message =
      `The longest election timeout, ${electionMaxMs} ms, must be more than the shortest, ${electionMinMs} ms: ` +
      "boards that always wait equally long split the vote again and again.";
    problems.add(["timing", "electionMaxMs"], message);
  }
  return { heartbeatMs, electionMinMs, electionMaxMs };
}

function resolveBrokers(
  entries: readonly Placed<BrokerEntry>[],
  boards: readonly Placed<BoardEntry>[],
  problems: Problems,
): readonly Broker[] {
  const boardNames = boards.map(({ entry }) => entry.name);
  return entries.map(({ entry, path }) => {
    const { name, board, address = null } = entry;
    if (board === undefined) return { name, node: name, address };
    if (!boardNames.includes(board)) {
      problems.add([...path, "board"], `Where ${name} runs: ${unknownName("board", board, boardNames)}`);
    }
    if (entry.switch !== undefined) {
      const message = `${name} runs on ${board} and has no cable of its own: leave out "switch" or "board".`;
      problems.add([...path, "switch"], message);
    }
    return { name, node: board, address };
  });
}

function resolveBoards(
  entries: readonly Placed<BoardEntry>[],
  brokers: readonly Broker[],
  problems: Problems,
): readonly Board[] {
  const brokerNames = brokers.map((broker) => broker.name);
  return entries.map(({ entry, path }) => {
    const { name } = entry;
    const own = brokers.filter((broker) => broker.node === name);
    const likely = own.length > 0 ? own : brokers;
    const inbox = entry.inbox ?? (likely.length === 1 ? likely[0]?.name : undefined);
    if (inbox === undefined) {
      const message = `On which broker does ${name} listen? Write "inbox:" and one of ${brokerNames.join(", ")}.`;
      problems.add(path, message);
    } else if (!brokerNames.includes(inbox)) {
      problems.add([...path, "inbox"], `The inbox of ${name}: ${unknownName("broker", inbox, brokerNames)}`);
    }
    const { address = null, console = null } = entry;
    return { name, inbox: inbox ?? "", address, power: outletOf(entry), console };
  });
}

function resolveController(file: BenchFile, switches: readonly Placed<Named>[], problems: Problems) {
  const switchNames = switches.map(({ entry }) => entry.name);
  if (file.controller === undefined) return { switches: switchNames };
  for (const [position, name] of file.controller.entries()) {
    if (switchNames.includes(name)) continue;
    problems.add(["controller", position], `The controller: ${unknownName("switch", name, switchNames)}`);
  }
  return { switches: [...new Set(file.controller)] };
}

function asHost({ entry, path }: Placed<BoardEntry | BrokerEntry>): Host {
  return { name: entry.name, path, switch: entry.switch };
}

function portLabels(entry: SwitchEntry): readonly string[] | null {
  if (entry.ports === undefined) return null;
  if (typeof entry.ports !== "number") return entry.ports.map(String);
  return Array.from({ length: entry.ports }, (_, position) => String(position + 1));
}

/** With every cable whole, each board must reach each inbox, and the controller each broker. */
function checkWays(bench: Bench, boardEntries: readonly Placed<BoardEntry>[], problems: Problems): void {
  const whole = reachability(bench, { cutCables: new Set(), downNodes: new Set() });
  for (const [position, board] of bench.boards.entries()) {
    const path = boardEntries[position]?.path ?? ["boards"];
    if (!whole.reaches(board.name, board.inbox)) {
      problems.add(path, `No cable leads from ${board.name} to ${board.inbox}, on which it listens.`);
      continue;
    }
    const deaf = bench.boards.filter((other) => !whole.reaches(board.name, other.inbox)).map((other) => other.name);
    if (deaf.length === 0) continue;
    const message = `No cable leads from ${board.name} to the inbox of ${deaf.join(", ")}: they would never hear it.`;
    problems.add(path, message);
  }
  for (const [position, broker] of bench.brokers.entries()) {
    if (whole.reaches(controllerNode, broker.name)) continue;
    const message = `No cable leads from the controller to ${broker.name}: clients could not use it, nor screens see it.`;
    problems.add(["brokers", position], message);
  }
}
