/** A program that cuts the cable at relay 2 of the board at the given port, says so, and holds the cut until it is killed. */

import { openRelayCutter } from "./relay.ts";
import { benchOf, cablesAt } from "./relay-surroundings.fixture.ts";

const [, , serialPort = ""] = process.argv;
const cables = cablesAt(2, 6);
const settings = { name: "relays", driver: "relay", serialPort, firmware: "adrift" } as const;
const cutter = await openRelayCutter(settings, benchOf(cables));
await cutter.cut(cables[0], "both", 600_000);
process.stdout.write("cut\n");
setInterval(() => {}, 1_000);
