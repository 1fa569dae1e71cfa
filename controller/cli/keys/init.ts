/** `adrift init`: a bench's folder with its description and its keys; run again, it adds what is missing. */

import { mkdirSync, readFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { keyFiles } from "../../../device/mqtt/read-keys.ts";
import { type Bench, parseBench } from "../../../hardware/bench.ts";
import { KeyError } from "../../keys/key-error.ts";
import { fillKeyFolder, type KeyFolderReport } from "../../keys/key-folder.ts";
import { createFile } from "../../keys/new-file.ts";
import { rosterOf } from "../../keys/roster.ts";
import { painter } from "../../report/paint.ts";
import { count } from "../../report/words.ts";
import { findBench } from "../files.ts";
import { type ExitStatus, exitStatus, type Shell, UsageError } from "../shell.ts";
import { ignoreWhatIsPrivate } from "./git-ignore.ts";

/** The options of `adrift init`, as given. */
export type InitOptions = {
  readonly bench?: string;
  readonly client?: readonly string[];
  readonly host?: readonly string[];
  readonly days: number;
  readonly json?: true;
};

const usualBench = "five-boards";
const usualClient = "client";

/** Makes the folder, or fills it up, and tells what it holds. */
export async function init(shell: Shell, given: string, options: InitOptions): Promise<ExitStatus> {
  const folder = resolve(shell.folder, given);
  try {
    mkdirSync(folder, { recursive: true });
    const { bench, newText } = openBench(folder, given, options.bench, shell.folder);
    const isNew = newText !== null;
    const clients = options.client ?? (isNew ? [usualClient] : []);
    const subjects = rosterOf(bench, { clients, hosts: options.host ?? [] });
    if (newText !== null) createFile(join(folder, "bench.yaml"), newText, 0o644);
    ignoreWhatIsPrivate(folder);
    const keys = await fillKeyFolder(join(folder, "keys"), {
      authorityName: `authority of ${bench.name}`,
      subjects,
      days: options.days,
      now: new Date(),
    });
    if (options.json === true) printDocument(shell, folder, bench, keys);
    else print(shell, given, { bench, isNew, keys });
    return exitStatus.done;
  } catch (error) {
    throw error instanceof KeyError ? new UsageError(error.message) : refusal(error, given);
  }
}

/** The bench that the folder describes already; or the one that is asked for, and the text that is to describe it. */
function openBench(
  folder: string,
  given: string,
  asked: string | undefined,
  base: string,
): { readonly bench: Bench; readonly newText: string | null } {
  const shown = join(given, "bench.yaml");
  const wanted = asked === undefined ? null : textFor(asked, base);
  const present = readOrNull(join(folder, "bench.yaml"), shown);
  if (present !== null) {
    if (wanted !== null && wanted !== present) {
      throw new UsageError(
        `${shown} describes a bench already. Leave out --bench to keep it; to begin with another one, take it away or ` +
          "choose another folder.",
      );
    }
    return { bench: parseBench(present, shown), newText: null };
  }
  const newText = wanted ?? textFor(usualBench, base);
  return { bench: parseBench(newText, asked ?? "bench.yaml"), newText };
}

/** A ready bench points editors at a schema beside it, which is not there any more where the text goes. */
function textFor(asked: string, base: string): string {
  const { text } = findBench(asked, base);
  return text.replace(/^# yaml-language-server:.*\n/, heading);
}

const heading = `# What stands on the table. After a change run "adrift init" again: whoever is new gets a key.
#
`;

function readOrNull(path: string, shown: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (codeOf(error) === "ENOENT") return null;
    throw refusal(error, shown);
  }
}

function refusal(error: unknown, given: string): unknown {
  switch (codeOf(error)) {
    case "EACCES":
    case "EPERM":
    case "EROFS":
      return new UsageError(`${given}: you may not write there. Choose another folder, or change who may.`);
    case "EEXIST":
    case "ENOTDIR":
      return new UsageError(`${given}: there is a file of that name, and a folder is needed. Choose another name.`);
    case "EISDIR":
      return new UsageError(`${given}: there is a folder of that name, and a file is needed. Choose another folder.`);
    default:
      return error;
  }
}

/** Below where the command was called its path from there, elsewhere the whole path. */
function shownAs(folder: string, base: string): string {
  const path = relative(base, folder);
  return path.startsWith("..") ? folder : path;
}

function codeOf(error: unknown): string | null {
  return error instanceof Error && "code" in error ? String(error.code) : null;
}

function printDocument({ out }: Shell, folder: string, bench: Bench, keys: KeyFolderReport): void {
  const document = { folder, bench: bench.name, keys: { folder: join(folder, "keys"), ...keys } };
  out.write(`${JSON.stringify(document, null, 2)}\n`);
}

type Made = { readonly bench: Bench; readonly isNew: boolean; readonly keys: KeyFolderReport };

function print({ out, err, folder: base }: Shell, given: string, { bench, isNew, keys }: Made): void {
  const paint = painter(out.isColoured);
  const folder = shownAs(resolve(base, given), base);
  const boards = count(bench.boards.length, "board");
  out.write(`${paint("bold", join(folder, "bench.yaml"))}  ${bench.name}, ${boards}${isNew ? "" : ", as it was"}\n`);
  out.write(`${paint("bold", join(folder, "keys/"))}\n`);
  const parts = [
    { what: "new", names: keys.made },
    { what: "new certificate", names: keys.certified },
    { what: "as it was", names: keys.kept },
  ];
  for (const { what, names } of parts) if (names.length > 0) out.write(`  ${what}: ${names.join(", ")}\n`);
  if (keys.certified.length > 0) {
    out.write("  Whoever has a new certificate needs it: write that board's card again, or copy the .pem.\n");
  }
  for (const warning of keys.warnings) err.write(`${warning}\n`);
  out.write(
    "\nWhoever has a file of keys/ is who it names: give each its own .pem, its .key.pem and authority.pem, nothing\n" +
      `else, and keep authority.key.pem off the boards.\n${brokerFiles(bench, folder)}\nNext: ${nextStep(bench, folder)}\n`,
  );
}

/** What is to be copied to brokers' machines, which is less than the folder. */
function brokerFiles({ brokers }: Bench, folder: string): string {
  return brokers
    .filter(({ name, node }) => name === node)
    .map(({ name }) => {
      const files = Object.values(keyFiles(join(folder, "keys"), name));
      return `A machine of its own for ${name} needs, beside bench.yaml, only ${files.join(", ")}.\n`;
    })
    .join("");
}

/** A bench with addresses is a rack, whose boards need cards; any other one can be tried on this machine. */
function nextStep({ boards, brokers }: Bench, folder: string): string {
  const file = join(folder, "bench.yaml");
  const [first] = boards;
  if (first === undefined || [...boards, ...brokers].every(({ address }) => address === null)) {
    return `npx adrift up --bench ${file} --keys ${join(folder, "keys")}`;
  }
  const others = boards.length === 1 ? "" : ", and so for each board";
  return `npx adrift flash ${first.name} --bench ${file} --image FILE --drive DRIVE${others} (hardware/README.md, step 3).`;
}
