/** HTML and SVG as text that cannot be broken by what is put into it: whatever is not markup already is escaped. */

/** Text that is markup: made by `markup` alone, so that nothing else passes for it. */
export class Markup {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** What may stand between pieces of markup; `null` leaves nothing. */
export type Insertion = Markup | readonly Markup[] | string | number | null;

/** A template tag: markup, in which what is inserted stays text. */
export function markup(pieces: TemplateStringsArray, ...insertions: readonly Insertion[]): Markup {
  let text = pieces[0] ?? "";
  insertions.forEach((insertion, at) => {
    text += textOf(insertion) + (pieces[at + 1] ?? "");
  });
  return new Markup(text);
}

/** Markup from a file of the project, word for word. */
export function trusted(text: string): Markup {
  return new Markup(text);
}

function textOf(insertion: Insertion): string {
  if (insertion === null) return "";
  if (insertion instanceof Markup) return insertion.text;
  if (typeof insertion === "number") return String(insertion);
  if (typeof insertion === "string") return escaped(insertion);
  return insertion.map((each) => each.text).join("");
}

function escaped(text: string): string {
  return text.replaceAll(/[&<>"']/g, (sign) => entities[sign] ?? sign);
}

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};
