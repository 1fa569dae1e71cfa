/** What the parts of a board's configuration must have to do with each other. */

import { isLoopback } from "../mqtt/loopback.ts";
import type { BoardConfiguration } from "./configuration.ts";

/** A rule that does not hold: which place of the configuration breaks it, and how, in words for a person. */
export type BrokenRule = { readonly path: readonly (string | number)[]; readonly message: string };

/** All rules that a configuration breaks. */
export function brokenRules(configuration: BoardConfiguration): readonly BrokenRule[] {
  return [
    ...namesThatStandTwice(configuration),
    ...namesOfNothing(configuration),
    ...timersThatDoNotFit(configuration),
    ...doorsThatAreOpen(configuration),
  ];
}

function namesThatStandTwice({ boards, brokers, founders }: BoardConfiguration): readonly BrokenRule[] {
  return [
    ...repeated(boards.map(({ name }) => name)).map((at) => twice(["boards", at, "name"], boards[at]?.name)),
    ...repeated(brokers.map(({ name }) => name)).map((at) => twice(["brokers", at, "name"], brokers[at]?.name)),
    ...repeated(founders).map((at) => twice(["founders", at], founders[at])),
  ];
}

function namesOfNothing({ board, boards, brokers, founders, serves }: BoardConfiguration): readonly BrokenRule[] {
  const boardNames = boards.map(({ name }) => name);
  const brokerNames = brokers.map(({ name }) => name);
  return [
    ...unknown(["board"], "board", board, boardNames),
    ...founders.flatMap((name, at) => unknown(["founders", at], "board", name, boardNames)),
    ...boards.flatMap(({ inbox }, at) => unknown(["boards", at, "inbox"], "broker", inbox, brokerNames)),
    ...(serves === null ? [] : unknown(["serves", "broker"], "broker", serves.broker, brokerNames)),
  ];
}

function timersThatDoNotFit({ timing }: BoardConfiguration): readonly BrokenRule[] {
  const { heartbeatMs, electionMinMs, electionMaxMs } = timing;
  const broken: BrokenRule[] = [];
  if (electionMinMs <= 2 * heartbeatMs) {
    const message = `The shortest wait before an election is ${electionMinMs} ms, but must be more than two heartbeats of ${heartbeatMs} ms, or one lost heartbeat costs the leader its office.`;
    broken.push({ path: ["timing", "electionMinMs"], message });
  }
  if (electionMaxMs <= electionMinMs) {
    const message = `The longest wait before an election is ${electionMaxMs} ms, but must be more than the shortest, ${electionMinMs} ms, or boards stand for election at the same time for ever.`;
    broken.push({ path: ["timing", "electionMaxMs"], message });
  }
  return broken;
}

/** Nobody gets in who does not belong: beyond this machine there is only TLS with certificates on both sides. */
function doorsThatAreOpen({ brokers, serves, keys }: BoardConfiguration): readonly BrokenRule[] {
  const broken = brokers.flatMap(({ name, url }, at): readonly BrokenRule[] => {
    const { protocol, hostname } = new URL(url);
    const path = ["brokers", at, "url"];
    if (protocol === "mqtts:") {
      if (keys !== null) return [];
      return [{ path, message: `Broker ${name} takes TLS only (${url}), so this board needs keys: set \`keys\`.` }];
    }
    if (keys !== null) {
      const message = `Broker ${name} is reached without TLS (${url}), but this board has keys: write mqtts://.`;
      return [{ path, message }];
    }
    if (isLoopback(hostname)) return [];
    const message = `Broker ${name} is on another machine (${url}), where anybody could listen and speak: without keys only this machine may be named (127.0.0.1, [::1] or localhost). Make keys with \`adrift init\`, set \`keys\`, and write mqtts://.`;
    return [{ path, message }];
  });
  if (serves !== null && keys === null && !isLoopback(serves.host)) {
    const message = `Without keys the broker on this board may listen on this machine alone (127.0.0.1), not on ${serves.host}: anybody could come in. Make keys with \`adrift init\` and set \`keys\`.`;
    return [...broken, { path: ["serves", "host"], message }];
  }
  return broken;
}

/** The positions at which a name stands that stood before. */
function repeated(names: readonly string[]): readonly number[] {
  return names.flatMap((name, at) => (names.indexOf(name) < at ? [at] : []));
}

function twice(path: BrokenRule["path"], name: string | undefined): BrokenRule {
  return { path, message: `The name ${name} stands here a second time: each may stand once.` };
}

function unknown(
  path: BrokenRule["path"],
  what: string,
  name: string,
  known: readonly string[],
): readonly BrokenRule[] {
  return known.includes(name)
    ? []
    : [{ path, message: `There is no ${what} ${name}; there are ${[...new Set(known)].join(", ")}.` }];
}
