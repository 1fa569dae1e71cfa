/** Any valid payloads, for properties and as what mutations start from. */

import fc from "fast-check";
import type { Configuration, Entry } from "../raft/types.ts";
import type {
  AnyRequest,
  EventEnvelope,
  PeerEnvelope,
  ReplyEnvelope,
  RequestEnvelope,
  StatusEnvelope,
} from "./envelope.ts";
import type { Outcome, PeerMessage } from "./protocol.ts";

const whole = fc.oneof(fc.nat(20), fc.maxSafeNat());
const board = fc.constantFrom("pi-1", "pi-2", "pi-3", "a", "b-0123456789-0123456789-01234567");
const member = fc.oneof(
  board,
  fc
    .tuple(board, fc.constantFrom("0", "1234abcd", "ffffffffffffffff"))
    .map(([name, incarnation]) => `${name}.${incarnation}`),
);
const members = fc.array(member, { maxLength: 4 });
const sortedMembers = members.map((names) => [...new Set(names)].sort());
const anyText = fc.oneof(fc.string({ maxLength: 20 }), fc.string({ unit: "binary", maxLength: 20 }));
const machine = fc.constantFrom("kv", "counter", "a.b_c-D");
const ascii = fc.string({ unit: "binary-ascii", maxLength: 40 });
const json = fc.jsonValue({ maxDepth: 3 }).map((value) => JSON.parse(JSON.stringify(value)));

/** What stands in entries: commands as they are, and what only looks like one. */
const data = fc.oneof(
  json.map((command) => JSON.stringify({ session: 4, command }).replace(/[^\x20-\x7e]/g, "?")),
  ascii.map((text) => `{${text}}`),
  ascii,
  fc.constantFrom("", "{", "}", "{}", "{}}", "}{", '{"term":1,"command":{}}', '{"a":1}\n{"b":2}', "null"),
);

const configuration = fc.record({
  voters: sortedMembers,
  votersOutgoing: sortedMembers,
  learners: sortedMembers,
  learnersNext: sortedMembers,
  autoLeave: fc.boolean(),
});

type Content =
  | { readonly kind: "empty" }
  | { readonly kind: "command"; readonly data: string }
  | { readonly kind: "configuration"; readonly configuration: Configuration };

const content: fc.Arbitrary<Content> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant("command" as const), data }) },
  fc.record({ kind: fc.constant("empty" as const) }),
  fc.record({ kind: fc.constant("configuration" as const), configuration }),
);

/** What the payload of `from` to `to` may hold. */
function messageOf(from: string, to: string): fc.Arbitrary<PeerMessage> {
  const incarnation = fc.constantFrom("", "", ".00ab12cd");
  const addressed = {
    from: incarnation.map((suffix) => from + suffix),
    to: incarnation.map((suffix) => to + suffix),
    term: whole,
  };
  const vote = { lastIndex: whole, lastTerm: whole, transfer: fc.boolean() };
  return fc.oneof(
    fc.record({ type: fc.constantFrom("vote" as const, "preVote" as const), ...addressed, ...vote }),
    fc.record({
      type: fc.constantFrom("voteReply" as const, "preVoteReply" as const),
      ...addressed,
      granted: fc.boolean(),
    }),
    { weight: 5, arbitrary: append(addressed) },
    fc.record({ type: fc.constant("appendAccepted" as const), ...addressed, matchIndex: whole }),
    fc.record({
      type: fc.constant("appendRejected" as const),
      ...addressed,
      prevIndex: whole,
      conflictTerm: whole,
      conflictIndex: whole,
      lastIndex: whole,
    }),
    fc.record({ type: fc.constant("heartbeat" as const), ...addressed, commit: whole, match: whole, round: whole }),
    fc.record({ type: fc.constant("heartbeatReply" as const), ...addressed, round: whole }),
    fc.record({
      type: fc.constant("snapshot" as const),
      ...addressed,
      snapshotIndex: whole,
      snapshotTerm: whole,
      configuration,
      offset: fc.nat(1_000),
      size: fc.integer({ min: 2_000, max: 1_000_000 }),
      data: ascii,
    }),
    fc.record({ type: fc.constant("snapshotReply" as const), ...addressed, snapshotIndex: whole, offset: whole }),
    fc.record({ type: fc.constant("timeoutNow" as const), ...addressed }),
    fc.record({ type: fc.constant("readIndex" as const), ...addressed, read: whole }),
    fc.record({ type: fc.constant("readIndexReply" as const), ...addressed, read: whole, index: fc.option(whole) }),
    fc.record({ type: fc.constant("join" as const), from: addressed.from, to: addressed.to }),
  );
}

/** Appends as leaders send them: indexes without a gap, terms that never fall nor pass the leader's. */
function append(addressed: { from: fc.Arbitrary<string>; to: fc.Arbitrary<string> }): fc.Arbitrary<PeerMessage> {
  return fc
    .record({
      from: addressed.from,
      to: addressed.to,
      prevIndex: fc.nat(1_000_000),
      prevTerm: fc.oneof(fc.nat(5), fc.constant(Number.MAX_SAFE_INTEGER - 100)),
      contents: fc.array(fc.tuple(fc.nat(2), content), { maxLength: 6 }),
      commit: whole,
    })
    .map(({ contents, ...rest }) => {
      let term = rest.prevTerm;
      const entries = contents.map(([step, content], at): Entry => {
        term += step;
        return { ...content, index: rest.prevIndex + 1 + at, term };
      });
      return { ...rest, type: "append" as const, term: term + 1, entries };
    });
}

const origin = { from: board, boot: whole, seq: whole };

/** A payload from one board to another. */
export const peerEnvelope: fc.Arbitrary<{ readonly envelope: PeerEnvelope; readonly to: string }> = fc
  .tuple(board, board)
  .chain(([from, to]) =>
    fc.record({
      to: fc.constant(to),
      envelope: fc.record({
        ...origin,
        from: fc.constant(from),
        connection: whole,
        atMs: fc.oneof(whole, fc.double({ min: 0, max: 1e12, noNaN: true }).map(Math.abs)),
        messages: fc.array(messageOf(from, to), { minLength: 1, maxLength: 5 }),
      }),
    }),
  );

/** A payload of this client's requests. Those of administration are the controller's alone. */
export function requestEnvelope(client: string): fc.Arbitrary<RequestEnvelope> {
  const asked = { client: fc.constant(client), request: whole };
  const numbers = fc.tuple(whole, whole).map(([one, other]) => [Math.max(one, other), Math.min(one, other)] as const);
  const command = fc
    .record({ numbers, session: whole, machine, command: json })
    .map(({ numbers: [request, firstPending], ...rest }) => ({
      type: "command" as const,
      client,
      request,
      firstPending,
      ...rest,
    }));
  const mode = fc.constantFrom("linearizable" as const, "lease" as const, "stale" as const);
  const ordinary: fc.Arbitrary<AnyRequest>[] = [
    command,
    fc.record({ type: fc.constant("query" as const), ...asked, machine, query: json, mode }),
    fc.record({ type: fc.constantFrom("register" as const, "status" as const, "time" as const), ...asked }),
    fc.record({ type: fc.constant("flight" as const), ...asked, after: whole }),
    fc.record({ type: fc.constant("identify" as const), ...asked, forMs: fc.integer({ min: 1, max: 600_000 }) }),
  ];
  const administration: fc.Arbitrary<AnyRequest>[] = [
    fc.record({ type: fc.constant("transfer" as const), ...asked, to: member }),
    fc.record({ type: fc.constant("changeMembers" as const), ...asked, voters: members, learners: members }),
  ];
  const request = fc.oneof(...ordinary, ...(client === "controller" ? administration : []));
  return fc.record({
    ...origin,
    from: fc.constant(client),
    requests: fc.array(request, { minLength: 1, maxLength: 5 }),
  });
}

const outcome: fc.Arbitrary<Outcome> = fc.oneof(
  fc.record({ kind: fc.constant("ok" as const), value: json }),
  fc.record({ kind: fc.constant("refused" as const), error: anyText }),
  fc.record({ kind: fc.constant("retry" as const), error: anyText, leader: fc.option(member) }),
  fc.record({ kind: fc.constant("sessionExpired" as const) }),
);

/** A payload of replies to this client. */
export function replyEnvelope(client: string): fc.Arbitrary<ReplyEnvelope> {
  const reply = fc.record({ client: fc.constant(client), request: whole, outcome });
  return fc.record({ ...origin, replies: fc.array(reply, { minLength: 1, maxLength: 5 }) });
}

/** A board's status, its will and its farewell among them. */
export const statusEnvelope: fc.Arbitrary<StatusEnvelope> = fc.record({
  ...origin,
  online: fc.boolean(),
  status: fc.option(
    fc.record({
      member,
      role: fc.constantFrom("opening", "joining", "follower", "preCandidate", "candidate", "leader", "stopped"),
      term: whole,
      leader: fc.option(member),
      commitIndex: whole,
      appliedIndex: whole,
      lastIndex: whole,
      voters: sortedMembers,
      learners: sortedMembers,
      version: anyText,
      carrier: fc.option(fc.boolean()),
    }),
  ),
});

/** A record of a flight recorder. */
export const eventEnvelope: fc.Arbitrary<EventEnvelope> = fc.record({
  ...origin,
  record: fc.record({ number: whole, boot: whole, wallUs: whole, monotonicUs: whole, happening: json }),
});
