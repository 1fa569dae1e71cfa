import { describe, expect, it } from "vitest";
import { parseBench } from "../../hardware/bench.ts";
import { Chronicler } from "../experiment/chronicler.ts";
import { type ConcludedRun, concludeRun } from "../experiment/conclude.ts";
import { parseExperiment } from "../experiment/experiment.ts";
import type { RunRecord } from "../experiment/run-folder.ts";
import { simulate } from "../experiment/simulate.ts";
import { tellBoards } from "./board-story.ts";
import { renderReport } from "./html.ts";
import { drawLanes } from "./lanes.ts";
import { markup, trusted } from "./markup.ts";
import { painter } from "./paint.ts";
import { tellStory } from "./story.ts";
import { runText, wrapped } from "./text.ts";

const plain = painter(false);

function concluded(text: string, bench = "boards: 3"): ConcludedRun {
  const experiment = parseExperiment(text, "tried.yaml");
  const chronicler = new Chronicler(parseBench(bench, "bench.yaml"));
  const parsed = parseBench(bench, "bench.yaml");
  const run = simulate(experiment, parsed, { seed: 1, tell: (event) => chronicler.tell(event) });
  return concludeRun(experiment, parsed, run, chronicler);
}

const cut = concluded("duration: 6s\nfaults:\n  - { fault: cut, target: leader, at: 2s, for: 2s }\n");

const record: RunRecord = {
  format: 1,
  kind: "simulated",
  source: { kind: "experiment" },
  experiment: "tried",
  bench: "bench",
  experimentFile: "tried.yaml",
  benchFile: "bench.yaml",
  seed: 1,
  fingerprint: "0",
  virtualUs: 1,
  events: 1,
  interrupted: false,
  startedAt: "2026-01-02T03:04:05.000Z",
  commandLine: "adrift run tried.yaml",
  versions: { adrift: "0.1.0", node: "v20" },
};

describe("lanes", () => {
  it("given a cut leader, then its lane shows that it only believes to lead, and another lane who leads next", () => {
    const lanes = drawLanes(cut.chronicle, cut.history.operations, 80, plain);
    const former = lanes.find((lane) => lane.includes("▒"));
    expect(former).toMatch(/^pi-\d .*█▒+╌+/);
    expect(lanes.filter((lane) => /^pi-\d.*█{5,}/.test(lane))).toHaveLength(2);
    expect(lanes[0]).toMatch(/^ +├─cut pi-\d─+┤$/);
    expect(lanes.find((lane) => lane.startsWith("answers"))).toMatch(/[▁-█] +[▁-█]/);
  });

  it.each([60, 80, 200])("given %i columns, then no line is longer", (columns) => {
    const lanes = drawLanes(cut.chronicle, cut.history.operations, columns, plain).slice(0, -1);
    expect(lanes.filter((line) => line.length > columns)).toEqual([]);
  });
});

describe("the story", () => {
  it("given a power cut of all boards, then boards that do the same at the same time share a sentence", () => {
    const run = concluded("duration: 8s\nfaults:\n  - { fault: power-cut, target: all, at: 2s, for: 1s }\n");
    const story = tellStory(run).map(({ text }) => text);
    expect(story).toContain("pi-1, pi-2 and pi-3 lose their power, and what was not flushed.");
    expect(story).toContain("pi-1, pi-2 and pi-3 start again.");
    expect(story.filter((line) => line.includes("caught up")).length).toBeLessThanOrEqual(1);
  });

  it("given that nobody is answered until the run is over, then it does not say that somebody was", () => {
    const experiment = "duration: 4s\nfaults:\n  - { fault: power-cut, target: all, at: 10ms, for: 3s }\n";
    const served = concluded(experiment);
    const inVain = { ...served, stalls: served.stalls.map((stall) => ({ ...stall, answered: false })) };
    const told = (each: ConcludedRun) => tellStory(each).flatMap(({ kind, text }) => (kind === "clients" ? text : []));
    expect(told(served)).toEqual([expect.stringMatching(/^Clients are answered/)]);
    expect(told(inVain)).toEqual([
      expect.stringMatching(/^Nobody is answered any more: \d+ operations waited in vain, for \d/),
    ]);
  });

  it("given an election that is open when the run ends, then it is not told as lost", () => {
    const role = (board: string, role: "candidate" | "follower", term: number) =>
      ({ atUs: term, board, event: { type: "role", role, term, reason: "a reason" } }) as const;
    const boardEvents = [role("pi-1", "candidate", 5), role("pi-1", "follower", 6), role("pi-2", "candidate", 7)];
    expect(tellBoards({ ...cut.chronicle, boardEvents }).map(({ text }) => text)).toEqual([
      "pi-1 asks for votes in term 5, and does not get a majority.",
      "pi-2 asks for votes in term 7.",
    ]);
  });

  it("given a replaced board, then it starts over, learns and votes again", () => {
    const run = concluded(
      "duration: 8s\nfaults:\n  - { fault: replace, target: a follower, at: 2s, for: 1s }\n",
      "boards: 5",
    );
    const story = tellStory(run)
      .map(({ text }) => text)
      .join("\n");
    expect(story).toMatch(
      /starts over with an empty log, under a new identity\.\n(.*\n)*.* vote; pi-\d\.\w+ learns\.\n(.*\n)*.*pi-\d\.\w+.* vote\./,
    );
  });
});

describe("text for a terminal", () => {
  it("given a terminal without colours, then it holds no escapes, with colours it does", () => {
    expect(runText(cut, { columns: 80, paint: plain, linesMax: 10 })).not.toContain("\u001b");
    expect(runText(cut, { columns: 80, paint: painter(true), linesMax: 10 })).toContain("\u001b[");
  });

  it("given more to tell than there is room for, then it says how much", () => {
    expect(runText(cut, { columns: 80, paint: plain, linesMax: 2 })).toMatch(
      /\.\.\. and \d+ more lines in report\.html/,
    );
  });

  it("keeps a number and its unit on one line", () => {
    expect(wrapped("it took 0.31 s in all", 12)).toEqual(["it took", "0.31 s in", "all"]);
  });
});

describe("the page", () => {
  it("given a run, then the page stands alone: no script, and nothing from elsewhere", () => {
    const page = renderReport(cut, record, "2026-tried");
    expect(page).toMatch(/^<!doctype html>/);
    expect(page).toContain('<p class="verdict valid">valid</p>');
    expect(page).not.toMatch(/<script|<link|\bsrc=|@import|https?:/);
    expect(page).toContain('<pre class="command">npx adrift replay runs/2026-tried</pre>');
    expect(page.match(/<g class="lane">/g)).toHaveLength(3);
    expect(page).not.toMatch(/NaN|undefined|Infinity/);
  });

  it("given texts with signs of HTML, then they stay texts, wherever they stand", () => {
    const nasty = `<script>alert("&'")</script>`;
    const { experiment, judgement, check } = cut;
    const run: ConcludedRun = {
      ...cut,
      experiment: { ...experiment, name: nasty, description: nasty },
      check: { ...check, verdict: "invalid", reason: nasty, diagram: nasty },
      judgement: { ...judgement, findings: [{ by: nasty, detail: nasty, atUs: 1 }] },
    };
    const page = renderReport(run, { ...record, bench: nasty, fingerprint: nasty }, nasty);
    expect(page).not.toContain("<script");
    expect(page).toContain("&lt;script&gt;alert(&quot;&amp;&#39;&quot;)&lt;/script&gt;");
  });

  it("escapes what is inserted into markup, unless it is markup", () => {
    expect(markup`<p>${"a < b"}${null}${[markup`<b>${1}</b>`, trusted("<i>")]}</p>`.text).toBe(
      "<p>a &lt; b<b>1</b><i></p>",
    );
  });
});

describe("a run in real time", () => {
  const { fingerprint: _, events: __, network: ___, ...common } = simulated(cut);
  const real: ConcludedRun = {
    ...cut,
    run: { ...common, kind: "local", deaths: [], lateUsMax: 3_000 },
    cuts: [
      {
        fault: "cut",
        cables: ["pi-2"],
        commandedUs: 2_000_000,
        seenUs: 2_000_700,
        carrierLost: { atUs: 2_008_000, uncertaintyUs: 400 },
        noticedUs: 2_350_000,
        ledAgainUs: 2_412_000,
      },
    ],
  };
  const { source: ____, fingerprint: _____, virtualUs: ______, events: _______, ...kept } = record;
  const realRecord: RunRecord = { ...kept, kind: "local", durationUs: 1 };

  function simulated({ run }: ConcludedRun) {
    if (run.kind !== "simulated") throw new Error("The run was not simulated.");
    return run;
  }

  it("shows the kind of bench and the five times of each cut apart, on the page and in the text", () => {
    const page = renderReport(real, realRecord, "2026-tried");
    expect(page).toContain("<dt>kind of bench</dt><dd>local</dd>");
    expect(page).toContain("<dt>real time</dt>");
    expect(page).not.toMatch(/fingerprint|virtual time|adrift replay|messages published/);
    expect(page).toMatch(/<td>pi-2<\/td>.*2\.00 s<.*\+ 0\.7 ms<.*\+ 8\.0 ms \(± 0\.4 ms\)<.*\+ 350 ms<.*\+ 412 ms</);
    const text = runText(real, { columns: 80, paint: plain, linesMax: 10 });
    expect(text).toMatch(
      /cut +commanded +seen open +carrier lost +noticed +led again\n +pi-2 +2\.00 s +\+ 0\.7 ms +\+ 8\.0 ms \(± 0\.4 ms\) +\+ 350 ms +\+ 412 ms/,
    );
    expect(text).not.toContain("too busy");
  });

  it("given a leader that was kept, and a cable that was never seen open, then it says so", () => {
    const [times] = real.cuts;
    if (times === undefined) throw new Error("There is no cut.");
    const cuts = [{ ...times, seenUs: null, carrierLost: null, noticedUs: null, ledAgainUs: times.commandedUs }];
    expect(runText({ ...real, cuts }, { columns: 80, paint: plain, linesMax: 10 })).toMatch(/never +all the time/);
    expect(runText({ ...real, cuts }, { columns: 80, paint: plain, linesMax: 10 })).not.toMatch(/carrier|noticed/);
  });

  it("given a machine that was too busy, or a fault that the bench did in part, then the reader is warned", () => {
    const experiment = parseExperiment(
      "duration: 4s\nfaults:\n  - { fault: power-cut, target: leader, at: 1s, for: 1s }\n",
      "tried.yaml",
    );
    const late: ConcludedRun = {
      ...real,
      experiment,
      run: { ...common, kind: "local", deaths: [], lateUsMax: 250_000 },
    };
    for (const told of [
      renderReport(late, realRecord, "2026-tried"),
      runText(late, { columns: 800, paint: plain, linesMax: 10 }),
    ]) {
      expect(told).toContain("up to 250 ms late");
      expect(told).toContain("only in part");
    }
  });
});

describe("the story of a run in real time", () => {
  it("given elections before it began, then only who leads then is told", () => {
    const role = (board: string, role: "candidate" | "leader", atUs: number) =>
      ({ atUs, board, event: { type: "role", role, term: 1, reason: "a reason" } }) as const;
    const boardEvents = [role("pi-1", "candidate", 0), role("pi-2", "leader", 0), role("pi-3", "candidate", 7)];
    expect(tellBoards({ ...cut.chronicle, boardEvents }).map(({ text }) => text)).toEqual([
      "pi-2 leads already, in term 1.",
      "pi-3 asks for votes in term 1.",
    ]);
  });

  it("given a candidate that a majority refused, then it is not said that it led", () => {
    const follower = { type: "role", role: "follower", term: 2, reason: "a majority refused its vote" } as const;
    expect(tellBoards({ ...cut.chronicle, boardEvents: [{ atUs: 5, board: "pi-1", event: follower }] })).toEqual([]);
  });
});
