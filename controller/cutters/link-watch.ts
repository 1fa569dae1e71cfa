/** Watches the links of cables by their cutters: whoever pulls a cable at a managed switch is noticed at once. */

import type { Cable } from "../../hardware/bench.ts";
import type { OpenCutter } from "./cutter.ts";

/** A cable, and the cutter that may see its link. */
export type WatchedCable = { readonly cable: Cable; readonly cutter: OpenCutter };

const lookEveryMs = 250;

/**
 * Tells whenever a link comes or goes; of the state in which it finds them it tells nothing, nor of cables whose cutters
 * cannot see a link. A device that does not answer is asked again.
 *
 * @returns ends the watch
 */
export function watchLinks(watched: readonly WatchedCable[], tell: (cable: string, up: boolean) => void): () => void {
  const timers = new Set<NodeJS.Timeout>();
  let isEnded = false;

  function follow({ cable, cutter }: WatchedCable): void {
    let before: boolean | null = null;
    const look = async (): Promise<void> => {
      const up = await (cutter.hasLink?.(cable) ?? Promise.resolve(null)).catch(() => null);
      if (isEnded) return;
      if (up !== null) {
        if (before !== null && up !== before) tell(cable.name, up);
        before = up;
      }
      const timer = setTimeout(() => {
        timers.delete(timer);
        void look();
      }, lookEveryMs).unref();
      timers.add(timer);
    };
    void look();
  }

  for (const each of watched) if (each.cutter.hasLink !== undefined) follow(each);
  return () => {
    isEnded = true;
    for (const timer of timers) clearTimeout(timer);
  };
}
