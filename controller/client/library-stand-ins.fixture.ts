/** The bench that the client library's suite wants, made of boards that only answer. */

import { connect } from "../../device/mqtt/client.ts";
import type { LibraryBench } from "./library.suite.ts";
import type { StandIns } from "./stand-in.fixture.ts";

/** The bench of these boards; the first of them leads. */
export function standInBench({ cluster, urls, boards, close }: StandIns): LibraryBench {
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
