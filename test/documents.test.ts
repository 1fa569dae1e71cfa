import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, describe, expect, test, vi } from "vitest";
import { checkHistory, parseEvent } from "../controller/check/index.ts";
import { checkOnBench } from "../controller/experiment/check-on-bench.ts";
import { parseExperiment } from "../controller/experiment/experiment.ts";
import { readyBench } from "../controller/experiment/ready.ts";
import { targetWords } from "../controller/experiment/target.ts";
import { rules } from "../device/raft/index.ts";
import { parseBench } from "../hardware/bench.ts";
import {
  type Block,
  blocksOf,
  commandsInText,
  commandsOf,
  demoPicture,
  fieldsPrintedBy,
  fileNameOf,
  firstCells,
  fromElsewhere,
  generatedPart,
  isLive,
  liveLinesOf,
  makeFolder,
  mutantTable,
  quoted,
  readDocument,
  readDocuments,
  root,
  rowsOf,
  runCommand,
  runNodeTest,
  slowCommands,
  tableCommands,
} from "./documents.ts";

const documents = readDocuments();
const files = readDocument("docs/reference/files.md");
const commands = readDocument("docs/reference/commands.md");
const invariants = readDocument("docs/reference/invariants.md");

/** Where a reader follows all documents, one after the other. */
const folder = makeFolder();
// What this user has cut elsewhere is no part of the documents.
vi.stubEnv("XDG_STATE_HOME", join(folder, "state"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What commands printed, when they were tried last. */
const printed = new Map<string, string>();

describe("given a reader who does what the documents say, one after the other", () => {
  const tried = new Set<string>();
  for (const document of documents) {
    for (const block of blocksOf(document)) {
      const fileName = fileNameOf(block);
      if (fileName !== null && !isLive(block)) {
        test(`${document.path}: ${fileName} is what it says it is`, () => {
          writeFileSync(join(folder, fileName), block.text);
          checkExample(block, fileName);
        });
      }
      for (const line of liveLinesOf(block)) tried.add(line);
      for (const command of commandsOf(block)) {
        const isNew = !tried.has(command) || /latest|\.jsonl/.test(command);
        tried.add(command);
        // Those that print JSON are tried below, beside the table of what they print.
        if (isNew && !slowCommands.has(command) && !command.endsWith(" --json")) {
          test(`${document.path}: ${command}`, () => tryCommand(command, block.notes[0]));
        }
      }
    }
  }

  test("every command in running text is one that is tried", () => {
    const untried = documents.flatMap(({ path, text }) =>
      commandsInText({ path, text })
        .filter((command) => !tried.has(command) && !slowCommands.has(command) && !tableCommands.has(command))
        .map((command) => `${path}: ${command}`),
    );
    expect(untried).toEqual([]);
  });
});

describe("what documents show is what there is", () => {
  test("the picture in README.md is what the demo prints (else: npx tsx test/write-documents.ts)", async () => {
    const out = printed.get("npx adrift demo") ?? (await runCommand("npx adrift demo", folder)).out;
    expect(generatedPart(readDocument("README.md"), "demo")).toBe(demoPicture(out));
  });

  test("the guide's slow clock shows a client that was lied to", () => {
    const [command = ""] = Array.from(
      readDocument("docs/guide/README.md").text.matchAll(/^npx .*slow-clock.*$/gm),
      String,
    );
    expect(printed.get(command)).toMatch(/✓ fails: linearizable(.*\n)+ +c\d+ +write .*\n(.*\n)* +c\d+ +read .*├─+┤/);
  });

  test("the list of mutants is that of sim/mutants.ts (else: npx tsx test/write-documents.ts)", () => {
    expect(generatedPart(invariants, "mutants")).toBe(mutantTable());
  });

  test("every invariant that the code names is listed, and no other", () => {
    const [, onBoards = "", inTheWorld = ""] = invariants.text.split(/^## /m);
    expect(firstCells(onBoards, "invariant")).toEqual(namesIn("device/raft", /"([^"\n]+)",\s*\(\) =>/g));
    expect(firstCells(inTheWorld, "invariant")).toEqual(namesIn("sim", /(?:report\(\s*|invariant: )"([^"]+)"/g));
    expect(firstCells(inTheWorld, "demand")).toEqual(namesIn("sim", /demand: "([^"]+)"/g));
  });

  test("every name of code that stands beside a link to a file stands in that file", () => {
    const missing = documents.flatMap(({ path, text }) =>
      Array.from(text.matchAll(/\]\(([^)#]+\.ts)\): ((?:`[^`]+`(?:, )?)+)/g)).flatMap(([, link = "", names = ""]) => {
        const source = readFileSync(join(root, dirname(path), link), "utf8");
        return quoted(names)
          .filter((name) => !source.includes(name))
          .map((name) => `${path}: ${name} is not in ${link}`);
      }),
    );
    expect(missing).toEqual([]);
  });

  test("every rule that divergence and guide name is one of rules.ts, and the guide names them all", () => {
    const named = Array.from(readDocument("docs/divergence.md").text.matchAll(/rule `(\w+)`/g), ([, name]) => name);
    expect(named.filter((name) => !Object.keys(rules).includes(name ?? ""))).toEqual([]);
    const guide = readDocument("docs/guide/README.md").text;
    expect(Object.keys(rules).filter((name) => !guide.includes(`\`${name}\``))).toEqual([]);
  });
});

describe("the reference of files agrees with the schemas", () => {
  const bench = schemaOf("hardware/bench.schema.json");
  const experiment = schemaOf("controller/experiment/experiment.schema.json");
  const [, benchPart = "", experimentPart = ""] = files.text.split(/^## /m);
  const [fieldsPart = ""] = experimentPart.split(/^### /m);

  test("bench.yaml and experiment.yaml have these fields", () => {
    expect(firstCells(benchPart, "field")).toEqual(fieldsOf(bench));
    expect(firstCells(fieldsPart, "field")).toEqual(fieldsOf(experiment));
    expect(firstCells(experimentPart, "`workload`")).toEqual(fieldsOf(experiment.properties?.["workload"]));
    expect(firstCells(experimentPart, "`raft`")).toEqual(fieldsOf(experiment.properties?.["raft"]));
  });

  test("targets are written in these words", () => {
    expect(firstCells(experimentPart, "`target`")).toEqual([...targetWords].sort());
  });

  test("every kind of fault stands there with its own fields, and whether it lasts", () => {
    const kinds = experiment.properties?.["faults"]?.items?.oneOf ?? [];
    const common = ["fault", "at", "every", "until", "times", "for", "target"];
    const written = rowsOf(experimentPart, "`fault`");
    expect(written.map(([kind = ""]) => quoted(kind)[0])).toEqual(kinds.map(kindOf));
    for (const kind of kinds) {
      const [, , hits, own = "", lasts] = written.find(([name = ""]) => quoted(name)[0] === kindOf(kind)) ?? [];
      const names = fieldsOf(kind);
      expect(names.filter((name) => !common.includes(name) && !quoted(own).includes(name))).toEqual([]);
      expect(lasts).toBe(names.includes("for") ? "`for`" : "a moment");
      expect(hits !== "").toBe(names.includes("target"));
    }
  });
});

describe("the reference of commands agrees with the command", () => {
  /** Commands that are alike share a section. */
  const sections = commands.text
    .split(/^## /m)
    .slice(1)
    .map((text) => ({ names: text.slice(0, text.indexOf("\n")).split(", "), text }));

  test("it has a section for each, and README.md a row", async () => {
    const { out } = await runCommand("npx adrift --help", folder);
    const [, list = ""] = out.split("Commands:");
    const names = Array.from(list.matchAll(/^ {2}(\w+) [[<]/gm), ([, name]) => name).filter((name) => name !== "help");
    expect(sections.flatMap((section) => section.names)).toEqual(names);
    expect(firstCells(readDocument("README.md").text, "command")).toEqual(names.sort());
  });

  test.each(sections.flatMap(({ names, text }) => names.map((name) => [name, text] as const)))(
    "%s takes these options",
    async (name, section) => {
      const { out } = await runCommand(`npx adrift ${name} --help`, folder);
      const options = Array.from(out.matchAll(/^ {2}(--[a-z-]+(?: <[\w.]+>)?)/gm), ([, option = ""]) => option);
      expect(optionsOf(name, section)).toEqual(options.sort());
    },
  );

  for (const section of sections) {
    for (const block of blocksOf({ path: commands.path, text: section.text })) {
      const fields = fieldsPrintedBy(block);
      if (fields === null || isLive(block)) continue;
      const [command = ""] = commandsOf(block);
      test(`${command} prints these fields`, async () => {
        writeFileSync(join(folder, "history.jsonl"), exampleHistory(section.text));
        const { out } = await runCommand(command, folder);
        expect(fields).toEqual(Object.keys(JSON.parse(out) as object).sort());
      });
    }
  }
});

/** The options that a section says a command takes. A column `of` says which of the section's commands, or `all`. */
function optionsOf(name: string, section: string): readonly string[] {
  const rows = rowsOf(section, "option").filter(([, of = "", ...meaning]) => {
    return meaning.length === 0 || of === "all" || quoted(of).includes(name);
  });
  return rows.flatMap(([first = ""]) => quoted(first)).sort();
}

function checkExample({ language, text }: Block, fileName: string): void {
  switch (language) {
    case "yaml":
      if (text.includes("boards:")) expect(parseBench(text, fileName).boards.length).toBeGreaterThan(0);
      else checkExperiment(text, fileName);
      return;
    case "jsonl":
      checkHistory(eventsIn(text, fileName));
      return;
    case "ts":
      writeFileSync(join(folder, fileName), fromElsewhere(text));
      runNodeTest(join(folder, fileName));
      return;
    default:
      throw new Error(`Nobody knows how to try ${fileName}, which is ${language}.`);
  }
}

/** It is an experiment, and its names are on the bench that it needs. */
function checkExperiment(text: string, fileName: string): void {
  const experiment = parseExperiment(text, fileName);
  const benchFile = readyBench(experiment.bench ?? "five-boards");
  if (benchFile === null) throw new Error(`${fileName} needs a bench that is not there: ${experiment.bench}.`);
  checkOnBench(experiment, parseBench(benchFile.text, benchFile.name), fileName);
}

function eventsIn(text: string, fileName: string) {
  return text
    .trim()
    .split("\n")
    .map((line, at) => parseEvent(line, `${fileName}, line`, at + 1));
}

function exampleHistory(section: string): string {
  return blocksOf({ path: commands.path, text: section }).find(({ language }) => language === "jsonl")?.text ?? "";
}

/** `invalid`: it ends so. Otherwise it ends well, and says nothing of errors. */
async function tryCommand(command: string, note: string | undefined): Promise<void> {
  const { status, out, err } = await runCommand(command, folder);
  printed.set(command, out);
  expect(err).toBe("");
  expect(out).not.toBe("");
  expect(status).toBe(note === "invalid" ? 1 : 0);
}

// Schemas, sources

/** What a pattern finds in the sources of a folder, tests left out, each once, sorted. */
function namesIn(path: string, pattern: RegExp): readonly string[] {
  const sources = readdirSync(join(root, path)).filter((file) => /^[^.]+\.ts$/.test(file));
  const texts = sources.map((file) => readFileSync(join(root, path, file), "utf8"));
  return [...new Set(texts.flatMap((text) => Array.from(text.matchAll(pattern), ([, name = ""]) => name)))].sort();
}

type Schema = {
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly oneOf?: readonly Schema[];
  readonly const?: string;
};

function schemaOf(path: string): Schema {
  return JSON.parse(readFileSync(join(root, path), "utf8")) as Schema;
}

function fieldsOf(schema: Schema | undefined): readonly string[] {
  return Object.keys(schema?.properties ?? {}).sort();
}

function kindOf(schema: Schema): string | undefined {
  return schema.properties?.["fault"]?.const;
}
