import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CardFailure } from "./card-failure.ts";
import { Fat } from "./fat.ts";
import { formatFat } from "./stock-card.fixture.ts";

const when = new Date("2026-03-01T10:00:00Z");

describe.each([
  { bits: 16 as const, clusterCount: 5_000 },
  { bits: 32 as const, clusterCount: 66_000 },
])("a FAT$bits partition", ({ bits, clusterCount }) => {
  it("holds what a model of files holds, whatever is written, written over and removed, also when it is read anew", () => {
    const path = fc.constantFrom(
      "a.txt",
      "A.TXT",
      "user-data",
      "adrift/board.mjs",
      "adrift/keys/pi-1.key.pem",
      "adrift/x",
    );
    const step = fc.oneof(
      fc.record({ verb: fc.constant("write" as const), path, size: fc.nat(3_000), byte: fc.nat(255) }),
      fc.record({ verb: fc.constant("remove" as const), path: fc.oneof(path, fc.constant("adrift")) }),
      fc.record({ verb: fc.constant("save" as const) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 20 }), (steps) => {
        const { bytes } = formatFat(bits, clusterCount);
        let fat = new Fat(bytes, "card", when);
        const model = new Map<string, Uint8Array>();
        for (const each of steps) {
          if (each.verb === "write") {
            const content = new Uint8Array(each.size).fill(each.byte);
            fat.write(each.path, content);
            model.set(each.path.toLowerCase(), content);
          } else if (each.verb === "remove") {
            fat.remove(each.path);
            const gone = each.path.toLowerCase();
            for (const name of model.keys()) if (name === gone || name.startsWith(`${gone}/`)) model.delete(name);
          } else {
            fat.save();
            fat = new Fat(bytes, "card", when);
          }
        }
        fat.save();
        const again = new Fat(bytes, "card", when);
        for (const name of ["a.txt", "user-data", "adrift/board.mjs", "adrift/keys/pi-1.key.pem", "adrift/x"]) {
          const found = again.read(name);
          expect(found === null ? null : [...found]).toEqual(model.has(name) ? [...(model.get(name) ?? [])] : null);
        }
      }),
      { numRuns: bits === 16 ? 40 : 6 },
    );
  });

  it("gives the room of removed files to others, and is full when it is full", () => {
    const { bytes } = formatFat(bits, clusterCount);
    const most = new Uint8Array((clusterCount - 100) * 512);
    for (let round = 0; round < 3; round += 1) {
      const fat = new Fat(bytes, "card", when);
      fat.remove("large");
      fat.save();
      fat.write("large", most);
      fat.save();
    }
    const fat = new Fat(bytes, "card", when);
    expect(() => fat.write("more", new Uint8Array(200 * 512))).toThrow(CardFailure);
  });

  it("gives up nothing that was there before it is saved", () => {
    const { bytes } = formatFat(bits, clusterCount);
    const before = new Fat(bytes, "card", when);
    before.write("user-data", Buffer.from("old".repeat(1_000)));
    before.save();
    const changing = new Fat(bytes, "card", when);
    changing.remove("user-data");
    changing.write("another", new Uint8Array(9_000).fill(7));
    changing.write("user-data", Buffer.from("new"));
    changing.save();
    expect(new Fat(bytes, "card", when).list("")).toEqual(["another", "user-data"].sort());
  });

  it("keeps many long names in a folder that grows", () => {
    const { bytes } = formatFat(bits, clusterCount);
    const fat = new Fat(bytes, "card", when);
    const names = Array.from({ length: 60 }, (_, at) => `a quite long name with number ${at}.service`);
    for (const name of names) fat.write(`adrift/${name}`, Buffer.from(name));
    fat.save();
    const again = new Fat(bytes, "card", when);
    expect(again.list("adrift")).toEqual(names);
    expect(Buffer.from(again.read(`adrift/${names[59]}`) ?? []).toString()).toBe(names[59]);
  });
});

describe("what is no FAT partition", () => {
  it("is refused in words that help", () => {
    const zeros = { read: (_: number, length: number) => new Uint8Array(length), write: () => undefined };
    expect(() => new Fat(zeros, "holiday.img", when)).toThrow(/boot partition of holiday\.img cannot be used/);
    expect(() => new Fat(formatFat(16, 100).bytes, "old.img", when)).toThrow(/FAT12/);
  });
});
