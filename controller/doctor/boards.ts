/** The boards: whether each takes part, with the same software as the others and a clock that is right. */

import type { BoardStatus } from "../../device/transport/envelope.ts";
import { listed } from "../report/words.ts";
import { type Finding, ok, unchecked, warning, wrong } from "./finding.ts";

/** What was heard of a board. */
export type BoardLook = {
  readonly board: string;
  /** Whether a broker has it; `null` if no broker ever heard of it. */
  readonly isOnline: boolean | null;
  /** What it says of itself, the answer to our question or else what it said last. */
  readonly status: BoardStatus | null;
  readonly clock: ClockLook | null;
};

/** A board's clocks beside ours. */
export type ClockLook = {
  /** How long ago its program was started. */
  readonly upMs: number;
  /** By how much its wall clock is ahead of ours, give or take the uncertainty. */
  readonly aheadMs: number;
  readonly uncertaintyMs: number;
};

/** Beyond this its log files and flight records are hard to read beside those of others. */
const aheadMsMax = 1_000;
/** Certificates are good from an hour before they were made, for the sake of boards without a battery. */
const aheadMsOfStrangers = 3_600_000;
/** Who has started only now may do so again and again. */
const youngMs = 30_000;
/** What a board says whose program was not bundled. */
const withoutVersion = "unbundled";

/** Where a board runs: as a service on a machine of its own, or as a process that somebody has started by hand. */
export type BoardPlace = "service" | "process";

/** What is wrong with one board, or that nothing is. @param ours the version of Adrift on this machine */
export function judgeBoard(look: BoardLook, ours: string, place: BoardPlace): readonly Finding[] {
  const { board, isOnline, status, clock } = look;
  if (isOnline === null) {
    const cure =
      place === "service"
        ? "Is it switched on, and was its card written for this cluster? Its serial console tells more."
        : `Was it started, and for this cluster? ${logOf(place)}`;
    return [wrong(board, "no broker has ever heard of it", cure)];
  }
  if (!isOnline) {
    const cure =
      place === "service"
        ? "Switch it on, look at its cable; then over SSH: systemctl status adrift, journalctl -u adrift."
        : `Start it again. ${logOf(place)}`;
    return [wrong(board, "it is offline", cure)];
  }
  if (clock === null) {
    const cure = `Try again. ${logOf(place)}`;
    return [wrong(board, "its broker has it, but it does not answer", cure)];
  }
  const findings = [
    ...roleFindings(board, status, place),
    ...versionFindings(board, status, ours),
    ...clockFindings(board, clock, place),
  ];
  if (status?.carrier === false) {
    const cure = "Look at the plug: it is heard all the same, by another interface.";
    findings.push(warning(board, "its network interface has no carrier", cure));
  }
  return findings.length > 0 ? findings : [ok(board, `online (version ${status?.version ?? "unknown"})`)];
}

/** What is wrong with the boards together. */
export function judgeCluster(looks: readonly BoardLook[]): readonly Finding[] {
  const online = looks.filter(({ isOnline, status }) => isOnline === true && status !== null);
  if (online.length === 0) return [];
  const findings: Finding[] = [];
  const versions = new Set(online.map(({ status }) => status?.version));
  if (versions.size > 1) {
    const each = online.map(({ board, status }) => `${board} ${status?.version}`);
    const cure = 'Bring all to one version: "npx adrift deploy".';
    findings.push(warning("versions", `boards run different ones (${listed(each)})`, cure));
  }
  const leaders = online.flatMap(({ board, status }) =>
    status?.role === "leader" ? [{ board, term: status.term }] : [],
  );
  const [latest] = leaders.toSorted((one, other) => other.term - one.term);
  if (latest === undefined) {
    const cure =
      "More than half of the voters must hear each other: see the boards and brokers, and npx adrift status.";
    findings.push(wrong("leader", "nobody leads, so nothing can be written", cure));
  } else findings.push(ok("leader", `${latest.board}, term ${latest.term}`));
  return findings;
}

/** Nothing that a board says over MQTT tells how long its card takes. */
export function cardsUnchecked(): Finding {
  return unchecked(
    "cards",
    "how long they take to flush is measured by the boards, and told to their own machines alone",
    'Set "metricsPort: 9464" in a board\'s board.yaml; then there: curl -s 127.0.0.1:9464/metrics | grep adrift_flush_seconds',
  );
}

/** Where it says why. Boards of `adrift up` run on this very machine, without a service. */
function logOf(place: BoardPlace): string {
  return place === "service"
    ? "Its log (over SSH: journalctl -u adrift) says why."
    : 'Its log says why: for boards of "npx adrift up --data DIR" it is in DIR/logs.';
}

function roleFindings(board: string, status: BoardStatus | null, place: BoardPlace): Finding[] {
  switch (status?.role) {
    case "stopped": {
      const cure = `${logOf(place)} Keep that and its flight recorder before you start it again.`;
      return [wrong(board, "it found something impossible, and has stopped taking part", cure)];
    }
    case "opening":
      return [warning(board, "it still reads its card", "Wait; if it stays so, the card is slow or broken.")];
    case "joining": {
      const cure = "A leader takes it in: see that one leads. If it stays so, was it a member before?";
      return [warning(board, "it has an empty card, and waits to be taken in", cure)];
    }
    default:
      return [];
  }
}

function versionFindings(board: string, status: BoardStatus | null, ours: string): Finding[] {
  const theirs = status?.version ?? withoutVersion;
  if (theirs === ours || theirs === withoutVersion) return [];
  const cure = `"npx adrift deploy" brings it ours.`;
  return [warning(board, `it runs version ${theirs}, and this is ${ours}`, cure)];
}

function clockFindings(board: string, { upMs, aheadMs, uncertaintyMs }: ClockLook, place: BoardPlace): Finding[] {
  const findings: Finding[] = [];
  const sureMs = Math.max(0, Math.abs(aheadMs) - uncertaintyMs);
  if (sureMs > aheadMsMax) {
    const what = `its clock is ${lengthOf(Math.abs(aheadMs))} ${aheadMs > 0 ? "ahead of" : "behind"} ours`;
    const cure = "See that it synchronises (over SSH: timedatectl), and that this machine does.";
    findings.push(
      sureMs > aheadMsOfStrangers ? wrong(board, what, `${cure} Keys are refused so.`) : warning(board, what, cure),
    );
  }
  if (upMs < youngMs) {
    const what = `it started less than ${youngMs / 1_000} s ago`;
    findings.push(warning(board, what, `Look again, in case it starts over and over. ${logOf(place)}`));
  }
  return findings;
}

function lengthOf(ms: number): string {
  if (ms < 120_000) return `${(ms / 1_000).toFixed(1)} s`;
  if (ms < 7_200_000) return `${Math.round(ms / 60_000)} min`;
  return ms < 172_800_000 ? `${Math.round(ms / 3_600_000)} h` : `${Math.round(ms / 86_400_000)} days`;
}
