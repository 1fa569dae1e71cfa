/** How a rack does what cuts no cable: by power sources, and by SSH. */

import type { Bench, Board } from "../../../hardware/bench.ts";
import type { Fault } from "../../experiment/model.ts";

/** In a line for people, of all boards that may be hit; `null` where there is nothing to say. */
export function machineMeans(fault: Fault, { boards }: Bench): string | null {
  switch (fault.kind) {
    case "power-cut":
      return each(
        boards,
        "cuts no cable; takes the power of",
        ({ power }) => power && `${power.name}:${power.channel}`,
      );
    case "crash":
      return each(boards, "cuts no cable; kills the board's process by SSH:", ({ address }) => address);
    case "pause":
      return each(boards, "cuts no cable; stops the board's process by SSH:", ({ address }) => address);
    case "transfer-leadership":
    case "add-member":
    case "remove-member":
      return "cuts no cable; asks whoever leads";
    default:
      return null;
  }
}

function each(boards: readonly Board[], what: string, meansOf: (board: Board) => string | null): string {
  const means = boards.map((board) => `${board.name} (${meansOf(board) ?? "by nothing"})`);
  return `${what} ${means.join(", ")}`;
}
