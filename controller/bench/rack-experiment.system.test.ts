import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { connect } from "../../device/mqtt/client.ts";
import { parseBench } from "../../hardware/bench.ts";
import { nobody } from "../cutters/person.ts";
import { Chronicler } from "../experiment/chronicler.ts";
import { concludeRun } from "../experiment/conclude.ts";
import { parseExperiment } from "../experiment/experiment.ts";
import { runInRealTime } from "../experiment/real-time.ts";
import { realTime } from "../experiment/time.ts";
import { type LocalBench, startLocalBench } from "./local/local-bench.ts";
import { openRackExperimentBench } from "./rack-experiment.ts";

/**
 * Boards that run already and belong to nobody here, on a broker of which only the address is known: so a rack looks to the
 * controller. They are processes of this machine, and what their broker withholds parts them.
 */
const boards = 3;
let running: LocalBench | null = null;
let folder = "";
afterEach(async () => {
  await running?.close();
  running = null;
  rmSync(folder, { recursive: true, force: true });
});

async function startBoards() {
  folder = mkdtempSync(join(tmpdir(), "rack-"));
  const bench = parseBench(`boards: ${boards}`, "table.yaml");
  running = await startLocalBench({ bench, folder: null, forwarders: true });
  const [broker] = running.brokers;
  if (broker === undefined) throw new Error("There is no broker.");
  const address = broker.url.replace("mqtt://", "");
  return {
    url: broker.url,
    text: `boards: ${boards}\nbrokers: [{ name: broker, address: "${address}" }]\ncutter: broker`,
  };
}

const cutLeader = `
duration: 8s
workload: { clients: 3, operationsPerSecond: 30 }
faults:
  - { fault: cut, target: leader, at: 2s, for: 3s }
  - { fault: transfer-leadership, at: 7s }
expect: [linearizable, exactly-once, leader within 5s of fault]
`;

describe("a rack", () => {
  test("given boards that run already, then an experiment cuts them, and what else they store stays", {
    timeout: 90_000,
  }, async () => {
    const { url, text } = await startBoards();
    const user = await connect({ cluster: "table", brokers: [url] });
    await user.write("kept", "ours");
    const experiment = parseExperiment(cutLeader, "cut-leader.yaml");
    const bench = parseBench(text, "table.yaml");
    const rack = await openRackExperimentBench({
      bench,
      folder,
      person: nobody,
      time: realTime,
      run: "tried",
      tell: () => undefined,
    });

    const { run, events } = await runInRealTime(experiment, rack, {
      seed: 7,
      time: realTime,
      isInterrupted: () => false,
    });
    const closing = await rack.close();

    const chronicler = new Chronicler(bench);
    for (const event of events) chronicler.tell(event);
    const { judgement, cuts } = concludeRun(experiment, bench, run, chronicler);
    expect({ verdict: judgement.verdict, ...closing }).toEqual({ verdict: "valid", leftovers: [] });
    const [cut] = cuts;
    expect(cut?.seenUs).toBeGreaterThanOrEqual(cut?.commandedUs ?? Number.POSITIVE_INFINITY);
    expect(cut?.ledAgainUs).toBeGreaterThan(cut?.commandedUs ?? 0);
    // Its boards' clocks were placed: what they did is known to within less than an election time-out.
    const placed = events.filter((event) => event.kind === "board" && event.atUs > 0);
    expect(placed.length).toBeGreaterThan(0);
    for (const event of placed) expect("uncertaintyUs" in event && event.uncertaintyUs).toBeLessThan(300_000);
    // Nothing of the run is left in the boards, and everything else is.
    expect(await user.read("kept")).toBe("ours");
    for (const key of new Set(run.history.map(({ key }) => key)))
      expect(await user.read(`run-tried/${key}`)).toBeNull();
    await user.close();
  });

  test("given brokers that are not there, then it says so", async () => {
    folder = mkdtempSync(join(tmpdir(), "rack-"));
    const bench = parseBench('boards: 3\nbrokers: [{ name: broker, address: "127.0.0.1:1" }]', "table.yaml");
    const settings = { bench, folder, person: nobody, time: realTime, run: "tried", tell: () => undefined };
    await expect(openRackExperimentBench(settings)).rejects.toThrow(/^The rack table is not there: .*adrift doctor/s);
  });
});
