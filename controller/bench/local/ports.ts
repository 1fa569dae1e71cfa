/** Ports of this machine, on loopback. */

import { randomInt } from "node:crypto";
import { createServer, type Server } from "node:net";
import { BenchFailure } from "../bench.ts";

/** Below the ports that systems give to outgoing connections: what is reserved here is not taken by one of those. */
const reservedPorts = { from: 20_000, below: 32_000 };
const triesMax = 100;

/** Has a server listen on 127.0.0.1; resolves with the port. @throws an error with code EADDRINUSE if it is taken. */
export function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host: "127.0.0.1", port }, () => {
      server.off("error", reject);
      const address = server.address();
      resolve(address !== null && typeof address === "object" ? address.port : port);
    });
  });
}

/** A port that nobody listens on, for a process that shall find it free again each time it starts. */
export async function reservePort(): Promise<number> {
  for (let tries = 0; tries < triesMax; tries += 1) {
    const port = randomInt(reservedPorts.from, reservedPorts.below);
    if (await isFree(port)) return port;
  }
  throw new BenchFailure(
    `No free port was found between ${reservedPorts.from} and ${reservedPorts.below} on 127.0.0.1.`,
  );
}

/** The first port from `first` on that nobody listens on; a free one drawn at random if `first` is `null`. */
export async function firstFreePort(first: number | null): Promise<number> {
  if (first === null) return reservePort();
  for (let port = first; port < Math.min(first + triesMax, 65_536); port += 1) if (await isFree(port)) return port;
  throw new BenchFailure(`All ports from ${first} to ${first + triesMax - 1} on 127.0.0.1 are taken.`);
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    await listen(server, port);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : null;
    if (code === "EADDRINUSE") return false;
    if (code !== "EACCES") throw error;
    throw new BenchFailure(`Port ${port} is not for everybody on this machine: choose one above 1023.`);
  }
  await new Promise<void>((resolve) => server.close(() => resolve()));
  return true;
}
