import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { boardFile } from "./configuration-schema.ts";
import { createMetrics } from "./metrics.ts";
import { readBoardConfiguration } from "./read-configuration.ts";

const reference = readFileSync(new URL("../../docs/reference/board.md", import.meta.url), "utf8");
const folder = mkdtempSync(join(tmpdir(), "adrift-reference-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("given the reference of the board's process", () => {
  test("then each board.yaml in it is one with which a board can start", () => {
    const examples = Array.from(reference.matchAll(/^```yaml\n(.*?)^```$/gms), ([, text = ""]) => text);
    expect(examples).toHaveLength(2);
    for (const text of examples) {
      const path = join(folder, "board.yaml");
      writeFileSync(path, text);
      expect(readBoardConfiguration(path, {}).board).toBe("pi-1");
    }
  });

  test("then it tells of all fields and no others", () => {
    expect(firstColumn("board.yaml")).toEqual(Object.keys(boardFile.shape));
  });

  test("then it tells of all metrics and no others", async () => {
    const metrics = createMetrics({
      status: () => ({
        member: "pi-1",
        role: "follower",
        term: 1,
        leader: null,
        commitIndex: 0,
        appliedIndex: 0,
        lastIndex: 0,
        voters: [],
        learners: [],
        version: "0.1.0",
        carrier: null,
      }),
      brokers: () => [],
      drops: () => new Map(),
      pendingRequests: () => 0,
      lostRecords: () => 0,
    });
    const names = Array.from((await metrics.text()).matchAll(/^# TYPE (\S+)/gm), ([, name]) => name);
    metrics.close();
    expect(firstColumn("Metrics").toSorted()).toEqual(names.toSorted());
  });
});

/** The names in the first column of the tables of a chapter. */
function firstColumn(chapter: string): readonly string[] {
  const [, text = ""] = new RegExp(`^## ${chapter}\n(.*?)(?=^## |$(?![^]))`, "ms").exec(reference) ?? [];
  const cells = Array.from(text.matchAll(/^\| (`[^|]+`) \|/gm), ([, cell = ""]) => cell);
  return cells.flatMap((cell) => Array.from(cell.matchAll(/`([^`]+)`/g), ([, name = ""]) => name));
}
