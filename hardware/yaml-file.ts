/**
 * Reads YAML files that people write, and answers with the file, the line, what stands there and what may stand there.
 *
 * Works on text alone: whoever has a disk reads the file and passes its name along for the messages.
 */

import type { Document, Node } from "yaml";
import { isAlias, isCollection, isMap, isNode, isScalar, LineCounter, parseDocument } from "yaml";
import type { z } from "zod";
import { schemaComplaints } from "./schema-complaints.ts";

/** Where in a file something stands: keys and positions from the top, e.g. `["boards", 2, "inbox"]`. */
export type Path = readonly (string | number)[];

/** One thing that is wrong in a file. Lines and columns count from 1. */
export type Problem = {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly message: string;
};

/** Everything that is wrong in a file, in the order of its lines; the message has one line for each. */
export class YamlFileError extends Error {
  override readonly name = "YamlFileError";
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    super(
      problems.map((problem) => `${problem.file}:${problem.line}:${problem.column}: ${problem.message}`).join("\n"),
    );
    this.problems = problems;
  }
}

/** Collects what is wrong, so that all of it is told at once. */
export type Problems = {
  /** Notes that what stands at `path` is wrong; a path that is not in the file means the nearest thing around it. */
  add(path: Path, message: string): void;
  /** The line of the file where `path` begins. */
  lineOf(path: Path): number;
  /** Throws a `YamlFileError` if anything was noted. */
  throwIfAny(): void;
};

/** A file whose shape is right. What its parts mean together, its reader checks; `problems` takes the complaints. */
export type YamlFile<Value> = { readonly value: Value; readonly problems: Problems };

/** Far more than a person writes. */
const sizeMax = 262_144;

/**
 * Reads one file against a schema.
 *
 * @throws YamlFileError if the text is not YAML or not of the schema's shape.
 */
export function readYamlFile<Schema extends z.ZodType>(
  text: string,
  fileName: string,
  schema: Schema,
): YamlFile<z.output<Schema>> {
  if (text.length > sizeMax) {
    const message = `The file has ${text.length} characters; at most ${sizeMax} are read. Is it the right file?`;
    throw new YamlFileError([{ file: fileName, line: 1, column: 1, message }]);
  }
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, logLevel: "error" });
  const problems = createProblems(document, lines, fileName);

  for (const error of [...document.errors, ...document.warnings]) {
    problems.addAt(error.pos[0], syntaxMessage(error));
  }
  problems.throwIfAny();
  if (document.contents === null) problems.add([], "The file is empty.");
  problems.throwIfAny();

  const raw = plainValue(document, problems);
  for (const complaint of schemaComplaints(schema, raw)) {
    const { key, message } = complaint;
    const path = key === null ? complaint.path : [...complaint.path, key];
    if (key !== null) problems.addAt(keyOffset(document, complaint.path, key), message(pathText(path), ""));
    else problems.add(path, message(pathText(path), sourceText(text, nodeAt(document, path))));
  }
  problems.throwIfAny();
  return { value: schema.parse(raw), problems };
}

/** `boards[2].inbox` for people; the whole file has no path. */
export function pathText(path: Path): string {
  let text = "";
  for (const step of path) text += typeof step === "number" ? `[${step}]` : text === "" ? step : `.${step}`;
  return text === "" ? "The file" : `\`${text}\``;
}

function syntaxMessage(error: { readonly code: string; readonly message: string }): string {
  if (error.code === "MULTIPLE_DOCS") return 'Only one document may stand in the file: take out the line "---".';
  if (error.code === "DUPLICATE_KEY") return "This key stands here a second time: keep one of the two.";
  return `This is not YAML that can be read: ${error.message}.`;
}

/** The file as plain values, its aliases followed. */
function plainValue(document: Document, problems: Problems): unknown {
  try {
    return document.toJS();
  } catch (error) {
    // What parsed and still is no value: aliases of nothing, or ones that multiply beyond all measure.
    problems.add([], `The file's aliases lead nowhere: ${error instanceof Error ? error.message : String(error)}.`);
    problems.throwIfAny();
    return null;
  }
}

function createProblems(document: Document, lines: LineCounter, file: string) {
  const found: Problem[] = [];
  function addAt(offset: number, message: string): void {
    const { line, col } = lines.linePos(offset);
    found.push({ file, line: Math.max(line, 1), column: Math.max(col, 1), message });
  }
  return {
    addAt,
    add(path: Path, message: string): void {
      addAt(nearestOffset(document, path), message);
    },
    lineOf: (path: Path) => Math.max(lines.linePos(nearestOffset(document, path)).line, 1),
    throwIfAny(): void {
      if (found.length === 0) return;
      throw new YamlFileError(found.toSorted((one, other) => one.line - other.line || one.column - other.column));
    },
  };
}

/** The node at a path, aliases followed; `undefined` if the file has nothing there. */
function nodeAt(document: Document, path: Path): Node | undefined {
  let node: unknown = document.contents;
  for (const step of path) {
    if (isAlias(node)) node = node.resolve(document);
    if (!isCollection(node)) return undefined;
    node = node.get(step, true);
  }
  return isNode(node) ? node : undefined;
}

function nearestOffset(document: Document, path: Path): number {
  for (let length = path.length; length >= 0; length -= 1) {
    const offset = nodeAt(document, path.slice(0, length))?.range?.[0];
    if (offset !== undefined) return offset;
  }
  return 0;
}

function keyOffset(document: Document, path: Path, key: string): number {
  const map = nodeAt(document, path);
  const target = isAlias(map) ? map.resolve(document) : map;
  if (isMap(target)) {
    for (const { key: keyNode } of target.items) {
      if (isScalar(keyNode) && String(keyNode.value) === key && keyNode.range) return keyNode.range[0];
    }
  }
  return nearestOffset(document, path);
}

/** What stands in the file, word for word if it is short. */
function sourceText(text: string, node: Node | undefined): string {
  if (node === undefined) return "";
  if (isCollection(node)) return isMap(node) ? "a mapping" : "a list";
  const [start, end] = node.range ?? [0, 0];
  const source = text.slice(start, end).trim();
  if (source === "") return "empty";
  if (source.includes("\n")) return "text of several lines";
  return source.length > 40 ? `\`${source.slice(0, 40)}…\`` : `\`${source}\``;
}
