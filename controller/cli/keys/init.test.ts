import { X509Certificate } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createTestShell, type TestShell } from "../shell.fixture.ts";

let shell: TestShell;
beforeEach(() => {
  shell = createTestShell();
});
afterEach(() => shell.remove());

function textOf(path: string): string {
  return readFileSync(join(shell.folder, path), "utf8");
}

describe("adrift init", () => {
  it("given nothing, then it makes a bench with keys for everybody, and says what comes next", async () => {
    const { status, out, err } = await shell.adrift(["init", "rack", "--bench", "three-boards"]);
    expect({ status, err }).toEqual({ status: 0, err: "" });
    expect(out).toContain("new: authority, pi-1, pi-2, pi-3, broker, controller, client\n");
    expect(out).toContain("Next: npx adrift up --bench rack/bench.yaml --keys rack/keys\n");
    expect(textOf("rack/bench.yaml")).toContain("name: three-boards");
    expect(textOf("rack/.gitignore")).toBe("keys/\nruns/\n.adrift/\n");
    expect(readdirSync(join(shell.folder, "rack/keys"))).toHaveLength(14);
  });

  it("given a bench with addresses, then certificates hold for them, also when they change, and cards come next", async () => {
    const bench = (address: string): void =>
      writeFileSync(
        join(shell.folder, "bench.yaml"),
        `name: lab\nboards: [{ name: pi-1, address: 192.168.7.11 }, pi-2]\nbrokers: [{ name: broker, address: ${address} }]\n`,
      );
    bench("192.168.7.2");
    const first = await shell.adrift(["init"]);
    expect(first.out).toContain("Next: npx adrift flash pi-1 --bench bench.yaml --image FILE");
    expect(first.out).not.toContain("adrift up");
    expect(first.out).toContain("only keys/authority.pem, keys/broker.pem, keys/broker.key.pem.\n");
    const key = textOf("keys/broker.key.pem");
    bench("192.168.7.3:8884");
    const second = await shell.adrift(["init"]);
    expect(second).toMatchObject({ status: 0, err: "" });
    expect(second.out).toContain("  new certificate: broker\n");
    expect(textOf("keys/broker.key.pem")).toBe(key);
    expect(new X509Certificate(textOf("keys/broker.pem")).checkIP("192.168.7.3")).toBe("192.168.7.3");
    bench("192.168.7.300");
    expect(await shell.adrift(["init"])).toMatchObject({ status: 64, err: expect.stringContaining("192.168.7.300") });
  });

  it("given a bench, when it is run again for a client, then only that is new", async () => {
    await shell.adrift(["init", "rack"]);
    const key = textOf("rack/keys/pi-1.key.pem");
    const { out } = await shell.adrift(["init", "rack", "--client", "anna", "--json"]);
    expect(JSON.parse(out)).toMatchObject({
      bench: "five-boards",
      keys: { made: ["anna"], certified: [], warnings: [] },
    });
    expect(textOf("rack/keys/pi-1.key.pem")).toBe(key);
  });

  it("given a description of one's own and a .gitignore, then both stay as they are, but for what is missing", async () => {
    writeFileSync(join(shell.folder, "bench.yaml"), "name: mine\nboards: [ada, bob, cleo]\n");
    writeFileSync(join(shell.folder, ".gitignore"), "/runs/\nnotes.txt");
    const { status, out } = await shell.adrift(["init"]);
    expect(status).toBe(0);
    expect(out).toContain("bench.yaml  mine, 3 boards, as it was");
    expect(textOf("bench.yaml")).toBe("name: mine\nboards: [ada, bob, cleo]\n");
    expect(textOf(".gitignore")).toBe("/runs/\nnotes.txt\nkeys/\n.adrift/\n");
  });

  it("given a folder with another bench, then it keeps its hands off", async () => {
    writeFileSync(join(shell.folder, "bench.yaml"), "boards: 3\n");
    const { status, err } = await shell.adrift(["init", "--bench", "two-switches"]);
    expect(status).toBe(64);
    expect(err).toMatch(/^bench\.yaml describes a bench already\. Leave out --bench/);
    expect(existsSync(join(shell.folder, "keys"))).toBe(false);
  });

  it("given things of other kinds in the way, then it says which", async () => {
    writeFileSync(join(shell.folder, "file"), "");
    expect((await shell.adrift(["init", "file"])).err).toMatch(/^file: there is a file of that name/);
    mkdirSync(join(shell.folder, "rack", "bench.yaml"), { recursive: true });
    expect((await shell.adrift(["init", "rack"])).err).toMatch(/^rack\/bench\.yaml: there is a folder of that name/);
    mkdirSync(join(shell.folder, "other"));
    writeFileSync(join(shell.folder, "other", "keys"), "");
    expect((await shell.adrift(["init", "other"])).err).toMatch(/keys: something else has that name/);
  });

  it("given arguments that cannot be, then it says what may be", async () => {
    for (const args of [
      ["--days", "0"],
      ["--bench", "five-bords"],
      ["--client", "pi-1"],
      ["--host", "a b"],
    ]) {
      expect({ args, status: (await shell.adrift(["init", "rack", ...args])).status }).toEqual({ args, status: 64 });
    }
    expect(existsSync(join(shell.folder, "rack", "bench.yaml"))).toBe(false);
  });
});
