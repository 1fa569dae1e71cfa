/** The boards of a running cluster as a table for people, and as JSON for programs. */

import type { Json } from "../../../device/json.ts";
import type { Colour, Paint } from "../../report/paint.ts";
import { grouped } from "../../report/words.ts";
import type { BoardLine } from "./board-roll.ts";

type Cell = { readonly text: string; readonly colour?: Colour };

const headings = ["BOARD", "ROLE", "TERM", "COMMIT", "LEADER", "LAST SEEN", "CARRIER", "BROKER"] as const;
const numeric: ReadonlySet<string> = new Set(["TERM", "COMMIT"]);
const gap = "  ";

/** The lines of the table, none longer than `columns`. */
export function tableOf(lines: readonly BoardLine[], paint: Paint, columns: number): readonly string[] {
  const rows: readonly (readonly Cell[])[] = [headings.map((text) => ({ text, colour: "dim" })), ...lines.map(rowOf)];
  const widths = headings.map((_heading, at) => Math.max(...rows.map((row) => row[at]?.text.length ?? 0)));
  return rows.map((row) => lineOf(row, widths, paint, columns));
}

/** A board in one line of text, for logs. */
export function sentenceOf({ board, presence, status }: BoardLine): string {
  if (status === null || presence !== "online") return `${board}: ${presence}`;
  const { role, term, leader } = status;
  if (role === "leader") return `${board}: leader, term ${term}`;
  return `${board}: ${wordOf(role)}, term ${term}, ${leader === null ? "knows no leader" : `led by ${leader}`}`;
}

/** A board for programs. */
export function jsonOf({ board, presence, status, lastSeenMs, brokers }: BoardLine): Json {
  return {
    board,
    presence,
    lastSeenMs: lastSeenMs === null ? null : Math.round(lastSeenMs),
    brokers,
    status: status === null ? null : { ...status },
  };
}

function rowOf({ board, presence, status, lastSeenMs, brokers }: BoardLine): readonly Cell[] {
  const isOnline = presence === "online";
  const faded: { readonly colour?: Colour } = isOnline ? {} : { colour: "dim" };
  const leads = isOnline && status?.role === "leader";
  return [
    { text: board, ...(leads ? { colour: "bold" } : faded) },
    isOnline && status !== null ? roleCell(status.role) : { text: presence, colour: "red" },
    { text: status === null ? "-" : String(status.term), ...faded },
    { text: status === null ? "-" : grouped(status.commitIndex), ...faded },
    { text: status?.leader ?? "-", ...faded },
    { text: ageOf(lastSeenMs), ...(isOnline ? {} : { colour: "yellow" }) },
    carrierCell(status?.carrier ?? null),
    { text: brokers.length === 0 ? "-" : brokers.join(", "), ...faded },
  ];
}

function roleCell(role: string): Cell {
  if (role === "leader") return { text: role, colour: "green" };
  return role === "follower" ? { text: role } : { text: wordOf(role), colour: "yellow" };
}

/** `preCandidate` is a word of the wire; people read `pre-candidate`. */
function wordOf(role: string): string {
  return role.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

function carrierCell(carrier: boolean | null): Cell {
  if (carrier === null) return { text: "-", colour: "dim" };
  return carrier ? { text: "yes" } : { text: "no", colour: "red" };
}

function ageOf(lastSeenMs: number | null): string {
  if (lastSeenMs === null) return "-";
  if (lastSeenMs < 1_500) return "now";
  const seconds = Math.floor(lastSeenMs / 1_000);
  return seconds < 120 ? `${seconds} s ago` : `${Math.floor(seconds / 60)} min ago`;
}

/** Cells are cut before they are painted, so that no colour is cut in two. */
function lineOf(row: readonly Cell[], widths: readonly number[], paint: Paint, columns: number): string {
  let room = columns;
  let line = "";
  for (const [at, { text, colour }] of row.entries()) {
    const width = widths[at] ?? 0;
    const isLast = at === row.length - 1;
    const padded = numeric.has(headings[at] ?? "") ? text.padStart(width) : text.padEnd(isLast ? 0 : width);
    const shown = (at === 0 ? padded : gap + padded).slice(0, Math.max(room, 0));
    room -= shown.length;
    line += colour === undefined ? shown : paint(colour, shown);
  }
  return line;
}
