import { describe, expect, it } from "vitest";
import { readHistory } from "./file.ts";
import { HistoryError } from "./history.ts";
import type { History } from "./operations.ts";

/** The history in a text, cut into pieces of a few bytes as a file might be. */
function read(text: string, pieceBytes = 7): Promise<History> {
  const bytes = new TextEncoder().encode(text);
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += pieceBytes) pieces.push(bytes.subarray(at, at + pieceBytes));
  return readHistory(pieces, "history.jsonl");
}

const line = (fields: object): string => JSON.stringify({ process: "c1", key: "x", atUs: 0, ...fields });
const invoke = line({ type: "invoke", op: "write", value: 1 });
const ok = line({ type: "ok", op: "write", value: 1 });

describe("what is accepted", () => {
  it("given the example of the format, when it is read, then invocation and completion are one operation", async () => {
    const { operations } = await read(
      '{"process":"c1","type":"invoke","op":"cas","key":"x","value":[1,2],"atUs":1500}\n' +
        '{"process":"c1","type":"ok","op":"cas","key":"x","value":[1,2],"result":true,"atUs":2100}\n',
    );
    expect(operations).toEqual([
      {
        process: "c1",
        op: "cas",
        key: "x",
        value: [1, 2],
        result: true,
        outcome: "ok",
        invokedAtUs: 1500,
        completedAtUs: 2100,
        invokeLine: 1,
        completeLine: 2,
      },
    ]);
  });

  it("given a byte order mark, carriage returns, empty lines and unknown fields, when read, then they do no harm", async () => {
    const more = line({ type: "ok", op: "write", value: 1, node: "b3" });
    const { operations } = await read(`\uFEFF${invoke}\r\n\r\n${more}\r\n\r\n`);
    expect(operations).toMatchObject([{ outcome: "ok", invokeLine: 1, completeLine: 3 }]);
  });

  it("given no line at all, when read, then it is a history in which nothing happened", async () => {
    expect(await read("")).toMatchObject({ operations: [], events: 0 });
  });

  it("given characters of several bytes cut between pieces, when read, then they are whole", async () => {
    const { operations } = await read(line({ type: "invoke", op: "write", key: "schlüssel", value: "日本" }), 1);
    expect(operations).toMatchObject([{ key: "schlüssel", value: "日本" }]);
  });

  it("given an operation without an end, when read, then nobody knows how it ended", async () => {
    expect(await read(invoke)).toMatchObject({ operations: [{ outcome: "info", completeLine: null }] });
  });

  it("given a completion that does not repeat the value, when read, then it is the one of the invocation", async () => {
    const { operations } = await read(`${invoke}\n${line({ type: "ok", op: "write" })}`);
    expect(operations).toMatchObject([{ value: 1, outcome: "ok" }]);
  });

  it("given processes and keys that are numbers, when read, then they stand for their digits", async () => {
    const { operations } = await read(line({ process: 3, type: "invoke", op: "read", key: 7 }));
    expect(operations).toMatchObject([{ process: "3", key: "7" }]);
  });
});

describe("what is refused, with the line, what stands there and what may stand there", () => {
  const read1 = line({ type: "invoke", op: "read" });
  it.each<[string, string[], number, RegExp]>([
    ["no JSON", ['{"process":'], 1, /\{"process": is not JSON.*interrupted/],
    ["no object", ["[1]"], 1, /\[1\] is not a JSON object; an event looks like/],
    ["an unknown type", [line({ type: "done", op: "read" })], 1, /"type" is "done"; it must be "invoke" or "ok"/],
    ["no type", [line({ op: "read" })], 1, /"type" is missing/],
    ["an unknown operation", [line({ type: "invoke", op: "put" })], 1, /"op" is "put"; it must be "read" or/],
    ["no process", [line({ process: undefined, type: "invoke", op: "read" })], 1, /"process" is missing/],
    ["a key that is no name", [line({ key: null, type: "invoke", op: "read" })], 1, /"key" is null/],
    ["a time with a fraction", [line({ type: "invoke", op: "read", atUs: 1.5 })], 1, /"atUs" is 1.5; .* whole number/],
    [
      "time that goes back",
      [line({ type: "invoke", op: "read", atUs: 9 }), line({ type: "ok", op: "read", result: 1, atUs: 8 })],
      2,
      /"atUs" is 8, before the 9/,
    ],
    ["a second operation at a time", [invoke, read1], 2, /invokes while its write of line 1 is open/],
    ["an end without a beginning", [ok], 1, /no operation open that could end with "ok"/],
    [
      "an end of another operation",
      [read1, ok],
      2,
      /this ends write "x" 1, but process "c1" has read "x" open since line 1/,
    ],
    ["an end with another value", [invoke, line({ type: "ok", op: "write", value: 2 })], 2, /must be the same/],
    ["an end with another key", [invoke, line({ type: "ok", op: "write", key: "y", value: 1 })], 2, /ends write "y" 1/],
    [
      "going on after info",
      [invoke, line({ type: "info", op: "write" }), read1],
      3,
      /invokes again after its "info" in line 2/,
    ],
    ["a read that saw nothing it could name", [read1, line({ type: "ok", op: "read" })], 2, /"result" is missing/],
    ["a read that is given something", [line({ type: "invoke", op: "read", value: 3 })], 1, /a read is given nothing/],
    ["a write of nothing", [line({ type: "invoke", op: "write" })], 1, /"value" is missing/],
    ["a cas of one value", [line({ type: "invoke", op: "cas", value: [1] })], 1, /must be given \[expected, new\]/],
    ["an add of a text", [line({ type: "invoke", op: "add", value: "1" })], 1, /must be given a number/],
    ["an append of a number", [line({ type: "invoke", op: "append", value: 1 })], 1, /must be given a text/],
    [
      "a cas without an answer",
      [line({ type: "invoke", op: "cas", value: [1, 2] }), line({ type: "ok", op: "cas" })],
      2,
      /true or false/,
    ],
    [
      "a number next to which others read the same",
      [line({ type: "invoke", op: "write", value: 9007199254740991 }), ok.replace("1}", "9007199254740993}")],
      2,
      /"value" holds a number beyond 9007199254740991 .*write such numbers as strings/,
    ],
    ["a number without end", [invoke.replace('"value":1', '"value":[{"a":1e999}]')], 1, /reads as Infinity/],
    [
      "lists too deep in one another",
      [invoke, invoke.replace('"value":1', `"value":${"[".repeat(20_000)}${"]".repeat(20_000)}`)],
      2,
      /more than 256 deep/,
    ],
  ])("%s", async (_name, lines, at, message) => {
    const refusal = await read(lines.join("\n")).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(HistoryError);
    expect(refusal).toMatchObject({ line: at, message: expect.stringMatching(message) });
    expect(refusal).toMatchObject({ message: expect.stringContaining(`history.jsonl, line ${at}: `) });
  });

  it("given bytes that are not UTF-8, when read, then it says in which line", async () => {
    const bytes = new TextEncoder().encode(`${invoke}\n${ok}\n\n${invoke}`);
    bytes[bytes.length - 5] = 0xff;
    await expect(readHistory([bytes], "history.jsonl")).rejects.toThrow(/^history.jsonl, line 4: it is not UTF-8/);
  });

  it("given a line that does not end, when read, then it is refused before it is all in memory", async () => {
    const piece = new Uint8Array(1 << 20).fill(0x20);
    let pieces = 0;
    function* endless(): Generator<Uint8Array> {
      yield new TextEncoder().encode(`${invoke}\n`);
      for (;;) {
        pieces += 1;
        yield piece;
      }
    }
    await expect(readHistory(endless(), "history.jsonl")).rejects.toThrow(/line 2: it is longer than 16 MiB/);
    expect(pieces).toBe(17);
  });

  it("given escapes for a terminal, when refused, then the message shows them and holds none", async () => {
    for (const text of ["\u001b[2J{", line({ process: "\u001b[2J\u202e", type: "ok", op: "write" })]) {
      const refusal: unknown = await read(text).catch((error: unknown) => error);
      expect(refusal).toMatchObject({ message: expect.stringContaining("\\u001b[2J") });
      expect(refusal).not.toMatchObject({ message: expect.stringMatching(/\p{Cc}|\p{Bidi_Control}/u) });
    }
  });

  it("given large numbers in fields that it does not know, when read, then they do no harm", async () => {
    const { events } = await read(line({ type: "invoke", op: "write", value: 1, takenAtNs: 1e20 }));
    expect(events).toBe(1);
  });
});
