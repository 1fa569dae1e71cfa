/** JSON values, and their one text form here: ASCII, so that a text's length is its size in bytes wherever it goes. */

/** Any JSON value: what commands, results and states are made of. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

const beyondAscii = /[\u0080-\uffff]/;
const everyBeyondAscii = /[\u0080-\uffff]/g;

/** The text of a JSON value with every character beyond ASCII escaped (`\u00e9`): one character, one byte. */
export function toAsciiJson(value: Json): string {
  const text = JSON.stringify(value);
  return beyondAscii.test(text) ? text.replace(everyBeyondAscii, escapeCharacter) : text;
}

function escapeCharacter(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}
