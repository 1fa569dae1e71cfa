/** The measuring of a board, if its configuration asks for it; if not, none of it is loaded, and takes no memory. */

import type { Metrics, MetricsSource } from "./metrics.ts";

/** Told what happens as it happens; serves the metrics on this machine once there is a board to measure. */
export class Measuring {
  readonly #wantedPort: number | null;
  #metrics: Metrics | null = null;
  #server: { readonly port: number; close(): Promise<void> } | null = null;

  /** `port`: where to serve, 0 for a free one; `null`: nothing is measured. */
  constructor(port: number | null) {
    this.#wantedPort = port;
  }

  /** Where the metrics are found, if anywhere. */
  get port(): number | null {
    return this.#server?.port ?? null;
  }

  /** Begins. @throws Error if the port cannot be had. */
  async begin(source: MetricsSource): Promise<void> {
    if (this.#wantedPort === null) return;
    const [{ createMetrics }, { serveMetrics }] = await Promise.all([
      import("./metrics.ts"),
      import("./metrics-server.ts"),
    ]);
    this.#metrics = createMetrics(source);
    this.#server = await serveMetrics(this.#metrics, this.#wantedPort);
  }

  readonly happened: Metrics["happened"] = (happening) => this.#metrics?.happened(happening);
  readonly commitTook: Metrics["commitTook"] = (us) => this.#metrics?.commitTook(us);
  readonly flushTook: Metrics["flushTook"] = (us) => this.#metrics?.flushTook(us);

  async close(): Promise<void> {
    this.#metrics?.close();
    await this.#server?.close();
  }
}
