/** Where Prometheus finds a board's metrics: `http://127.0.0.1:<port>/metrics`, from this machine alone. */

import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { isLoopback } from "../mqtt/loopback.ts";
import type { Metrics } from "./metrics.ts";

/** A server that runs. */
export type MetricsServer = { readonly port: number; close(): Promise<void> };

const host = "127.0.0.1";
const requestTimeoutMs = 5_000;
const connectionsMax = 16;

/**
 * Serves metrics; port 0 takes a free one.
 *
 * @throws Error if the port cannot be had.
 */
export async function serveMetrics(
  metrics: Pick<Metrics, "text" | "contentType">,
  port: number,
): Promise<MetricsServer> {
  const server = createServer({ requestTimeout: requestTimeoutMs }, (request, response) => {
    // A page that has its own name lead to this machine must not read here.
    if (!isAddressedHere(request.headers.host)) return answer(response, 403, "Only this machine is served.\n");
    if (request.url !== "/metrics") return answer(response, 404, "The metrics are at /metrics.\n");
    if (request.method !== "GET") return answer(response, 405, "Metrics can only be read.\n");
    metrics.text().then(
      (text) => answer(response, 200, text, metrics.contentType),
      (error: unknown) => answer(response, 500, `${String(error)}\n`),
    );
  });
  server.maxConnections = connectionsMax;
  await listen(server, port);
  const { port: bound } = server.address() as AddressInfo;
  return { port: bound, close: () => close(server) };
}

function isAddressedHere(header: string | undefined): boolean {
  const url = `http://${header}`;
  return header !== undefined && URL.canParse(url) && isLoopback(new URL(url).hostname);
}

function answer(response: ServerResponse, status: number, text: string, contentType = "text/plain"): void {
  response.writeHead(status, { "content-type": contentType }).end(text);
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (error) => {
      reject(new Error(`The metrics cannot be served on ${host}:${port} (${error.message}): set another metricsPort.`));
    });
    server.listen(port, host, resolve);
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
