/** `adrift doctor`: what is wrong with this machine and with a rack, and what to do now. */

import { existsSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { type Bench, parseBench, YamlFileError } from "../../../hardware/bench.ts";
import { usualLedgerFolder } from "../../cutters/ledger.ts";
import { machineChecks, type RackChecks, rackChecks } from "../../doctor/checkup.ts";
import { type Check, examine } from "../../doctor/examine.ts";
import { ok, wrong } from "../../doctor/finding.ts";
import { doctorText, tallyOf } from "../../doctor/text.ts";
import { painter } from "../../report/paint.ts";
import { count, listed } from "../../report/words.ts";
import { chooseBench, findBench } from "../files.ts";
import { type ExitStatus, exitStatus, type Shell } from "../shell.ts";
import { version } from "../version.ts";

/** What stands on the command line. */
export type DoctorOptions = { readonly bench?: string; readonly json?: true };

const usualFile = "bench.yaml";

/** Looks, and tells what it found. Ends as `failed` if something is wrong; warnings are no failure. */
export async function doctor(shell: Shell, options: DoctorOptions): Promise<ExitStatus> {
  const ledgerFolder = usualLedgerFolder();
  const read = readBench(shell.folder, options.bench);
  const rack: RackChecks | null =
    read.bench === null ? null : rackChecks({ bench: read.bench, folder: read.folder, ledgerFolder, version });
  const closing = read.bench === null ? [] : relayBoards(read.bench);
  if (closing.length > 0) {
    shell.err.write(`Asking ${listed(closing)} makes all cables there whole; what a run has in use is left alone.\n`);
  }
  const groups = await examine([...machineChecks(ledgerFolder), ...read.checks, ...(rack?.checks ?? [])]);
  await rack?.release();
  const tally = tallyOf(groups);
  if (options.json === true) {
    shell.out.write(`${JSON.stringify({ bench: read.bench?.name ?? null, ...tally, groups }, null, 2)}\n`);
  } else {
    shell.out.write(doctorText(groups, { columns: shell.out.columns, paint: painter(shell.out.isColoured) }));
  }
  return tally.wrong === 0 ? exitStatus.done : exitStatus.failed;
}

/** Cutters that cannot be asked without being opened, which makes their cables whole. */
function relayBoards({ cables, cutters }: Bench): readonly string[] {
  return cutters
    .filter(({ driver }) => driver === "relay" || driver === "usb-relay")
    .filter(({ name }) => cables.some(({ cutter }) => cutter.name === name))
    .map(({ name }) => name);
}

/** The bench, the folder of its file, and what there is to say of that file. */
type BenchRead = { readonly bench: Bench | null; readonly folder: string; readonly checks: readonly Check[] };

/** @throws {UsageError} if a file is named that cannot be read */
function readBench(base: string, given: string | undefined): BenchRead {
  if (given === undefined && !existsSync(join(base, usualFile))) return { bench: null, folder: base, checks: [] };
  // Whoever runs experiments on it calls it rack:FILE.
  const named = given === undefined ? `./${usualFile}` : (chooseBench(given).bench ?? given);
  const { name, text } = findBench(named, base);
  const folder = dirname(resolve(base, name));
  const told = (look: Check["look"]): readonly Check[] => [{ group: "this machine", where: name, look }];
  try {
    const bench = parseBench(text, name);
    const what = `${bench.name}, ${count(bench.boards.length, "board")}`;
    return { bench, folder, checks: told(() => [ok(name, what)]) };
  } catch (error) {
    if (!(error instanceof YamlFileError)) throw error;
    const findings = error.problems.map(({ line, column, message }) =>
      wrong(`${name}:${line}:${column}`, message, null),
    );
    return { bench: null, folder, checks: told(() => findings) };
  }
}
