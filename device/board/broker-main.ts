/**
 * A process with one broker, for benches of local processes: a broker that can be killed and started again as on a
 * table. Its parent tells it what to be; it ends with its parent.
 */

import type { RunningBroker } from "../mqtt/broker.ts";
import { startBroker } from "../mqtt/embedded-broker.ts";
import type { BrokerOrder, BrokerReport } from "./broker-orders.ts";

const wrongUse = 64;

if (process.send === undefined) {
  process.stderr.write(
    "A bench of local processes starts this program; for a broker of your own use `adrift broker`.\n",
  );
  process.exit(wrongUse);
}
// The channel carries no text from outside: only the parent, which is this very software, writes to it.
process.once("message", (order) => void run(order as BrokerOrder));
process.once("disconnect", () => process.exit());

async function run({ settings }: BrokerOrder): Promise<void> {
  try {
    const broker = await startBroker(settings);
    process.once("SIGTERM", () => void end(broker));
    report({ type: "started", port: broker.port, webSocketPort: broker.webSocketPort });
  } catch (error) {
    report({ type: "failed", message: error instanceof Error ? error.message : String(error) });
    process.exitCode = 1;
    process.disconnect();
  }
}

async function end(broker: RunningBroker): Promise<void> {
  await broker.close();
  process.exit();
}

function report(report: BrokerReport): void {
  process.send?.(report);
}
