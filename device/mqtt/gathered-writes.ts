/** Hands the kernel what is written within one turn of the event loop in one call. */

import type { Duplex } from "node:stream";

/**
 * From now on small writes of one turn travel together. A broker that fans out many messages to one reader makes one
 * system call for them instead of one each; a message that is alone waits no longer than the turn lasts.
 */
export function gatherWrites(stream: Duplex): void {
  // The overloads of `write` differ in what may follow the chunk; here it is only passed on.
  const write = stream.write.bind(stream) as (...chunk: unknown[]) => boolean;
  let isGathering = false;

  const release = (): void => {
    isGathering = false;
    stream.uncork();
  };
  stream.write = (...chunk: unknown[]): boolean => {
    if (!isGathering) {
      isGathering = true;
      stream.cork();
      setImmediate(release);
    }
    return write(...chunk);
  };
}
