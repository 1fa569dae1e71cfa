/** The report of a run as one page that stands alone: no other file, no request, light or dark as the reader likes it. */

import { readFileSync } from "node:fs";
import type { ConcludedRun } from "../experiment/conclude.ts";
import type { JudgedExpectation } from "../experiment/judge.ts";
import type { RunRecord } from "../experiment/run-folder.ts";
import type { SimulatedRun } from "../experiment/run-result.ts";
import { caveats } from "./caveats.ts";
import { cutTable } from "./cut-table.ts";
import { type Markup, markup, trusted } from "./markup.ts";
import { tellStory } from "./story.ts";
import { reignsTable, timelineLegend, timelineSvg } from "./timeline-svg.ts";
import { count, grouped, seconds } from "./words.ts";

const styleFile = new URL("./report.css", import.meta.url);

/**
 * The page. The same run gives the same page, but for when, where and by what it was made.
 *
 * @param folder The name of the run's folder under `runs/`.
 */
export function renderReport(run: ConcludedRun, record: RunRecord, folder: string): string {
  const { judgement, experiment } = run;
  const page = markup`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${experiment.name}: ${judgement.verdict}</title>
<style>${trusted(readFileSync(styleFile, "utf8"))}</style>
</head>
<body>
<header>
<div><h1>${experiment.name}</h1><p>${experiment.description}</p></div>
<p class="verdict ${judgement.verdict}">${judgement.verdict}</p>
</header>
${facts(run, record)}
${expectations(run)}
${contradiction(run)}
<section><h2>Timeline</h2><div class="scrolled">${timelineSvg(run)}</div>${timelineLegend()}</section>
${cuts(run)}
<div class="columns">
<section class="wide"><h2>What happened</h2>${story(run)}</section>
<div>
<section><h2>Who led a majority</h2>${reignsTable(run.chronicle)}</section>
<section><h2>Figures</h2>${figures(run)}</section>
<section><h2>Again</h2>${again(record, folder)}</section>
</div>
</div>
</body>
</html>
`;
  return page.text;
}

function facts(concluded: ConcludedRun, record: RunRecord): Markup {
  const { run } = concluded;
  const ofKind: readonly Row[] =
    record.kind === "simulated"
      ? [
          ["virtual time", seconds(run.durationUs)],
          ["fingerprint", record.fingerprint],
        ]
      : [["real time", seconds(run.durationUs)]];
  const entries: readonly Row[] = [
    ["bench", record.bench],
    ["kind of bench", record.kind],
    ["seed", String(record.seed)],
    ...ofKind,
    ["made", `${record.startedAt.slice(0, 16).replace("T", " ")} UTC`],
    ["by", `Adrift ${record.versions.adrift}, Node ${record.versions.node}`],
  ];
  const stopped = run.interrupted ? ["Stopped before its end: this is what is known so far."] : [];
  const warnings = [...stopped, ...caveats(concluded)];
  return markup`<dl class="facts">${entries.map(([name, value]) => markup`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>${warnings.map((warning) => markup`<p class="warning">${warning}</p>`)}`;
}

type Row = readonly [name: string, value: string];

function expectations({ judgement }: ConcludedRun): Markup {
  const findings = judgement.findings.map(
    ({ by, detail, atUs }) =>
      markup`<li class="unmet"><b>${by}</b><span>${atUs === null ? "" : `At ${seconds(atUs)}. `}${detail}</span></li>`,
  );
  return markup`<section><h2>Expected</h2><ul class="expectations">${judgement.expectations.map(expectation)}${findings}</ul></section>`;
}

function expectation({ expects, met, detail }: JudgedExpectation): Markup {
  const look = met === null ? "open" : met ? "met" : "unmet";
  return markup`<li class="${look}"><b>${expects}</b><span>${detail}</span></li>`;
}

function contradiction({ check }: ConcludedRun): Markup | null {
  if (check.verdict !== "invalid") return null;
  return markup`<section class="contradiction"><h2>The contradiction</h2><p>${check.reason}</p><pre>${check.diagram}</pre></section>`;
}

/** More than this nobody reads. */
const storyLinesMax = 400;

function story(run: ConcludedRun): Markup {
  const lines = tellStory(run);
  const rest = lines.length - storyLinesMax;
  const more = rest > 0 ? markup`<p>... and ${count(rest, "more line")}; everything stands in events.jsonl.</p>` : null;
  return markup`<ol class="story">${lines
    .slice(0, storyLinesMax)
    .map(
      ({ atUs, kind, text }) => markup`<li class="${kind}"><time>${seconds(atUs)}</time><span>${text}</span></li>`,
    )}</ol>${more}`;
}

function figures({ check, run, history, longestStall }: ConcludedRun): Markup {
  const { statistics } = check;
  const faults = Object.entries(run.faults).map(([kind, times]) => [`fault: ${kind}`, grouped(times)] as const);
  const rows: readonly Row[] = [
    ["operations", grouped(history.operations.length)],
    ["ok", grouped(statistics.ok)],
    ["failed", grouped(statistics.fail)],
    ["of unknown outcome", grouped(statistics.info)],
    [
      "longest time without an answer",
      longestStall === null ? "none" : seconds(longestStall.toUs - longestStall.fromUs),
    ],
    ["elections", grouped(run.elections)],
    ...(run.kind === "simulated" ? networkFigures(run) : []),
    ...faults,
  ];
  return markup`<table class="figures"><tbody>${rows.map(
    ([name, value]) => markup`<tr><td>${name}</td><td class="number">${value}</td></tr>`,
  )}</tbody></table>`;
}

function networkFigures({ network }: SimulatedRun): readonly Row[] {
  const lost = Object.values(network.lost).reduce((sum, each) => sum + each, 0);
  return [
    ["messages published", grouped(network.published)],
    ["messages delivered", grouped(network.delivered)],
    ["messages lost", grouped(lost)],
    ["messages late or held back", grouped(network.late + network.delayed)],
    ["messages doubled", grouped(network.duplicated)],
    ["connections given up for silence", grouped(network.endpointTimeouts + network.brokerTimeouts)],
  ];
}

function cuts({ cuts }: ConcludedRun): Markup | null {
  if (cuts.length === 0) return null;
  const { headings, rows } = cutTable(cuts);
  const head = headings.map((heading, at) =>
    at === 0 ? markup`<th>what</th>` : markup`<th class="number">${heading}</th>`,
  );
  const body = rows.map((row) => {
    const cells = row.map((cell, at) =>
      at === 0 ? markup`<td>${cell}</td>` : markup`<td class="number">${cell}</td>`,
    );
    return markup`<tr>${cells}</tr>`;
  });
  return markup`<section><h2>Cuts</h2><div class="scrolled"><table><thead><tr>${head}</tr></thead><tbody>${body}</tbody></table></div></section>`;
}

function again(record: RunRecord, folder: string): Markup {
  const check = markup`<p>The verdict on what clients saw:</p><pre class="command">npx adrift check runs/${folder}/history.jsonl</pre>`;
  if (record.kind !== "simulated") {
    return markup`<p>The same experiment once more; real time does not happen twice the same way:</p><pre class="command">npx adrift run runs/${folder}/experiment.yaml --bench ${record.kind}:runs/${folder}/bench.yaml</pre>
${check}`;
  }
  const { source, seed } = record;
  const fuzz =
    source.kind === "fuzz"
      ? markup`<p>The whole seed, before faults were left out:</p><pre class="command">npx adrift fuzz --seeds 1 --from ${seed}${source.mutant === null ? null : ` --mutant ${source.mutant}`}</pre>`
      : null;
  return markup`<p>The same run, compared byte for byte:</p><pre class="command">npx adrift replay runs/${folder}</pre>
${fuzz}${check}`;
}
