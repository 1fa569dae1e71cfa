/**
 * One client with as many sessions as it needs: the cluster keeps only so many answers for a session, so a single one
 * could not have thousands of calls under way. To its owner the pool is a client like any other.
 *
 * Sessions are opened one after the other, when those before are full. The numbers of their requests lie far apart, so a
 * reply's number tells which of them it is for.
 */

import type { Request } from "../transport/protocol.ts";
import { type Client, type ClientOptions, type ClientSetup, createClient, type FinishedCall } from "./client.ts";

/** How far apart the request numbers of two sessions begin: further than any session counts. */
export const requestNumbersApart = 1_099_511_627_776;

/** Half of the answers that the cluster keeps for a session, so that one that gets lost does not hold up the rest. */
const outstandingPerSessionMax = 512;
const answersKept = 1_024;

/** What a pool is made of. */
export type ClientPoolSetup = Omit<ClientSetup, "options"> & {
  /** How many calls may be under way at once in all sessions together. */
  readonly inFlightMax: number;
  /** Where they shall differ from `clientOptions`. */
  readonly options?: Partial<Omit<ClientOptions, "outstandingMax" | "answersKept">>;
};

/** A client that has done nothing yet. */
export function createClientPool({ inFlightMax, firstRequest = 1, name, random, options }: ClientPoolSetup): Client {
  const sessions = Math.ceil(inFlightMax / outstandingPerSessionMax);
  const outstandingMax = Math.ceil(inFlightMax / sessions);
  const members: Client[] = [];

  function addMember(): Client {
    const position = members.length;
    const member = createClient({
      name,
      random: random.fork(`session ${position}`),
      firstRequest: firstRequest + position * requestNumbersApart,
      options: { ...options, outstandingMax, answersKept },
    });
    members.push(member);
    return member;
  }

  /** The first with room; if there is none, a new one; if there may be none, the one with the fewest calls. */
  function memberForNext(): Client {
    let least: Client | null = null;
    for (const member of members) {
      if (member.load < outstandingMax) return member;
      if (least === null || member.load < least.load) least = member;
    }
    return least === null || members.length < sessions ? addMember() : least;
  }

  return {
    submit(call, nowUs) {
      const member = memberForNext();
      return member.submit(call, nowUs) * sessions + members.indexOf(member);
    },

    receive(reply, nowUs) {
      members[Math.floor((reply.request - firstRequest) / requestNumbersApart)]?.receive(reply, nowUs);
    },

    tick(nowUs) {
      for (const member of members) member.tick(nowUs);
    },

    hasten(nowUs) {
      for (const member of members) member.hasten(nowUs);
    },

    drain() {
      const requests: Request[] = [];
      const repeated: Request[] = [];
      const finished: FinishedCall[] = [];
      for (const [position, member] of members.entries()) {
        const effects = member.drain();
        requests.push(...effects.requests);
        repeated.push(...effects.repeated);
        for (const { handle, outcome } of effects.finished) {
          finished.push({ handle: handle * sessions + position, outcome });
        }
      }
      return { requests, repeated, finished };
    },

    nextDeadlineUs() {
      const deadlinesUs = members.map((member) => member.nextDeadlineUs() ?? Number.POSITIVE_INFINITY);
      const nextUs = Math.min(...deadlinesUs);
      return nextUs === Number.POSITIVE_INFINITY ? null : nextUs;
    },

    get load() {
      return members.reduce((sum, { load }) => sum + load, 0);
    },
  };
}
