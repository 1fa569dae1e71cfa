import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { freePort } from "../../../device/mqtt/free-port.fixture.ts";
import { createTestShell, type TestShell } from "../shell.fixture.ts";

let shell: TestShell;

beforeEach(() => {
  shell = createTestShell();
});

afterEach(() => shell.remove());

describe("adrift broker", () => {
  test("given a free port, then the broker listens, and ends with Ctrl-C", async () => {
    const [port, webSocketPort] = [String(await freePort()), String(await freePort())];
    const { status, out } = await shell.adrift(["broker", "--port", port, "--websocket-port", webSocketPort], {
      interrupted: true,
    });

    expect(out).toMatch(/listens at mqtt:\/\/127\.0\.0\.1:\d+, and for pages at ws:\/\/127\.0\.0\.1:\d+, until Ctrl-C/);
    expect(status).toBe(0);
  });

  test("given an address that others reach and no keys, then it refuses", async () => {
    const { status, err } = await shell.adrift(["broker", "--host", "0.0.0.0"]);

    expect(err).toMatch(/without keys it may listen on this machine only/);
    expect(status).toBe(64);
  });

  test("given a bench with several brokers, then it asks which", async () => {
    const { status, err } = await shell.adrift(["broker", "--bench", "inbox-per-board"]);

    expect(err).toMatch(/has several brokers: say --broker with one of/);
    expect(status).toBe(64);
  });

  test("given keys that are not there, then it says which and how to make them", async () => {
    const { status, err } = await shell.adrift(["broker", "--keys", "nowhere"]);

    expect(err).toMatch(/nowhere\/authority\.pem is missing.*adrift init/);
    expect(status).toBe(64);
  });

  test("given --mosquitto --print, then the configuration is printed and nothing else", async () => {
    const { status, out } = await shell.adrift(["broker", "--mosquitto", "--print"]);

    expect(out).toMatch(/^listener 1883 127\.0\.0\.1$/m);
    expect(out).toMatch(/^set_tcp_nodelay true$/m);
    expect(out).toMatch(/^allow_anonymous true$/m);
    expect(status).toBe(0);
  });

  test("given --mosquitto --write and keys, then both files are written, and one names the other", async () => {
    const { status, out } = await shell.adrift(["broker", "--mosquitto", "--write", "out", "--keys", "keys"]);

    const folder = join(shell.folder, "out");
    const configuration = readFileSync(join(folder, "broker.conf"), "utf8");
    expect(configuration).toContain(`acl_file ${join(folder, "broker.acl")}`);
    expect(configuration).toMatch(/^require_certificate true$/m);
    expect(configuration).toMatch(/^use_identity_as_username true$/m);
    expect(readFileSync(join(folder, "broker.acl"), "utf8")).toContain("pattern write adrift/");
    expect(out).toMatch(/Start it with: mosquitto -c .*broker\.conf\n.* read its keys and .*broker\.acl/);
    expect(status).toBe(0);
  });

  test("given --print without --mosquitto, then it says what is missing", async () => {
    const { status, err } = await shell.adrift(["broker", "--print"]);

    expect(err).toMatch(/say --mosquitto too/);
    expect(status).toBe(64);
  });
});
