import { describeBroker } from "./broker.suite.ts";
import { startBroker } from "./embedded-broker.ts";

describeBroker({
  name: "embedded broker",
  start: startBroker,
  silentConnections: 300,
  memoryBytes: () => null,
});
