/** The files that arguments name: experiments and benches, ready ones by their names. */

import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { unknownName } from "../../hardware/suggestion.ts";
import { type BenchKind, realKinds } from "../bench/bench.ts";
import {
  readyBench,
  readyBenchNames,
  readyExperiment,
  readyExperimentNames,
  type TextFile,
} from "../experiment/ready.ts";
import { UsageError } from "./shell.ts";

/** What `--bench` names: the kind of bench and, if it says so, which. */
export type BenchChoice = { readonly kind: BenchKind; readonly bench: string | null };

/**
 * Reads `--bench`: a kind of bench, or `KIND:BENCH`, is in real time; anything else is the bench to simulate.
 *
 * @throws {UsageError} if there is no such kind, or a rack without a description of it
 */
export function chooseBench(given: string | undefined): BenchChoice {
  const [name = "", bench = null] = given === undefined ? [] : splitOnce(given);
  const kind = realKinds.find((each) => each === name);
  if (kind === "rack" && bench === null)
    throw new UsageError("Which rack? Give the file that describes it, as in --bench rack:bench.yaml.");
  if (kind !== undefined) return { kind, bench };
  if (bench !== null && /^[a-z]{2,}$/.test(name)) {
    const kinds = realKinds.map((each) => `${each}:BENCH`).join(", ");
    throw new UsageError(`There is no kind of bench "${name}": write ${kinds}, or BENCH alone to simulate it.`);
  }
  return { kind: "simulated", bench: given ?? null };
}

function splitOnce(text: string): readonly [string, string?] {
  const at = text.indexOf(":");
  return at === -1 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}

/** The experiment that is called so, or that stands in a file. A file goes first if its name looks like one. */
export function findExperiment(given: string, folder: string): TextFile {
  return find(given, folder, { what: "experiment", known: readyExperimentNames(), ready: readyExperiment });
}

/** The bench that is called so, or that stands in a file. */
export function findBench(given: string, folder: string): TextFile {
  return find(given, folder, { what: "bench", known: readyBenchNames(), ready: readyBench });
}

type Kind = {
  readonly what: string;
  readonly known: readonly string[];
  readonly ready: (name: string) => TextFile | null;
};

function find(given: string, folder: string, { what, known, ready }: Kind): TextFile {
  if (given === "")
    throw new UsageError(`The name of the ${what} is empty: give a file, or one of ${known.join(", ")}.`);
  const looksLikeFile = /[./\\]/.test(given);
  const file = looksLikeFile ? null : ready(given);
  if (file !== null) return file;
  const path = resolve(folder, given);
  if (!looksLikeFile && !existsSync(path))
    throw new UsageError(capitalized(unknownName(`ready ${what}`, given, known)));
  return { name: given, text: readText(path, given) };
}

/** The text of a file. @throws {UsageError} if it cannot be read. */
function readText(path: string, given: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw unreadable(given, error);
  }
}

/** What to say of a file that cannot be read. */
export function unreadable(given: string, error: unknown): UsageError {
  const code = error instanceof Error && "code" in error ? error.code : null;
  const why =
    code === "ENOENT"
      ? "there is no such file"
      : code === "EISDIR"
        ? "that is a folder"
        : error instanceof Error
          ? error.message
          : String(error);
  return new UsageError(`${given}: ${why}.`);
}

function capitalized(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
