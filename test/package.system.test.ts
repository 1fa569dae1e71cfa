import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url));
const folder = realpathSync(mkdtempSync(join(tmpdir(), "adrift-package-")));
const installed = join(folder, "node_modules/adrift-raft");

beforeAll(() => {
  run("npm", ["pack", "--pack-destination", folder], root);
  const tarball = readdirSync(folder).find((file) => file.endsWith(".tgz")) ?? "no tarball";
  write("package.json", JSON.stringify({ private: true, type: "module" }));
  run("npm", ["install", "--prefer-offline", "--no-audit", "--no-fund", `./${tarball}`]);
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("given the package, packed and installed in an empty folder", () => {
  test("then the command says what it can do", () => {
    expect(run(join(folder, "node_modules/.bin/adrift"), ["--help"])).toContain("Usage: adrift");
  });

  test("then it brings what the command reads, and neither sources nor tests", () => {
    const files = readdirSync(installed, { recursive: true, encoding: "utf8" });
    expect(files).toEqual(
      expect.arrayContaining(["README.md", "LICENSE", "CHANGELOG.md", "dist/hardware/benches/five-boards.yaml"]),
    );
    expect(files.filter((file) => /^dist\/controller\/experiment\/ready\/.+\.yaml$/.test(file))).not.toEqual([]);
    expect(files.filter((file) => /\.(?:test|suite)\.|(?<!\.d)\.ts$|\.tgz$/.test(file))).toEqual([]);
  });

  const entrances = ["adrift-raft", "adrift-raft/raft", "adrift-raft/check", "adrift-raft/client"];

  test.each(entrances)("then %s can be imported", (entrance) => {
    const names: unknown = JSON.parse(
      run(process.execPath, [
        "--input-type=module",
        "--eval",
        `console.log(JSON.stringify(Object.keys(await import("${entrance}"))));`,
      ]),
    );
    expect(names).not.toEqual([]);
  });

  test("then its types hold in a strict project", () => {
    write("user.ts", 'export * as sim from "adrift-raft";\nexport * as raft from "adrift-raft/raft";\n');
    write("user-check.ts", 'export * as check from "adrift-raft/check";\n');
    write("user-client.ts", 'export * as client from "adrift-raft/client";\n');
    const options = ["--noEmit", "--strict", "--module", "nodenext", "--target", "es2023", "--types", ""];
    const tsc = join(root, "node_modules/typescript/lib/tsc.js");
    expect(run(process.execPath, [tsc, ...options, "user.ts", "user-check.ts", "user-client.ts"])).toBe("");
  });
});

function write(file: string, text: string): void {
  writeFileSync(join(folder, file), text);
}

/** What a program prints on standard output. When it fails, the error holds all that it said. */
function run(command: string, options: readonly string[], cwd = folder): string {
  try {
    return execFileSync(command, options, { cwd, encoding: "utf8", stdio: "pipe" });
  } catch (error) {
    const { stdout = "", stderr = "" } = error as { stdout?: string; stderr?: string };
    throw new Error(`${command} ${options.join(" ")} failed:\n${stdout}${stderr}`, { cause: error });
  }
}
