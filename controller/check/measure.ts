/**
 * How fast the checker is, on histories that are made to be hard: `npx tsx controller/check/measure.ts [operations]`.
 * Each is written to a file first and then checked as any file would be.
 */

import { createWriteStream } from "node:fs";
import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { finished } from "node:stream/promises";
import { createRandom } from "../../device/random.ts";
import { checkHistoryFile } from "./file.ts";
import { type RandomHistoryOptions, randomHistory } from "./random-history.ts";

const operations = Number(process.argv[2] ?? 100_000);

const usual: RandomHistoryOptions = {
  clients: 20,
  keys: 50,
  operations,
  mix: { read: 2, write: 1, cas: 1 },
  indefinitePercent: 1,
  failPercent: 2,
  values: 0,
  appendResults: false,
};

const histories: Readonly<Record<string, RandomHistoryOptions>> = {
  "20 clients, 50 keys": usual,
  "10 % indefinite": { ...usual, indefinitePercent: 10 },
  "10 % indefinite, 5 values": { ...usual, indefinitePercent: 10, values: 5 },
  "1 key": { ...usual, keys: 1, indefinitePercent: 0 },
  "1 key, 10 % indefinite": { ...usual, keys: 1, indefinitePercent: 10 },
  "counters, 10 % indefinite": { ...usual, mix: { read: 1, add: 1 }, indefinitePercent: 10 },
  "appends, 10 % indefinite": { ...usual, keys: 500, mix: { read: 1, append: 1 }, indefinitePercent: 10 },
};

const folder = await mkdtemp(join(tmpdir(), "adrift-measure-"));
try {
  for (const [name, options] of Object.entries(histories)) {
    const path = join(folder, "history.jsonl");
    const file = createWriteStream(path);
    for (const event of randomHistory(createRandom(name), options)) file.write(`${JSON.stringify(event)}\n`);
    file.end();
    await finished(file);
    const startMs = performance.now();
    const { verdict, statistics } = await checkHistoryFile(path);
    const seconds = ((performance.now() - startMs) / 1_000).toFixed(1);
    const megabytes = ((await stat(path)).size / 1e6).toFixed(0);
    const resident = (process.memoryUsage().rss / 1e6).toFixed(0);
    console.log(
      `${name}: ${verdict} in ${seconds} s; ${statistics.operations} operations, ${megabytes} MB of file, ` +
        `${resident} MB resident, at most ${statistics.configurationsMax} configurations`,
    );
  }
} finally {
  await rm(folder, { recursive: true });
}
