import { describe, expect, test } from "vitest";
import { createLog } from "./log.ts";

describe("given the log of a board", () => {
  test("when something is told, then a line of JSON says when, how grave, by which board, in which boot, and what", () => {
    const lines = collect();
    createLog("info", "pi-1", lines).child({ boot: 7 }).warn({ broker: "left" }, "The broker is gone.");
    expect(lines.written).toHaveLength(1);
    expect(JSON.parse(lines.written.join(""))).toEqual({
      level: "warn",
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      board: "pi-1",
      boot: 7,
      broker: "left",
      msg: "The broker is gone.",
    });
  });

  test("when something is told that the level leaves out, then nothing is written", () => {
    const lines = collect();
    createLog("warn", "pi-1", lines).info("All is well.");
    createLog("silent", "pi-1", lines).error("All is lost.");
    expect(lines.written).toEqual([]);
  });

  test("when an error is told, then its message and where it happened are in the line", () => {
    const lines = collect();
    createLog("info", "pi-1", lines).error(new Error("No such folder."));
    const stack = expect.stringContaining("log.test.ts");
    expect(JSON.parse(lines.written.join(""))).toMatchObject({ err: { message: "No such folder.", stack } });
  });
});

function collect() {
  const written: string[] = [];
  return { written, write: (line: string) => void written.push(line) };
}
