import { execFileSync, spawnSync } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { refuseUnlessPossible } from "../controller/bench/netns/requirements.ts";
import {
  blocksOf,
  commandsOf,
  fileNameOf,
  fromElsewhere,
  makeFolder,
  readDocuments,
  root,
  slowCommands,
} from "./documents.ts";

const folder = makeFolder();
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const longestMs = 20 * 60_000;

const lacksEtcd = spawnSync("etcd", ["--version"]).error !== undefined && process.env["CI"] === undefined;
if (lacksEtcd) console.log("The example that compares with etcd is skipped: etcd is not installed.");

const lacksNamespaces = process.env["CI"] === undefined && !canMakeNamespaces();
if (lacksNamespaces) console.log("The example on network namespaces is skipped: it needs Linux, root and snmpd.");

function canMakeNamespaces(): boolean {
  try {
    refuseUnlessPossible();
    return true;
  } catch {
    return false;
  }
}

/** A command that this machine cannot try. */
function isSkipped(command: string): boolean {
  return (lacksEtcd && command.includes("etcd")) || (lacksNamespaces && command.includes("netns"));
}

describe("given a reader with time", () => {
  const shown = readDocuments().flatMap(blocksOf).flatMap(commandsOf);

  test.each([...slowCommands].filter(([command]) => !isSkipped(command)))(
    "%s ends well (%s)",
    (command) => {
      expect(shown).toContain(command);
      // Nobody waits ten minutes for a test: a few seconds show that it goes on and ends.
      const shorter = command
        .replace("--minutes 10", "--minutes 0.1")
        .replace("--vs etcd", "--vs etcd --only writes --seconds 1 --rounds 1");
      const [, ...args] = shorter.split(" ").slice(1);
      const out = execFileSync(process.execPath, [join(root, "bin/adrift.mjs"), ...args], {
        cwd: folder,
        encoding: "utf8",
        stdio: "pipe",
      });
      expect(out).toMatch(/^CLEAN|: all caught$|^ .* etcd .* ratio$|^VALID /m);
    },
    longestMs,
  );
});

describe("given the examples in TypeScript", () => {
  const examples = readDocuments()
    .flatMap(blocksOf)
    .filter(({ language }) => language === "ts");

  test("then their types hold in a strict project", () => {
    const files = examples.map((example, at) => {
      const file = join(folder, `${at}-${fileNameOf(example)}`);
      writeFileSync(file, fromElsewhere(example.text));
      return file;
    });
    const tsc = join(root, "node_modules/typescript/lib/tsc.js");
    const options = ["--noEmit", "--strict", "--allowImportingTsExtensions", "--skipLibCheck", "--ignoreConfig"];
    const modules = ["--module", "nodenext", "--target", "es2023", "--lib", "es2023"];
    const types = ["--typeRoots", join(root, "node_modules/@types"), "--types", "node"];
    expect(
      execFileSync(process.execPath, [tsc, ...options, ...modules, ...types, ...files], { encoding: "utf8" }),
    ).toBe("");
  });
});
