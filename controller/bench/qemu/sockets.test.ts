import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { GuestShell } from "./guest-shell.ts";
import { Qmp } from "./qmp.ts";

let folder: string;
let server: Server;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "adrift-test-"));
});

afterEach(() => {
  server.close();
  rmSync(folder, { recursive: true });
});

/** What stands at the other end of a socket, and hears it a line at a time. */
function peer(greet: (socket: Socket) => void, hear: (line: string, socket: Socket) => void): Promise<string> {
  const path = join(folder, "socket");
  server = createServer((socket) => {
    greet(socket);
    socket.setEncoding("utf8").on("data", (text: string) => {
      for (const line of text.split("\n")) if (line !== "") hear(line, socket);
    });
  });
  return new Promise((resolve) => server.listen(path, () => resolve(path)));
}

describe("QEMU's machine protocol", () => {
  const greet = (socket: Socket): void => void socket.write('{"QMP":{"version":{}}}\n');

  it("given events between answers, then each command has its own answer", async () => {
    const path = await peer(greet, (line, socket) => {
      const { execute } = JSON.parse(line);
      socket.write(`{"event":"NIC_RX_FILTER_CHANGED"}\n{"return":${JSON.stringify(`did ${execute}`)}}\n`);
    });
    const qmp = await Qmp.connect(path);
    const answers = await Promise.all([qmp.execute("set_link"), qmp.execute("query-status")]);
    expect(answers).toEqual(["did set_link", "did query-status"]);
    qmp.close();
  });

  it("given a machine that ends in the middle of a command, then the command fails and says so", async () => {
    const path = await peer(greet, (line, socket) => {
      if (line.includes("qmp_capabilities")) socket.write('{"return":{}}\n');
      else socket.destroy();
    });
    const qmp = await Qmp.connect(path);
    await expect(qmp.execute("set_link")).rejects.toThrow("QEMU did not carry out set_link: QEMU has ended.");
  });
});

describe("a root's shell in a machine", () => {
  it("given a console that echoes what is typed, then only what the command wrote is its output", async () => {
    const path = await peer(
      () => undefined,
      (line, socket) => {
        socket.write(`${line}\r\n`);
        const [, mark] = /echo ">([0-9a-f]+)"">\$\?\."$/.exec(line) ?? [];
        if (mark !== undefined) socket.write(`<${mark}<\r\n1\r\n>${mark}>3.\r\n`);
      },
    );
    expect(await new GuestShell("pi-1", path).run("cat carrier", 1_000)).toEqual({ status: 3, out: "1" });
  });

  it("given a machine that says nothing, then it is told who does not answer", async () => {
    const path = await peer(
      () => undefined,
      () => undefined,
    );
    await expect(new GuestShell("pi-1", path).run("true", 20)).rejects.toThrow(/^pi-1 does not answer on its console/);
  });
});
