/** What boards of the LCUS kind are told, and what those that answer say. */

const start = 0xa0;

/** Asks how all relays are. */
export const statusQuery = 0xff;

/** Switches a relay, counted from 1. The last byte is the sum of the others. */
export function relayFrame(channel: number, isOn: boolean): Uint8Array {
  const state = isOn ? 1 : 0;
  return Uint8Array.of(start, channel, state, (start + channel + state) & 0xff);
}

/** Whether a relay is on, by the board's lines, such as `CH1: ON`; `null` if no whole line speaks of it. */
export function statusIn(text: string, channel: number): boolean | null {
  const line = text
    .split("\n")
    .slice(0, -1)
    .map((each) => /^\s*CH(\d):\s*(ON|OFF)\s*$/i.exec(each))
    .findLast((fields) => fields?.[1] === String(channel));
  const state = line?.[2];
  return state === undefined ? null : state.toUpperCase() === "ON";
}
