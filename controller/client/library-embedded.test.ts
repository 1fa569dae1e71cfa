import { connect } from "../../device/mqtt/client.ts";
import { describeClientLibrary, type LibraryBench } from "./library.suite.ts";
import { startStandIns } from "./stand-in.fixture.ts";

describeClientLibrary("one embedded broker", () => createStandInBench(1));
describeClientLibrary("three embedded brokers", () => createStandInBench(3));

async function createStandInBench(brokers: number): Promise<LibraryBench> {
  const { cluster, urls, boards, close } = await startStandIns(["pi-1", "pi-2", "pi-3"], brokers);
  let leading = 0;
  return {
    connect: (options) => connect({ cluster, brokers: urls, ...options }),
    cutClients() {
      for (const board of boards) board.isDeaf = true;
    },
    heal() {
      for (const board of boards) board.isDeaf = false;
    },
    loseLeader() {
      boards[leading]?.die();
      leading = (leading + 1) % boards.length;
      boards[leading]?.lead();
    },
    close,
  };
}
