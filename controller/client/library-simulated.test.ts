import { ClientLibrary } from "../../device/mqtt/client-library.ts";
import { createRandom } from "../../device/random.ts";
import type { Reply } from "../../device/transport/protocol.ts";
import { simulate } from "../../sim/harness.ts";
import { SimulatedClientPort } from "../../sim/library-client.ts";
import { describeClientLibrary, type LibraryBench } from "./library.suite.ts";

describeClientLibrary("a simulated bench", createSimulatedLibraryBench);

/** Five boards in virtual time, which passes as long as somebody is connected. */
function createSimulatedLibraryBench(): LibraryBench {
  const bench = simulate({ clients: 8, seed: 1 });
  bench.expectReady();
  const freeNames = bench.world.clients.map(({ name }) => name);
  let drawn = 0;
  let connected = 0;

  /** Real time is given to whoever waits for a promise, virtual time to the bench. */
  function letTimePass(): void {
    if (connected === 0) return;
    bench.advance(1_000);
    setImmediate(letTimePass);
  }

  return {
    connect({ name = freeNames[0] ?? "", deadlineMs } = {}) {
      const place = freeNames.shift();
      if (place === undefined) throw new RangeError("Every place for a client is taken.");
      const hear = (reply: Reply): void => library.receive([reply]);
      const port = new SimulatedClientPort(bench.world, place, hear);
      drawn += 1;
      const library = new ClientLibrary({
        name,
        port: Object.assign(port, {
          close() {
            freeNames.push(place);
            connected -= 1;
            return Promise.resolve();
          },
        }),
        random: createRandom(`client ${drawn}`),
        firstRequest: 1_000_000 * drawn,
        ...(deadlineMs === undefined ? {} : { deadlineMs }),
      });
      connected += 1;
      if (connected === 1) letTimePass();
      return library;
    },
    cutClients: () => bench.brokerDown("broker"),
    heal: () => bench.healAll(),
    loseLeader: () => bench.crash(bench.expectOneLeader().board),
    close: () => bench.expectLawful(),
  };
}
