/** Writes `board.yaml`, for whoever sets up boards: a local bench, a card. */

import { stringify } from "yaml";
import type { BoardConfiguration } from "./configuration.ts";

/** The file from which `readBoardConfiguration` reads the same configuration again. */
export function formatBoardConfiguration(configuration: BoardConfiguration): string {
  return stringify(configuration, { lineWidth: 0, version: "1.2" });
}
