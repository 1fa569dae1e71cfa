/** Turns what zod finds wrong into sentences: what stands there, what may stand there, what was probably meant. */

import { z } from "zod";
import { closest, suggestion } from "./suggestion.ts";

/** One thing that a schema finds wrong. */
export type Complaint = {
  readonly path: readonly (string | number)[];
  /** The key that should not be there, if it is the key and not its value that is wrong. */
  readonly key: string | null;
  /** The sentence, given the name of the place and what stands there (`""` if nothing does). */
  readonly message: (place: string, found: string) => string;
};

type Issue = z.core.$ZodIssue;

/** Everything that `schema` finds wrong in `value`; nothing if it fits. */
export function schemaComplaints(schema: z.ZodType, value: unknown): readonly Complaint[] {
  const result = schema.safeParse(value, { error: whatMayStand, reportInput: true });
  if (result.success) return [];
  const issues = flatten(result.error.issues);
  return issues.flatMap((issue) => complaints(issue, schema, unknownKeysBeside(issue, issues)));
}

function complaints(issue: Issue, schema: z.ZodType, unknownKeys: readonly string[]): readonly Complaint[] {
  const path = issue.path.map((step) => (typeof step === "symbol" ? String(step) : step));
  if (issue.code === "unrecognized_keys") {
    const known = knownKeys(schema, path, issue.input);
    return issue.keys.map((key) => ({
      path,
      key,
      message: (place) => `${place} is no setting; here may stand ${known.join(", ")}.${suggestion(key, known)}`,
    }));
  }
  const missing = issue.input === undefined && path.length > 0;
  // A setting that is only misspelt would otherwise be told twice: as unknown and as missing.
  if (missing && unknownKeys.some((key) => closest(key, [String(path.at(-1))]) !== null)) return [];
  const word = writtenWord(issue);
  const hint = word === null ? "" : suggestion(word, allowedWords(issue));
  return [
    {
      path,
      key: null,
      message: (place, found) =>
        found === ""
          ? `${place} is missing; it must be ${issue.message}.`
          : `${place} is ${found}, but must be ${issue.message}.${hint}`,
    },
  ];
}

/** The unknown keys of the mapping in which the issue's own key stands. */
function unknownKeysBeside(issue: Issue, issues: readonly Issue[]): readonly string[] {
  const around = issue.path.slice(0, -1).join("/");
  return issues.flatMap((other) =>
    other.code === "unrecognized_keys" && other.path.join("/") === around ? other.keys : [],
  );
}

/**
 * Puts in the place of "none of the alternatives fits" what is wrong with the one that was probably meant: the first
 * whose kind (a word, a list, a mapping) is right.
 */
function flatten(issues: readonly Issue[]): readonly Issue[] {
  return issues.flatMap((issue) => {
    if (issue.code !== "invalid_union" || issue.errors.length === 0) return [issue];
    const meant = issue.errors.find((branch) => !branch.some(isOfWrongKind));
    if (meant === undefined) return [issue];
    return flatten(meant).map((inner) => ({ ...inner, path: [...issue.path, ...inner.path] }));
  });
}

function isOfWrongKind(issue: Issue): boolean {
  if (issue.path.length > 0) return false;
  if (issue.code === "invalid_union") return issue.errors.every((branch) => branch.some(isOfWrongKind));
  return issue.code === "invalid_type" || issue.code === "invalid_value";
}

/** What may stand in a place, for issues whose schema does not say it itself. */
function whatMayStand(issue: z.core.$ZodRawIssue): string {
  switch (issue.code) {
    case "invalid_type":
      return kindText(issue.expected);
    case "invalid_value":
      return wordsText(issue.values.map(String));
    case "invalid_union":
      return Array.isArray(issue.options) ? wordsText(issue.options.map(String)) : alternativesText(issue.errors);
    case "too_small":
      return `${sizedText(issue.origin)}at least ${issue.minimum}`;
    case "too_big":
      return `${sizedText(issue.origin)}at most ${issue.maximum}`;
    default:
      return "something else";
  }
}

function alternativesText(branches: readonly (readonly Issue[])[]): string {
  const texts = branches.map((branch) => branch.find(isOfWrongKind)?.message ?? "something else");
  return [...new Set(texts)].join(" or ");
}

function kindText(expected: string): string {
  switch (expected) {
    case "object":
    case "record":
      return "a mapping";
    case "array":
    case "tuple":
      return "a list";
    case "int":
      return "a whole number";
    case "string":
      return "text";
    default:
      return `a ${expected}`;
  }
}

function sizedText(origin: string): string {
  if (origin === "array") return "a list whose length is ";
  return origin === "string" ? "text whose length is " : "";
}

function wordsText(words: readonly string[]): string {
  return words.length === 1 ? String(words[0]) : `one of ${words.join(", ")}`;
}

/** The word that stands where one of a few words must stand; of a mapping the one that says its variant. */
function writtenWord(issue: Issue): string | null {
  const variant =
    issue.code === "invalid_union" && typeof issue.discriminator === "string" ? issue.discriminator : null;
  const word = variant === null ? issue.input : entryAt(issue.input, variant);
  return typeof word === "string" ? word : null;
}

function entryAt(mapping: unknown, key: string): unknown {
  if (typeof mapping !== "object" || mapping === null) return undefined;
  return Object.entries(mapping).find(([own]) => own === key)?.[1];
}

function allowedWords(issue: Issue): readonly string[] {
  if (issue.code === "invalid_value") return issue.values.map(String);
  if (issue.code !== "invalid_union") return [];
  if ("options" in issue && Array.isArray(issue.options)) return issue.options.map(String);
  return issue.errors.flatMap((branch) => branch.flatMap(allowedWords));
}

/** The keys that a mapping at this path may have. */
function knownKeys(schema: z.ZodType, path: readonly (string | number)[], input: unknown): readonly string[] {
  let candidates = alternatives(schema);
  for (const step of path) candidates = candidates.flatMap((each) => inside(each, step)).flatMap(alternatives);
  const objects = candidates.filter((each) => each instanceof z.ZodObject);
  const fitting = objects.filter((each) => literalsFit(each, input));
  return [...new Set((fitting.length === 0 ? objects : fitting).flatMap((each) => Object.keys(each.shape)))];
}

function alternatives(schema: unknown): readonly z.ZodType[] {
  if (schema instanceof z.ZodOptional) return alternatives(schema.unwrap());
  if (schema instanceof z.ZodUnion) return schema.options.flatMap(alternatives);
  return schema instanceof z.ZodType ? [schema] : [];
}

function inside(schema: z.ZodType, step: string | number): readonly unknown[] {
  if (schema instanceof z.ZodObject) return [schema.shape[step]];
  if (schema instanceof z.ZodArray) return [schema.element];
  return [];
}

/** Whether a mapping is the variant that its `driver`, `fault` or the like says. */
function literalsFit(schema: z.ZodObject, input: unknown): boolean {
  return Object.entries(schema.shape).every(([key, field]) => {
    if (!(field instanceof z.ZodLiteral)) return true;
    const written = entryAt(input, key);
    return [...field.values].some((value) => value === written);
  });
}
