import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, test } from "vitest";

/**
 * What each room may import beside itself and the leaves of device. The linter must hold every room to its line; a test in
 * device may import all of device, and a test that needs a bench lives in sim.
 */
const layers: Record<string, readonly string[]> = {
  "device/raft": [],
  "device/machine": [],
  "device/transport": ["device/raft/types.ts"],
  "device/storage": ["device/raft/types.ts"],
  "device/client": ["device/transport"],
  "device/replica": ["device/raft", "device/storage", "device/machine", "device/transport"],
  "device/mqtt": ["device/transport", "device/client"],
  "device/board": ["device"],
  hardware: [],
  sim: [
    "hardware",
    "device/raft",
    "device/machine",
    "device/transport",
    "device/storage",
    "device/client",
    "device/replica",
  ],
  controller: ["sim", "hardware", "device"],
};

const leaves = ["device/json.ts", "device/random.ts", "device/crc32c.ts"];

/** hardware describes what is on the table and needs nothing of what runs there, not even device's leaves. */
const roomsWithoutLeaves = ["hardware"];

const targets = [
  ...leaves,
  "device/raft/types.ts",
  "device/raft/log.ts",
  "device/machine/machine.ts",
  "device/transport/protocol.ts",
  "device/storage/disk.ts",
  "device/client/client.ts",
  "device/replica/replica.ts",
  "device/mqtt/connection.ts",
  "device/board/board.ts",
  "hardware/bench.ts",
  "sim/world.ts",
  "controller/cli/main.ts",
];

const pureFiles = [
  "device/leaf.ts",
  "device/raft/pure.ts",
  "device/machine/pure.ts",
  "device/transport/pure.ts",
  "device/storage/pure.ts",
  "device/client/pure.ts",
  "device/replica/pure.ts",
  "hardware/pure.ts",
  "sim/pure.ts",
  "sim/deeper/pure.ts",
];

const impure: Record<string, string> = {
  "the time of day": "export const now = Date.now();",
  "a stopwatch": "export const now = performance.now();",
  "a timer": "setTimeout(() => {}, 5);",
  "a microtask": "queueMicrotask(() => {});",
  "chance by the engine": "export const dice = Math.random();",
  "chance by another way to write it": 'export const dice = Math["random"]();',
  "chance taken out of Math": "export const { random } = Math;",
  "chance by the operating system": "export const bytes = crypto.getRandomValues(new Uint8Array(4));",
  "a logarithm": "export const bits = Math.log2(8);",
  "a power by name": "export const kibi = Math.pow(2, 10);",
  "a power by operator": "export const kibi = 2 ** 10;",
  "a power by assignment": "export function square(side: number): number {\n  side **= 2;\n  return side;\n}",
  "an order by language": 'export const order = "a".localeCompare("b");',
  "a format by language": "export const text = (1).toLocaleString();",
  "a function that is async": "export async function later(): Promise<void> {}",
  "an arrow that is async": "export const later = async () => 1;",
  "a method that is async": "export class Later {\n  async wait() {}\n}",
  "a wait": "export const value = await later();\ndeclare function later(): number;",
  "a promise": "export const later = new Promise<void>(() => {});",
  "an import at run time": 'export const later = import("./other.ts");',
  "a module of Node": 'import { readFileSync } from "node:fs";\nexport const read = readFileSync;',
  "a module of Node by its old name": 'import { readFileSync } from "fs";\nexport const read = readFileSync;',
  "a type of Node": 'import type { Socket } from "node:net";\nexport type Link = Socket;',
  "a package": 'import { connect } from "mqtt";\nexport const link = connect;',
  "Node's bytes": "export const bytes = Buffer.alloc(4);",
  "Node's process": "export const name = process.argv[1];",
  "the console": 'console.log("hello");',
  "the web": 'export const page = fetch("http://localhost/");',
  "an encoder": "export const encoder = new TextEncoder();",
  "the global object": "export const now = globalThis.Date;",
};

const pure: Record<string, string> = {
  "exact functions of Math": "export const largest = Math.max(Math.floor(1.5), Math.imul(2, 3), Math.sqrt(4));",
  "a local name that Node has too": "export function at(process: string): string {\n  return process;\n}",
  "words in text": 'export const text = "async Date ** Math.random()";',
  "bytes of JavaScript": "export const bytes = new Uint8Array(4);",
};

const root = fileURLToPath(new URL("..", import.meta.url));
const snippets = new Map<string, string>();
let complaints: Complaint[] = [];

type Complaint = { file: string; line: number; rule: string };

beforeAll(() => {
  for (const room of Object.keys(layers)) {
    for (const file of importers(room)) snippets.set(file, targets.map((target) => importsOf(file, target)).join(""));
  }
  for (const file of pureFiles) snippets.set(file, "export const now = Date.now();\n");
  for (const [name, code] of Object.entries({ ...impure, ...pure })) {
    snippets.set(snippetFile(name), `${code}\n`);
    snippets.set(snippetFile(name).replace(".ts", ".test.ts"), `${code}\n`);
  }
  snippets.set("hardware/read.ts", 'import { parse } from "yaml";\nimport { z } from "zod";\nexport { parse, z };\n');
  snippets.set("sim/read.ts", 'import { parse } from "yaml";\nimport { z } from "zod";\nexport { parse, z };\n');
  snippets.set("sim/hen.ts", 'import { egg } from "./egg.ts";\nexport const hen = () => egg;\n');
  snippets.set("sim/egg.ts", 'import { hen } from "./hen.ts";\nexport const egg = () => hen;\n');
  complaints = lint(snippets);
});

describe("the linter and the layers", () => {
  test.each(Object.keys(layers))(
    "given a file in %s, when it imports a room, then only its layer allows it",
    (room) => {
      for (const file of importers(room)) {
        const refusedByPlan = targets.filter((target) => !mayImport(room, file, target));
        const refused = complaintsAbout(file, "lint/style/noRestrictedImports").map((complaint) =>
          targetAt(complaint.line),
        );
        expect(refused, file).toEqual(refusedByPlan.flatMap((target) => [target, target]));
      }
    },
  );

  test("given the folders of this project, then the linter knows each as a room", () => {
    const folders = foldersOf(".").filter((folder) => ["device", "hardware", "sim", "controller"].includes(folder));
    const rooms = [
      ...folders.filter((folder) => folder !== "device"),
      ...foldersOf("device").map((f) => `device/${f}`),
    ];
    expect(Object.keys(layers)).toEqual(expect.arrayContaining(rooms));
  });

  test("given two files that import each other, then the linter refuses both", () => {
    for (const file of ["sim/hen.ts", "sim/egg.ts"]) {
      expect(complaintsAbout(file, "lint/suspicious/noImportCycles"), file).toHaveLength(1);
    }
  });
});

describe("the linter and the pure rooms", () => {
  test.each(pureFiles)("given %s, when it asks for the time of day, then the linter refuses it", (file) => {
    expect(complaintsAbout(file, "lint/style/noRestrictedGlobals")).toHaveLength(1);
  });

  test.each(Object.keys(impure))("given a pure room, when it uses %s, then the linter refuses it", (name) => {
    expect(purityComplaintsAbout(snippetFile(name)), impure[name]).not.toEqual([]);
  });

  test.each(Object.keys(pure))("given a pure room, when it uses %s, then the linter has nothing against it", (name) => {
    expect(purityComplaintsAbout(snippetFile(name)), pure[name]).toEqual([]);
  });

  test("given a test in a pure room, then it may use what the room may not", () => {
    for (const name of Object.keys(impure)) {
      expect(purityComplaintsAbout(snippetFile(name).replace(".ts", ".test.ts")), impure[name]).toEqual([]);
    }
  });

  test("given zod and yaml, then hardware may import them and sim may not", () => {
    expect(purityComplaintsAbout("hardware/read.ts")).toEqual([]);
    expect(purityComplaintsAbout("sim/read.ts")).toHaveLength(2);
  });
});

/** Files in a room, one of each sort. */
function importers(room: string): string[] {
  return [`${room}/importer.ts`, `${room}/deeper/importer.ts`, `${room}/importer.test.ts`, `${room}/importer.suite.ts`];
}

function importsOf(file: string, target: string): string {
  const path = relative(dirname(file), target);
  const specifier = path.startsWith(".") ? path : `./${path}`;
  return `import "${specifier}";\nimport type {} from "${specifier}";\n`;
}

function targetAt(line: number): string | undefined {
  return targets[Math.floor((line - 1) / 2)];
}

function mayImport(room: string, file: string, target: string): boolean {
  if (leaves.includes(target)) return !roomsWithoutLeaves.includes(room);
  const isTestOfDevice = room.startsWith("device/") && /\.(?:test|suite)\.ts$/.test(file);
  const allowed = isTestOfDevice ? ["device"] : [room, ...(layers[room] ?? [])];
  return allowed.some((part) => target === part || target.startsWith(`${part}/`));
}

function snippetFile(name: string): string {
  return `sim/${name.replaceAll(/\W+/g, "-")}.ts`;
}

function foldersOf(path: string): string[] {
  const entries = readdirSync(join(root, path), { withFileTypes: true });
  return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
}

function complaintsAbout(file: string, rule: string): Complaint[] {
  return complaints.filter((complaint) => complaint.file === file && complaint.rule === rule);
}

function purityComplaintsAbout(file: string): Complaint[] {
  return [...complaintsAbout(file, "lint/style/noRestrictedGlobals"), ...complaintsAbout(file, "plugin")];
}

/** Lints files as if they stood in this project, in a folder of their own, so that the project itself stays as it is. */
function lint(files: ReadonlyMap<string, string>): Complaint[] {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "adrift-layers-")));
  try {
    for (const part of ["biome.json", "lint", "package.json"]) {
      cpSync(join(root, part), join(folder, part), { recursive: true });
    }
    for (const [file, code] of files) {
      mkdirSync(join(folder, dirname(file)), { recursive: true });
      writeFileSync(join(folder, file), code);
    }
    return lintFolder(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function lintFolder(folder: string): Complaint[] {
  const biome = join(root, "node_modules/@biomejs/biome/bin/biome");
  const options = ["lint", "--vcs-enabled=false", "--reporter=github", "--max-diagnostics=none"];
  const { stdout } = spawnSync(process.execPath, [biome, ...options], { cwd: folder, encoding: "utf8" });
  const found = stdout.matchAll(/^::\w+ title=(?<rule>[^,]+),file=(?<file>[^,]+),line=(?<line>\d+)/gm);
  return Array.from(found, ({ groups }) => ({
    rule: groups?.["rule"] ?? "",
    file: relative(folder, groups?.["file"] ?? ""),
    line: Number(groups?.["line"]),
  })).sort((a, b) => a.line - b.line);
}
