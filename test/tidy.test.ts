import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";

const linesMax = 500;

/** Rooms that people read to learn: there, every exported thing says what it is. */
const documentedRooms = [
  "device/raft/",
  "device/machine/",
  "device/storage/",
  "device/replica/",
  "device/client/",
  "device/transport/",
  "device/mqtt/",
  "device/board/",
  "sim/",
  "controller/check/",
];

const root = fileURLToPath(new URL("..", import.meta.url));
const files = projectFiles().map((path) => ({ path, text: readFileSync(join(root, path), "utf8") }));
const code = files.filter(({ path }) => /\.(ts|mjs)$/.test(path));
const documents = files.filter(({ path }) => path.endsWith(".md"));

type File = (typeof files)[number];

describe("the house is tidy", () => {
  test(`no file of code has more than ${linesMax} lines`, () => {
    const long = code.map(({ path, text }) => ({ path, lines: text.split("\n").length - 1 }));
    expect(long.filter(({ lines }) => lines > linesMax)).toEqual([]);
  });

  test("nothing is left for later", () => {
    expect(linesMatching(files, /\b(?:TO[D]O|FI[X]ME)\b/)).toEqual([]);
  });

  test("no test is left out or left alone, and no type error is silenced", () => {
    expect(linesMatching(code, /\.(?:only|skip)\(|@ts-(?:ignore|nocheck)/)).toEqual([]);
  });

  test("no line ends with a space, and every file ends with one line feed", () => {
    expect(linesMatching(files, /[ \t\r]$/)).toEqual([]);
    const unfinished = files.filter(({ text }) => text !== "" && !/[^\n]\n$/.test(text));
    expect(unfinished.map(({ path }) => path)).toEqual([]);
  });

  test("every exported thing in the rooms that people read says what it is", () => {
    const read = code.filter(({ path }) => documentedRooms.some((room) => path.startsWith(room)) && !isTest(path));
    expect(read.flatMap(undocumentedExports)).toEqual([]);
  });
});

describe("the documents are true", () => {
  test("every relative link in a document points at something", () => {
    const broken = documents.flatMap(({ path, text }) =>
      linksIn(text)
        .filter((link) => !existsSync(join(root, dirname(path), link)))
        .map((link) => `${path} links to ${link}, which is not there`),
    );
    expect(broken).toEqual([]);
  });

  test("every test that docs/parity.md names is there", () => {
    const parity = documents.find(({ path }) => path === "docs/parity.md")?.text ?? "";
    const missing = Array.from(
      parity.matchAll(/`([^`]+\.test\.ts)`(?: › `([^`]+)`)?/g),
      ([, path = "", name = ""]) => ({
        path,
        name,
      }),
    ).filter(({ path, name }) => !files.some((file) => file.path === path && sourceHasName(file, name)));
    expect(missing).toEqual([]);
  });

  test("every row of docs/parity.md names a test of ours or says why there is none", () => {
    const parity = documents.find(({ path }) => path === "docs/parity.md")?.text ?? "";
    expect(
      tableRows(parity).filter((cells) => cells.length < 2 || cells.slice(1).every((cell) => cell === "")),
    ).toEqual([]);
  });

  test("every decision has a number of its own", () => {
    const decisions = files.map(({ path }) => path).filter((path) => path.startsWith("docs/decisions/"));
    const numbers = decisions.map((path) => /^docs\/decisions\/(\d{4})-[a-z0-9-]+\.md$/.exec(path)?.[1] ?? path);
    expect(numbers.filter((number, at) => !/^\d{4}$/.test(number) || numbers.indexOf(number) !== at)).toEqual([]);
  });
});

function isTest(path: string): boolean {
  return /\.(?:test|suite)\.ts$/.test(path);
}

function linesMatching(among: readonly File[], pattern: RegExp): string[] {
  return among.flatMap(({ path, text }) =>
    text.split("\n").flatMap((line, at) => (pattern.test(line) ? [`${path}:${at + 1}: ${line.trim()}`] : [])),
  );
}

/** Exports without a docstring that ends on the line above. Overloads after the first share the docstring of the first. */
function undocumentedExports({ path, text }: File): string[] {
  const lines = text.split("\n");
  const documented = new Set<string>();
  return lines.flatMap((line, at) => {
    const name = /^export (?:abstract )?(?:function\*?|const|let|class|type|interface) (\w+)/.exec(line)?.[1];
    if (name === undefined || documented.has(name)) return [];
    documented.add(name);
    return /\*\/$/.test(lines[at - 1]?.trim() ?? "") ? [] : [`${path}:${at + 1}: ${line}`];
  });
}

/** The targets of a document's links into this project, without what is only quoted as code. */
function linksIn(markdown: string): string[] {
  const prose = markdown.replaceAll(/^```.*?^```/gms, "").replaceAll(/`[^`\n]*`/g, "code");
  const targets = Array.from(prose.matchAll(/\]\(<?([^)\s>]+)>?(?:\s+"[^"]*")?\)/g), ([, target = ""]) => target);
  return targets
    .filter((target) => !/^(?:[a-z]+:|#)/.test(target))
    .map((target) => decodeURIComponent(target.replace(/#.*$/, "")));
}

function sourceHasName(file: File, name: string): boolean {
  return file.text.includes(name) || file.text.includes(name.replaceAll('"', '\\"'));
}

/** The cells of each row of a document's tables, without their heads. */
function tableRows(markdown: string): string[][] {
  const lines = markdown.split("\n");
  const isRow = (line: string | undefined) => line?.startsWith("|") ?? false;
  const isRule = (line: string | undefined) => /^\|[\s:|-]+\|$/.test(line ?? "");
  const rows = lines.filter((line, at) => isRow(line) && !isRule(line) && !isRule(lines[at + 1]));
  return rows.map((row) =>
    row
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

/** What belongs to the project, committed or about to be; in an unpacked archive without Git, all that is there. */
function projectFiles(): string[] {
  const paths = existsSync(join(root, ".git")) ? filesByGit() : filesIn("");
  return paths.filter((path) => isText(path) && path !== "package-lock.json");
}

function filesByGit(): string[] {
  const options = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
  const listed = execFileSync("git", options, { cwd: root, encoding: "utf8" }).split("\0");
  return listed.filter((path) => path !== "" && existsSync(join(root, path)) && statSync(join(root, path)).isFile());
}

function filesIn(folder: string): string[] {
  const foreign = ["node_modules", "dist", "runs", "coverage"];
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    if (foreign.includes(entry.name)) return [];
    return entry.isDirectory() ? filesIn(`${folder}${entry.name}/`) : [`${folder}${entry.name}`];
  });
}

function isText(path: string): boolean {
  return ["", ".ts", ".mjs", ".json", ".yaml", ".md", ".grit", ".txt", ".html", ".css", ".svg"].includes(extname(path));
}
