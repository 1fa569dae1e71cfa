/** The documents and what in them can be run, compared or written anew by a program. */

import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, realpathSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createCommandLine } from "../controller/cli/command-line.ts";
import type { ExitStatus, Stream } from "../controller/cli/shell.ts";
import { mutants } from "../sim/mutants.ts";

export const root = fileURLToPath(new URL("..", import.meta.url));

export type Document = { readonly path: string; readonly text: string };

/** README.md first, so that what newcomers try first is tried first. */
export function readDocuments(): readonly Document[] {
  const inDocs = readdirSync(join(root, "docs"), { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".md"))
    .map((path) => `docs/${path}`)
    .sort();
  return ["README.md", "CONTRIBUTING.md", ...inDocs].map(readDocument);
}

export function readDocument(path: string): Document {
  return { path, text: readFileSync(join(root, path), "utf8") };
}

/**
 * A fenced block. `notes`: the words after the language, such as the name under which a reader is to save it. `after`:
 * what follows it, up to the next block.
 */
export type Block = {
  readonly language: string;
  readonly notes: readonly string[];
  readonly text: string;
  readonly after: string;
};

export function blocksOf({ text }: Document): readonly Block[] {
  const found = [...text.matchAll(/^```(\S+)([^\n]*)\n(.*?)^```$/gms)];
  return found.map(({ 0: whole, 1: language = "", 2: notes = "", 3: body = "", index }, at) => ({
    language,
    notes: notes.split(" ").filter((note) => note !== ""),
    text: body,
    after: text.slice(index + whole.length, found[at + 1]?.index),
  }));
}

/** The name under which a reader is to save a block; `null` if there is none. */
export function fileNameOf({ notes }: Block): string | null {
  return notes.find((note) => note.includes(".")) ?? null;
}

/** An example in TypeScript as somebody writes it who is not in this checkout. */
export function fromElsewhere(source: string): string {
  return source.replaceAll('from "./', `from "${root}`);
}

/** Whether a block wants boards that run: a system test follows these, one document after the other. */
export function isLive({ notes }: Block): boolean {
  return notes.includes("live");
}

/** The lines of a block that wants boards that run, without their comments. */
export function liveLinesOf(block: Block): readonly string[] {
  if (block.language !== "sh" || !isLive(block)) return [];
  const joined = block.text.replaceAll("\\\n", " ");
  return joined
    .split("\n")
    .map((line) => line.replace(/\s+#.*$/, ""))
    .filter((line) => line.trim() !== "");
}

/** The `npx adrift` lines of a block, without their comments. */
export function commandsOf(block: Block): readonly string[] {
  if (block.language !== "sh" || isLive(block)) return [];
  const lines = block.text.split("\n").map((line) => line.replace(/\s+#.*$/, ""));
  return lines.filter((line) => line.startsWith("npx adrift "));
}

/** Commands that readers find in running text; those with a word in capitals or brackets in them are patterns. */
export function commandsInText({ text }: Document): readonly string[] {
  const spans = Array.from(text.matchAll(/`(npx adrift [^`]+)`/g), ([, command = ""]) => command);
  return spans.filter((command) => !/[A-Z<]/.test(command));
}

/** Commands that take longer than a quick test may, each with its reason: `documents.system.test.ts` runs them. */
export const slowCommands: ReadonlyMap<string, string> = new Map([
  ["npx adrift fuzz --seeds 1000", "a campaign of a thousand seeds takes a minute"],
  ["npx adrift fuzz --minutes 10", "it goes on for ten minutes"],
  ["npx adrift fuzz --mutant all", "some mutants take hundreds of seeds"],
  ["npx adrift bench --vs etcd", "it measures for minutes, and wants etcd"],
  ["npx adrift run cut-leader --bench netns", "it takes half a minute, and wants root and snmpd"],
  ["npx adrift fuzz --mutant votes-twice-in-a-term", "the faults that it takes are shrunk, run by run"],
  ["npx adrift fuzz --mutant forgets-its-vote-at-restart", "the faults that it takes are shrunk, run by run"],
  ["npx adrift fuzz --mutant commits-an-old-term-by-counting", "the faults that it takes are shrunk, run by run"],
]);

/** Commands that need boards, cards or readers on a table: what they do is tried with stand-ins, in tests of their own. */
export const tableCommands: ReadonlySet<string> = new Set([
  "npx adrift flash pi-1 --drive /dev/sdb",
  "npx adrift identify pi-3",
  "npx adrift doctor",
  "npx adrift deploy",
]);

/** The fields of the JSON document that a block's command prints, as the table after it lists them; `null` without one. */
export function fieldsPrintedBy({ notes, after }: Block): readonly string[] | null {
  return notes.includes("json") ? firstCells(after, "field of the document") : null;
}

/** The cells of the rows of the tables whose head begins with `head`. */
export function rowsOf(markdown: string, head: string): readonly (readonly string[])[] {
  const tables = markdown.split("\n\n").filter((part) => part.trimStart().startsWith(`| ${head} |`));
  return tables.flatMap((table) =>
    table
      .trim()
      .split("\n")
      .slice(2)
      .map((row) => row.split(/(?<!\\)\|/).slice(1, -1))
      .map((cells) => cells.map((cell) => cell.trim())),
  );
}

/** What stands in backquotes in the first cells of such tables, sorted. */
export function firstCells(markdown: string, head: string): readonly string[] {
  return rowsOf(markdown, head)
    .flatMap(([first = ""]) => quoted(first))
    .sort();
}

/** What stands in backquotes. */
export function quoted(text: string): readonly string[] {
  return Array.from(text.matchAll(/`([^`]+)`/g), ([, inside = ""]) => inside);
}

/** A folder for whoever follows the documents. */
export function makeFolder(): string {
  return realpathSync(mkdtempSync(join(tmpdir(), "adrift-documents-")));
}

export type Ended = { readonly status: ExitStatus; readonly out: string; readonly err: string };

/** Runs a command as printed, in a folder; in this process, because starting one costs more than most commands. */
export async function runCommand(command: string, folder: string): Promise<Ended> {
  const written = { out: "", err: "" };
  const streamTo = (name: "out" | "err"): Stream => ({
    write: (text) => {
      written[name] += text;
    },
    isTerminal: false,
    isColoured: false,
    isClosed: false,
    columns: 100,
  });
  const commandLine = createCommandLine({
    out: streamTo("out"),
    err: streamTo("err"),
    input: (async function* () {})(),
    folder,
    commandLine: command.replace(/^npx /, ""),
    noteInterruption: () => ({ isRequested: false }),
  });
  const status = await commandLine.execute(command.split(" ").slice(2));
  return { status, ...written };
}

// What programs write into documents, between `<!-- name -->` and `<!-- /name -->`

/** The text between two marks. */
export function generatedPart({ path, text }: Document, name: string): string {
  const [, part] = new RegExp(`<!-- ${name} -->\n(.*?)<!-- /${name} -->`, "s").exec(text) ?? [];
  if (part === undefined) throw new Error(`${path} has no place marked with <!-- ${name} -->.`);
  return part;
}

/** The picture of a run in README.md: what the demo prints, without its first words and its last. */
export function demoPicture(printed: string): string {
  const parts = printed.split("\n\n");
  const end = parts.findIndex((part) => part.startsWith("Kept in "));
  if (end === -1) throw new Error(`The demo prints something else than it used to:\n${printed}`);
  return `\`\`\`text\n${parts.slice(1, end).join("\n\n")}\n\`\`\`\n`;
}

/** The table of mutants in docs/reference/invariants.md. */
export function mutantTable(): string {
  const rows = mutants.map(({ name, section, consequence }) => `| \`${name}\` | ${section} | ${consequence} |`);
  return `${["| mutant | breaks | what goes wrong |", "| --- | --- | --- |", ...rows].join("\n")}\n`;
}

/** Runs a file of TypeScript as a test of Node. Throws with what it said if it fails. */
export function runNodeTest(file: string): void {
  const tsx = join(root, "node_modules/tsx/dist/cli.mjs");
  execFileSync(process.execPath, [tsx, "--test", file], { cwd: root, encoding: "utf8", stdio: "pipe" });
}
