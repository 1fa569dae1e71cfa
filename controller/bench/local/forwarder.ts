/** An address that leads to a broker over cables: what somebody on this machine connects to instead of the broker's own. */

import { createServer, type Server } from "node:net";
import { type EndName, Link, type Ways } from "./link.ts";
import { listen } from "./ports.ts";

/** What a forwarder is made of. */
export type ForwarderSettings = {
  /** The port on 127.0.0.1 to listen on; 0 takes a free one. */
  readonly port: number;
  /** Where the broker listens, asked for each connection. */
  readonly brokerPort: () => number;
};

/** Carries bytes to a broker and back, while its ways are open. A connection made meanwhile is accepted and waits. */
export class Forwarder {
  readonly port: number;
  readonly #server: Server;
  readonly #links = new Set<Link>();
  #ways: Ways = { there: true, back: true };

  /** Begins to listen. @throws an error with code EADDRINUSE if the port is taken. */
  static async open(settings: ForwarderSettings): Promise<Forwarder> {
    const server = createServer({ noDelay: true, allowHalfOpen: true });
    const port = await listen(server, settings.port);
    return new Forwarder(server, port, settings.brokerPort);
  }

  private constructor(server: Server, port: number, brokerPort: () => number) {
    this.#server = server;
    this.port = port;
    server.on("connection", (socket) => {
      const link: Link = new Link(socket, this.#ways, brokerPort, () => this.#links.delete(link));
      this.#links.add(link);
    });
  }

  /** How many connections there are, dead ones among them as long as a cut hides their death. */
  get connections(): number {
    return this.#links.size;
  }

  setWays(ways: Ways): void {
    if (ways.there === this.#ways.there && ways.back === this.#ways.back) return;
    this.#ways = ways;
    for (const link of this.#links) link.setWays(ways);
  }

  /** The machine of this end lost its power: its connections are forgotten there, as the other end finds out later. */
  losePower(end: EndName): void {
    for (const link of this.#links) link.losePower(end);
  }

  async close(): Promise<void> {
    for (const link of this.#links) link.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}
