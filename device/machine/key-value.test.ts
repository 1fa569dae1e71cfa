import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Json } from "../json.ts";
import { createKeyValue } from "./key-value.ts";
import type { KeyValueLimits } from "./key-value-command.ts";
import type { Machine, MachineResult } from "./machine.ts";

/** A machine whose entries have the indexes 1, 2, ... */
function numbered(limits?: Partial<KeyValueLimits>) {
  const machine = createKeyValue(limits);
  let index = 0;
  return {
    machine,
    do: (command: Json): MachineResult => machine.apply(command, { index: ++index, timeMs: 0 }),
    read: (key: string) => answer(machine.query({ op: "read", key })),
    get: (key: string) => answer(machine.query({ op: "get", key })),
  };
}

function answer(result: MachineResult): Json {
  return result.ok ? result.value : `refused: ${result.error}`;
}

const ok = (value: Json): MachineResult => ({ ok: true, value });
const refusal = (error: RegExp) => ({ ok: false, error: expect.stringMatching(error) });

describe("what each command does", () => {
  it("given a value that was written, when it is read, then it is there, and null where nothing was written", () => {
    const kv = numbered();
    expect(kv.do({ op: "write", key: "x", value: { a: [1] } })).toEqual(ok(null));
    expect(kv.read("x")).toEqual({ a: [1] });
    expect(kv.read("y")).toBeNull();
  });

  it("given an object, when cas expects it with its keys in another order, then it swaps", () => {
    const kv = numbered();
    kv.do({ op: "write", key: "x", value: { a: 1, b: [2, { c: null }] } });
    expect(kv.do({ op: "cas", key: "x", value: [{ b: [2, { c: 0 }], a: 1 }, 5] })).toEqual(ok(false));
    expect(kv.do({ op: "cas", key: "x", value: [{ b: [2, { c: null }], a: 1 }, 5] })).toEqual(ok(true));
    expect(kv.read("x")).toBe(5);
  });

  it("given an absent key, when cas expects null, then it creates the key; and swapping to null removes it", () => {
    const kv = numbered();
    expect(kv.do({ op: "cas", key: "x", value: [null, 1] })).toEqual(ok(true));
    expect(kv.do({ op: "cas", key: "x", value: [1, null] })).toEqual(ok(true));
    expect(kv.do({ op: "delete", key: "x" })).toEqual(ok(false));
  });

  it("given an absent key, when something is appended or added, then it counts as an empty text or zero", () => {
    const kv = numbered();
    expect(kv.do({ op: "append", key: "s", value: "ab" })).toEqual(ok(null));
    expect(kv.do({ op: "append", key: "s", value: "c" })).toEqual(ok(null));
    expect(kv.read("s")).toBe("abc");
    expect(kv.do({ op: "add", key: "n", value: 2.5 })).toEqual(ok(2.5));
    expect(kv.do({ op: "add", key: "n", value: -3 })).toEqual(ok(-0.5));
  });

  it("given a key, when it is deleted twice, then the first answers true and the second false", () => {
    const kv = numbered();
    kv.do({ op: "write", key: "x", value: 1 });
    expect(kv.do({ op: "delete", key: "x" })).toEqual(ok(true));
    expect(kv.do({ op: "delete", key: "x" })).toEqual(ok(false));
    expect(kv.read("x")).toBeNull();
  });

  it("given changes of a key, when its version is asked, then it grew each time, also over a removal", () => {
    const kv = numbered();
    expect(kv.get("x")).toEqual({ value: null, version: 0 });
    kv.do({ op: "write", key: "x", value: "a" });
    expect(kv.get("x")).toEqual({ value: "a", version: 1 });
    kv.do({ op: "cas", key: "x", value: ["b", "c"] });
    expect(kv.get("x")).toEqual({ value: "a", version: 1 });
    kv.do({ op: "delete", key: "x" });
    kv.do({ op: "append", key: "x", value: "a" });
    expect(kv.get("x")).toEqual({ value: "a", version: 4 });
  });

  it("given keys and fields named like parts of JavaScript's objects, when used, then they are names like others", () => {
    const kv = numbered();
    expect(kv.read("__proto__")).toBeNull();
    kv.do({ op: "add", key: "__proto__", value: 1 });
    kv.do({ op: "add", key: "constructor", value: 2 });
    expect([kv.read("__proto__"), kv.read("constructor"), kv.read("toString")]).toEqual([1, 2, null]);
    kv.do({ op: "write", key: "x", value: JSON.parse('{"__proto__":{}}') });
    expect(kv.do({ op: "cas", key: "x", value: [{ other: {} }, 1] })).toEqual(ok(false));
    expect(kv.do({ op: "cas", key: "x", value: [JSON.parse('{"__proto__":{}}'), 1] })).toEqual(ok(true));
  });
});

describe("what is refused, and changes nothing", () => {
  it.each<[string, Json, RegExp]>([
    ["no object", "delete x", /an object with an op and a key/],
    ["a list", [], /an object with an op and a key/],
    ["no key", { op: "delete" }, /The key is not a string/],
    ["an unknown op", { op: "increment", key: "x" }, /write, cas, append, add or delete/],
    ["a write of nothing", { op: "write", key: "x" }, /needs a value/],
    ["a cas of one value", { op: "cas", key: "x", value: [1] }, /\[expected, next\]/],
    ["an append of a number", { op: "append", key: "x", value: 1 }, /needs a string/],
    ["an add of a string", { op: "add", key: "x", value: "1" }, /needs a number/],
    ["an add beyond what is exact", { op: "add", key: "x", value: 1e300 }, /2\^53/],
    ["a key that is too long", { op: "delete", key: "k".repeat(300) }, /key has more than 256 bytes/],
    ["a key that is too long once escaped", { op: "delete", key: "é".repeat(50) }, /key has more than 256 bytes/],
    ["a value that is too large", { op: "write", key: "x", value: ["v".repeat(70_000)] }, /65536 bytes/],
    ["a value that is too deep", { op: "write", key: "x", value: nested(40) }, /more than 32 lists/],
  ])("%s", (_name, command, error) => {
    const kv = numbered();
    const before = JSON.stringify(kv.machine.snapshot());
    expect(kv.machine.check(command)).toMatch(error);
    expect(kv.do(command)).toEqual(refusal(error));
    expect(JSON.stringify(kv.machine.snapshot())).toBe(before);
  });

  it("given a string and a number, when each is changed as if it were the other, then it stays as it is", () => {
    const kv = numbered();
    kv.do({ op: "write", key: "s", value: "a" });
    kv.do({ op: "write", key: "n", value: Number.MAX_SAFE_INTEGER });
    expect(kv.do({ op: "add", key: "s", value: 1 })).toEqual(refusal(/"s" holds no number/));
    expect(kv.do({ op: "append", key: "n", value: "b" })).toEqual(refusal(/"n" holds no string/));
    expect(kv.do({ op: "add", key: "n", value: 1 })).toEqual(refusal(/2\^53/));
    expect([kv.read("s"), kv.read("n")]).toEqual(["a", Number.MAX_SAFE_INTEGER]);
  });

  it("given room for two keys and ten bytes, when more is put, then it is refused, but what is there can change", () => {
    const kv = numbered({ keysMax: 2, valueSizeBytesMax: 10 });
    kv.do({ op: "write", key: "a", value: "12345678" });
    kv.do({ op: "write", key: "b", value: 1 });
    expect(kv.do({ op: "write", key: "c", value: 1 })).toEqual(refusal(/one too many: 2 keys/));
    expect(kv.do({ op: "append", key: "a", value: "9" })).toEqual(refusal(/more than 10 bytes/));
    expect(kv.do({ op: "write", key: "b", value: 2 })).toEqual(ok(null));
    kv.do({ op: "delete", key: "a" });
    expect(kv.do({ op: "write", key: "c", value: 1 })).toEqual(ok(null));
  });

  it("given a query of an unknown kind, when asked, then it is refused", () => {
    const { machine } = numbered();
    expect(machine.query({ op: "list", key: "x" })).toEqual(refusal(/read or get/));
    expect(machine.query(null)).toEqual(refusal(/an object/));
  });
});

describe("snapshots", () => {
  it.each<[string, Json]>([
    ["no list", {}],
    ["a key without a value", [{ key: "x", version: 1 }]],
    [
      "a key twice",
      [
        { key: "x", version: 1, value: 1 },
        { key: "x", version: 2, value: 2 },
      ],
    ],
  ])("given %s in the place of a snapshot, when it is restored, then it throws and the state stays", (_name, state) => {
    const kv = numbered();
    kv.do({ op: "write", key: "x", value: 1 });
    expect(() => kv.machine.restore(state)).toThrow(/not a state of kv/);
    expect(kv.read("x")).toBe(1);
  });

  it("given any commands, when a machine is restored half-way, then both go on with the same answers and bytes", () => {
    fc.assert(
      fc.property(fc.array(anyCommand, { maxLength: 30 }), fc.nat(30), (commands, half) => {
        const original = createKeyValue(small);
        let restored = createKeyValue(small);
        commands.forEach((command, position) => {
          if (position === half) restored = restoredFrom(original);
          const context = { index: position + 1, timeMs: 0 };
          expect(restored.apply(command, context)).toEqual(original.apply(command, context));
        });
        expect(JSON.stringify(restored.snapshot())).toBe(JSON.stringify(original.snapshot()));
      }),
      { numRuns: 300 },
    );
  });

  it("given any commands, when applied, then answers and values are those of a plain model", () => {
    fc.assert(
      fc.property(fc.array(anyCommand, { maxLength: 30 }), (commands) => {
        const kv = numbered();
        const model = new Map<string, Json>();
        for (const command of commands) expect(answer(kv.do(command))).toEqual(inModel(model, command));
        for (const key of keys) expect(kv.read(key)).toEqual(model.get(key) ?? null);
      }),
      { numRuns: 300 },
    );
  });
});

const small = { keysMax: 3, valueSizeBytesMax: 12 };
const keys = ["a", "b", "c", "d", "__proto__"];
const key = fc.constantFrom(...keys);
const value = fc.constantFrom<Json>(null, 0, 1, 2, "", "s", [1], { a: 1, b: 2 }, { b: 2, a: 1 });
type AnyCommand = { op: string; key: string; value?: Json };
const anyCommand: fc.Arbitrary<AnyCommand> = fc.oneof(
  fc.record({ op: fc.constant("write"), key, value }),
  fc.record({ op: fc.constant("cas"), key, value: fc.tuple(value, value) }),
  fc.record({ op: fc.constant("append"), key, value: fc.constantFrom("a", "bc", "é") }),
  fc.record({ op: fc.constant("add"), key, value: fc.integer({ min: -2, max: 2 }) }),
  fc.record({ op: fc.constant("delete"), key }),
);

/** What `kv` should answer, said another way; changes the model. */
function inModel(model: Map<string, Json>, { op, key, value }: AnyCommand): Json {
  const present = model.get(key) ?? null;
  const put = (next: Json) => (next === null ? model.delete(key) : model.set(key, next));
  const sorted = (json: Json) =>
    JSON.stringify(json, json && typeof json === "object" ? Object.keys(json).sort() : null);
  if (op === "write") put(value ?? null);
  if (op === "delete") return model.delete(key);
  if (op === "cas" && Array.isArray(value)) {
    const same = Array.isArray(present) === Array.isArray(value[0]) && sorted(present) === sorted(value[0]);
    if (same) put(value[1]);
    return same;
  }
  if (op === "append" && typeof value === "string") {
    if (present !== null && typeof present !== "string") return expect.stringMatching(/holds no string/);
    put((present ?? "") + value);
  }
  if (op === "add" && typeof value === "number") {
    if (present !== null && typeof present !== "number") return expect.stringMatching(/holds no number/);
    put((present ?? 0) + value);
    return (present ?? 0) + value;
  }
  return null;
}

function restoredFrom(original: Machine): Machine {
  const restored = createKeyValue(small);
  restored.restore(JSON.parse(JSON.stringify(original.snapshot())));
  return restored;
}

function nested(depth: number): Json {
  return depth === 0 ? 1 : [nested(depth - 1)];
}
