/** The client library's clock and timer on Node, beside the wire that it is given. */

import type { ClientLibraryPort } from "./client-library.ts";

/** A port over this wire. */
export function createNodePort(wire: Pick<ClientLibraryPort, "publish" | "close">): ClientLibraryPort {
  let timer: NodeJS.Timeout | undefined;
  let timerAtUs = Number.POSITIVE_INFINITY;

  function stop(): void {
    clearTimeout(timer);
    timerAtUs = Number.POSITIVE_INFINITY;
  }

  return {
    publish: (requests, way) => wire.publish(requests, way),
    nowUs,

    wakeAt(atUs, wake) {
      // To be woken too early does no harm, and most times that are asked for are later ones.
      if (timerAtUs <= atUs) return;
      stop();
      timerAtUs = atUs;
      timer = setTimeout(
        () => {
          stop();
          wake();
        },
        Math.ceil((atUs - nowUs()) / 1_000),
      );
    },

    afterThisTurn: (callback) => void setImmediate(callback),

    async close() {
      stop();
      await wire.close();
    },
  };
}

function nowUs(): number {
  return Math.floor(performance.now() * 1_000);
}
