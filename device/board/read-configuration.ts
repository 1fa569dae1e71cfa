/** Reads `board.yaml`, and tells everything that is wrong in it at once: where, what stands there, what may stand there. */

import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { isMap, isNode, isScalar, LineCounter, parseDocument } from "yaml";
import type { BoardConfiguration } from "./configuration.ts";
import { readOverrides } from "./configuration-overrides.ts";
import { brokenRules } from "./configuration-rules.ts";
import { type BoardFile, boardFile } from "./configuration-schema.ts";

/** Where a board looks for its configuration unless it is told otherwise. */
export const usualConfigurationPath = "/etc/adrift/board.yaml";

/** A configuration with which no board can start. The message has one line for each problem. */
export class ConfigurationError extends Error {
  override readonly name = "ConfigurationError";

  constructor(problems: readonly string[]) {
    super(problems.join("\n"));
  }
}

/** Far more than any board needs. */
const sizeBytesMax = 262_144;

/**
 * Reads the configuration at `path`; variables of the environment (`ADRIFT_...`, see `configuration-overrides.ts`) stand
 * in the place of what the file says. Paths in the file start at the file's folder.
 *
 * @throws ConfigurationError if the file cannot be read, or no board could work as it says.
 */
export function readBoardConfiguration(
  path: string,
  environment: Readonly<Record<string, string | undefined>>,
): BoardConfiguration {
  const file = parseFile(readText(path), path);
  const written = boardFile.safeParse(file.value, { reportInput: true });
  if (!written.success) {
    throw new ConfigurationError(inOrder(written.error.issues.flatMap((issue) => told(issue, file))));
  }

  const { configuration, variables, problems } = readOverrides(filledIn(written.data, dirname(path)), environment);
  const broken = brokenRules(configuration).map(({ path: place, message }) => {
    const variable = variables.get(placeText(place));
    return variable === undefined ? file.problem(place, message) : { at: null, text: `${variable}: ${message}` };
  });
  if (problems.length + broken.length > 0) throw new ConfigurationError([...inOrder(broken), ...problems]);
  return configuration;
}

/** Where in the file something stands: keys and positions from the top. */
type Path = readonly PropertyKey[];

/** A problem, and where in the file it stands; `null`: nowhere. */
type Problem = { readonly at: number | null; readonly text: string };

type ParsedFile = {
  readonly value: unknown;
  /** Says that what stands at a path, or the nearest thing around it, is wrong. */
  problem(path: Path, message: string): Problem;
  /** Says it of a key. */
  problemOfKey(path: Path, key: string, message: string): Problem;
};

function readText(path: string): string {
  try {
    const bytes = readFileSync(path);
    if (bytes.length <= sizeBytesMax) return bytes.toString("utf8");
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ConfigurationError([
      `${path}: The board's configuration cannot be read (${reason}). Name another file with --config.`,
    ]);
  }
  throw new ConfigurationError([`${path}: The file has more than ${sizeBytesMax} bytes. Is it the right one?`]);
}

function parseFile(text: string, fileName: string): ParsedFile {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, logLevel: "error" });

  function problemAt(offset: number, message: string): Problem {
    const { line, col } = lines.linePos(offset);
    return { at: offset, text: `${fileName}:${Math.max(line, 1)}:${Math.max(col, 1)}: ${message}` };
  }
  function offsetOf(path: Path): number {
    const node = path.length === 0 ? document.contents : document.getIn(path, true);
    if (isNode(node) && node.range) return node.range[0];
    return path.length === 0 ? 0 : offsetOf(path.slice(0, -1));
  }
  const syntax = [...document.errors, ...document.warnings];
  if (syntax.length > 0) {
    throw new ConfigurationError(
      inOrder(syntax.map(({ pos, message }) => problemAt(pos[0], `This is not YAML that can be read: ${message}.`))),
    );
  }
  return {
    value: plainValue(() => document.toJS(), fileName),
    problem: (path, message) => problemAt(offsetOf(path), message),
    problemOfKey(path, key, message) {
      const map = path.length === 0 ? document.contents : document.getIn(path, true);
      const item = isMap(map)
        ? map.items.find((each) => isScalar(each.key) && String(each.key.value) === key)
        : undefined;
      const offset = isScalar(item?.key) ? item.key.range?.[0] : undefined;
      return problemAt(offset ?? offsetOf(path), message);
    },
  };
}

/** What parsed may still be no value: aliases of nothing, or ones that multiply beyond all measure. */
function plainValue(value: () => unknown, fileName: string): unknown {
  try {
    return value();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ConfigurationError([`${fileName}:1:1: The file's aliases lead nowhere: ${reason}.`]);
  }
}

type Issue = NonNullable<ReturnType<typeof boardFile.safeParse>["error"]>["issues"][number];

function told(issue: Issue, file: ParsedFile): readonly Problem[] {
  const { path, message } = issue;
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => file.problemOfKey(path, key, `\`${placeText([...path, key])}\` ${message}.`));
  }
  const place = path.length === 0 ? "The file" : `\`${placeText(path)}\``;
  if (issue.input === undefined) return [file.problem(path, `${place} is missing; it ${message}.`)];
  return [file.problem(path, `${place} is ${shown(issue.input)}, but ${message}.`)];
}

/** `boards[2].inbox`, for people. */
function placeText(path: Path): string {
  let text = "";
  for (const step of path) text += typeof step === "number" ? `[${step}]` : `${text === "" ? "" : "."}${String(step)}`;
  return text;
}

function shown(value: unknown): string {
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (value === null) return "empty";
  if (typeof value === "object") return "a mapping";
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 40 ? `${text.slice(0, 40)}…` : text;
}

function inOrder(problems: readonly Problem[]): readonly string[] {
  return problems.toSorted((one, other) => (one.at ?? Infinity) - (other.at ?? Infinity)).map(({ text }) => text);
}

function filledIn(file: BoardFile, folder: string): BoardConfiguration {
  const { keys } = file;
  return {
    ...file,
    data: resolve(folder, file.data),
    founders: file.founders ?? file.boards.map(({ name }) => name),
    keys:
      keys === null
        ? null
        : {
            authority: resolve(folder, keys.authority),
            certificate: resolve(folder, keys.certificate),
            privateKey: resolve(folder, keys.privateKey),
          },
  };
}
