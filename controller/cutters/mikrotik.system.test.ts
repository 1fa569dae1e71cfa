import { createHash, randomBytes, X509Certificate } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createTestAuthority } from "../../device/mqtt/certificates.fixture.ts";
import type { Cable } from "../../hardware/bench.ts";
import { describeCutter } from "./cutter.suite.ts";
import type { OpenCutter } from "./cutter.ts";
import { openSwitchCutter } from "./switch.ts";
import { cableTo, surroundingsFor, switchNode } from "./switch-surroundings.fixture.ts";

const cables: [Cable, Cable] = [cableTo("ether2", "pi-1", "ports"), cableTo("ether3", "pi-2", "ports")];
const keys = createTestAuthority().keysFor("switch");
const fingerprint = new X509Certificate(keys.certificate).fingerprint256;

describeCutter("the driver switch by the REST interface of RouterOS", async () => {
  const router = await StandInRouter.start();
  return {
    cutter: await open(router, `${router.password}\n${fingerprint}`),
    cables,
    peer: {
      look: (cable) => (router.isEnabled(cable.ends[1].port) ? "whole" : "both"),
      change: (cable, state) => router.enable(cable.ends[1].port, state === "whole"),
      troubles: {
        unplugged: { begin: () => router.stop(), end: () => router.listen() },
        silent: { begin: () => router.behave("silent"), end: () => router.behave("well") },
        slow: { begin: () => router.behave("slow"), end: () => router.behave("well") },
        wrong: { begin: () => router.behave("lying"), end: () => router.behave("well") },
      },
      leaseMsMin: null,
      dispose: () => router.dispose(),
    },
  };
});

describe("what goes wrong around a switch of MikroTik", () => {
  let router: StandInRouter;
  beforeEach(async () => {
    router = await StandInRouter.start();
  });
  afterEach(() => router.dispose());

  test("given a certificate that it signed itself and no fingerprint, then it is not trusted, and gets no password", async () => {
    await expect(open(router, router.password)).rejects.toThrow(/certificate that nobody vouches for.*second line/);
    expect(router.requests).toBe(0);
  });

  test("given another certificate than the one that is known, then both are told apart, and it gets no password", async () => {
    const other = createHash("sha256").update("another").digest("hex");
    await expect(open(router, `${router.password}\n${other}`)).rejects.toThrow(
      new RegExp(`shows another certificate .*: ${fingerprint}`),
    );
    expect(router.requests).toBe(0);
    await expect(open(router, `${router.password}\nnonsense`)).rejects.toThrow(/no SHA-256 fingerprint/);
  });

  test("given a wrong password, then it says so", async () => {
    await expect(open(router, `wrong\n${fingerprint}`)).rejects.toThrow(/refuses the user or the password/);
  });

  test("given an answer that is no JSON, then it says so", async () => {
    router.behave("nonsense");
    await expect(open(router, `${router.password}\n${fingerprint}`)).rejects.toThrow(/no JSON/);
  });

  test("given the port with the address by which it is managed, or one that is not there, then neither is cut", async () => {
    const cutter = await open(router, `${router.password}\n${fingerprint}`);
    await expect(cutter.cut(cableTo("ether1", "pi-9", "ports"), "both", 60_000)).rejects.toThrow(
      /managed over its port ether1/,
    );
    await expect(cutter.cut(cableTo("ether9", "pi-9", "ports"), "both", 60_000)).rejects.toThrow(
      /no port ether9. Its ports: ether1, ether2/,
    );
    expect(router.isEnabled("ether1")).toBe(true);
    await cutter.close();
  });
});

async function open(router: StandInRouter, secret: string): Promise<OpenCutter> {
  writeFileSync(join(router.folder, "password"), `${secret}\n`, { mode: 0o600 });
  const settings = { name: "ports", driver: "switch", protocol: "mikrotik", switch: switchNode } as const;
  return await openSwitchCutter(
    { ...settings, address: router.address, user: "adrift", passwordFile: "password", protectedPorts: [] },
    surroundingsFor(router.folder, cables),
  );
}

type Behaviour = "well" | "silent" | "slow" | "lying" | "nonsense";

/** The REST interface of RouterOS 7 as its manual describes it: every value a string, errors as JSON with their status. */
class StandInRouter {
  readonly folder = mkdtempSync(join(tmpdir(), "adrift-router-"));
  readonly password = randomBytes(8).toString("hex");
  requests = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Duplex>();
  readonly #ports = ["ether1", "ether2", "ether3"].map((name, at) => ({
    ".id": `*${at + 1}`,
    name,
    disabled: "false",
  }));
  #port = 0;
  #behaviour: Behaviour = "well";

  private constructor() {
    this.#server = createServer({ key: keys.privateKey, cert: keys.certificate }, (request, response) => {
      void this.#answer(request, response);
    });
    this.#server.on("connection", (socket) => {
      this.#sockets.add(socket);
      socket.once("close", () => this.#sockets.delete(socket));
    });
  }

  static async start(): Promise<StandInRouter> {
    const router = new StandInRouter();
    await router.listen();
    return router;
  }

  get address(): string {
    return `127.0.0.1:${this.#port}`;
  }

  async listen(): Promise<void> {
    this.#server.listen(this.#port, "127.0.0.1");
    await once(this.#server, "listening");
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = once(this.#server, "close");
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  async dispose(): Promise<void> {
    await this.stop();
    rmSync(this.folder, { recursive: true });
  }

  behave(behaviour: Behaviour): void {
    this.#behaviour = behaviour;
  }

  isEnabled(port: string): boolean {
    return this.#ports.find(({ name }) => name === port)?.disabled === "false";
  }

  enable(port: string, enabled: boolean): void {
    const item = this.#ports.find(({ name }) => name === port);
    if (item !== undefined) item.disabled = enabled ? "false" : "true";
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.requests++;
    let body = "";
    for await (const piece of request) body += String(piece);
    if (this.#behaviour === "silent") return;
    if (this.#behaviour === "slow") await new Promise((resolve) => setTimeout(resolve, 200));
    const [status, answer] = this.#answerTo(request, body);
    response.writeHead(status, { "content-type": "application/json" });
    response.end(this.#behaviour === "nonsense" ? "<html>" : JSON.stringify(answer));
  }

  #answerTo({ headers, method, url = "" }: IncomingMessage, body: string): readonly [number, unknown] {
    const known = `Basic ${Buffer.from(`adrift:${this.password}`).toString("base64")}`;
    if (headers.authorization !== known) return [401, { error: 401, message: "Unauthorized" }];
    if (url === "/rest/system/resource") return [200, { "board-name": "CRS112-8P-4S", version: "7.15.3 (stable)" }];
    if (url === "/rest/ip/address") {
      return [200, [{ ".id": "*1", address: "127.0.0.1/8", interface: "ether1", "actual-interface": "ether1" }]];
    }
    if (url === "/rest/interface/ethernet" && method === "GET") return [200, this.#ports];
    const id = decodeURIComponent(/^\/rest\/interface\/ethernet\/(.+)$/.exec(url)?.[1] ?? "");
    const item = this.#ports.find((port) => port[".id"] === id);
    if (item === undefined || method !== "PATCH") {
      return [404, { detail: "no such item or wrong verb", error: 404, message: "Not Found" }];
    }
    const { disabled } = JSON.parse(body) as { readonly disabled: string };
    if (this.#behaviour !== "lying") item.disabled = disabled;
    return [200, { ...item, disabled }];
  }
}
