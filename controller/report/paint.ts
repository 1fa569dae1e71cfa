/** Colours of a terminal, or none. */

/** What a terminal can do to a text. */
export type Colour = "bold" | "dim" | "red" | "green" | "yellow" | "blue" | "magenta" | "cyan";

/** Paints a text; where there are no colours it leaves the text as it is. */
export type Paint = (colour: Colour, text: string) => string;

const codes: { readonly [Name in Colour]: readonly [on: number, off: number] } = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  blue: [34, 39],
  magenta: [35, 39],
  cyan: [36, 39],
};

/** Paints, if the terminal shows colours. */
export function painter(isColoured: boolean): Paint {
  if (!isColoured) return (_colour, text) => text;
  return (colour, text) => {
    const [on, off] = codes[colour];
    return text === "" ? "" : `\u001b[${on}m${text}\u001b[${off}m`;
  };
}
