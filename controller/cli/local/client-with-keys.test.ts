import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { parseBench } from "../../../hardware/bench.ts";
import { clientWithKeys } from "./client-with-keys.ts";

const bench = parseBench("boards: 3", "bench.yaml");

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "adrift-client-"));
  for (const name of ["authority", "controller", "broker", "pi-1", "pi-2", "pi-3"]) addKeys(name);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function addKeys(name: string): void {
  for (const file of [`${name}.pem`, `${name}.key.pem`]) writeFileSync(join(folder, file), "");
}

test("a client that has keys is found, the usual one before others, and without one it is the controller", () => {
  expect(clientWithKeys(folder, bench)).toBe("controller");
  writeFileSync(join(folder, "aaron.pem"), "his key is elsewhere");
  addKeys("anna");
  expect(clientWithKeys(folder, bench)).toBe("anna");
  addKeys("client");
  expect(clientWithKeys(folder, bench)).toBe("client");
});
