/** `adrift cut`, `adrift heal`, `adrift partition`: faults by hand, on the bench that `adrift up` runs in this folder. */

import { formatDurationUs } from "../../../sim/duration.ts";
import type { Did } from "../../bench/local/control-protocol.ts";
import type { LocalBenchState } from "../../bench/local/settings.ts";
import { usualLedgerFolder } from "../../cutters/ledger.ts";
import { personAt } from "../../cutters/person.ts";
import { parseGroups } from "../../experiment/target.ts";
import { healLeftovers, leftoverCuts } from "../rack/leftover-cuts.ts";
import { type ExitStatus, exitStatus, type Shell } from "../shell.ts";
import { askRunning, readUpFile } from "./up-file.ts";

type JsonOption = { readonly json?: true };

/** The options of `adrift cut`. `for` is in milliseconds. */
export type CutOptions = JsonOption & { readonly for: number; readonly from?: string };

/** The options of `adrift partition`. */
export type PartitionOptions = JsonOption & { readonly for: number };

/** Cuts cables for a while. */
export async function cut(shell: Shell, names: readonly string[], options: CutOptions): Promise<ExitStatus> {
  const from = options.from ?? null;
  const { did, state } = await askRunning(shell.folder, { do: "cut", names: [...names], from, leaseMs: options.for });
  if (options.json === true) return printJson(shell, did, state);
  for (const cable of did.cables) {
    // What was cut before stays cut.
    const isOneWay = state.cuts.some((each) => each.cable === cable && each.direction !== "both");
    const what = isOneWay ? ` for what comes from ${from}` : "";
    shell.out.write(`${cable} is cut${what}, for ${formatDurationUs(options.for * 1_000)}.\n`);
  }
  return exitStatus.done;
}

/** Heals cables; without names all that are cut, what dead runs left on real devices included. */
export async function heal(shell: Shell, names: readonly string[], options: JsonOption): Promise<ExitStatus> {
  if (names.length > 0) return await healHere(shell, names, options);
  const folder = usualLedgerFolder();
  const healed: string[] = [];
  // The devices are asked only if there is something left on them.
  const wereLeft = (await leftoverCuts(folder)).length > 0;
  const person = personAt(process.stdin, process.stderr);
  const left = wereLeft ? await healLeftovers(folder, (sentence) => healed.push(sentence), person) : [];
  for (const sentence of healed) shell.err.write(`${sentence}\n`);
  for (const { what, advice } of left) shell.err.write(`Still cut: ${what}. ${advice}\n`);
  if (readUpFile(shell.folder) !== null) await healHere(shell, names, options);
  else if (options.json === true)
    shell.out.write(`${JSON.stringify({ cables: [], cuts: [], leftovers: left }, null, 2)}\n`);
  else if (!wereLeft)
    shell.out.write("Nothing is cut: no bench runs in this folder, and earlier runs left nothing on real devices.\n");
  return left.length > 0 ? exitStatus.failed : exitStatus.done;
}

async function healHere(shell: Shell, names: readonly string[], options: JsonOption): Promise<ExitStatus> {
  const { did, state } = await askRunning(shell.folder, { do: "heal", names: [...names] });
  if (options.json === true) return printJson(shell, did, state);
  for (const cable of did.cables) shell.out.write(`${cable} is whole.\n`);
  if (did.cables.length === 0) shell.out.write(names.length === 0 ? "Nothing was cut.\n" : "It was whole already.\n");
  return exitStatus.done;
}

/** Parts the boards into groups for a while. */
export async function partition(
  shell: Shell,
  given: readonly string[],
  options: PartitionOptions,
): Promise<ExitStatus> {
  const groups = given.flatMap((text) => parseGroups(text)).filter((group) => group.length > 0);
  const request = { do: "partition" as const, groups: groups.map((group) => [...group]), leaseMs: options.for };
  const { did, state } = await askRunning(shell.folder, request);
  if (options.json === true) return printJson(shell, did, state);
  shell.out.write(`Cut for ${formatDurationUs(options.for * 1_000)}: ${did.cables.join(", ")}.\n`);
  shell.out.write(`Who hears whom now: ${did.groups.map((group) => group.join(", ")).join(" | ")}\n`);
  if (did.alone.length > 0) {
    const [they, are] = did.alone.length === 1 ? ["it", "is"] : ["they", "are"];
    shell.out.write(
      `${listText(did.alone)} ${are} alone: without these cables ${they} reach${they === "it" ? "es" : ""} no broker on this bench.\n` +
        'For sides that talk among themselves, each needs a broker: try "npx adrift up --bench two-switches".\n',
    );
  }
  return exitStatus.done;
}

function printJson({ out }: Shell, did: Did, { cuts }: LocalBenchState): ExitStatus {
  out.write(`${JSON.stringify({ ...did, cuts }, null, 2)}\n`);
  return exitStatus.done;
}

/** `a`, `a and b`, `a, b and c` */
function listText(names: readonly string[]): string {
  return names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}
