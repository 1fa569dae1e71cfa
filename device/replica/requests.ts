/** What clients and operators ask of a board: taking it in, answering it now, or later from the log. */

import type { Applied, MachineHost } from "../machine/host.ts";
import { encodeCommand, type LogCommand } from "../machine/log-command.ts";
import type { Entry, Raft, ReadResult } from "../raft/index.ts";
import type { Administration, Outcome, Reply, Request } from "../transport/protocol.ts";
import type { Via } from "./host.ts";
import { PendingRequests } from "./pending.ts";

type Query = Extract<Request, { type: "query" }>;

/** What answering takes. */
export type RequestsSettings = {
  readonly raft: Raft;
  readonly machines: MachineHost;
  readonly reply: (via: Via, reply: Reply) => void;
  /** What time it is, in milliseconds: what a leader writes into the log. */
  readonly wallMs: () => number;
  readonly pendingRequestsMax: number;
};

/** The requests of one boot of a board. */
export class Requests {
  readonly #settings: RequestsSettings;
  readonly #pending: PendingRequests;
  #nextRead = 1;

  constructor(settings: RequestsSettings) {
    this.#settings = settings;
    this.#pending = new PendingRequests(settings.reply);
  }

  /** How many requests wait for their answer. */
  get waiting(): number {
    return this.#pending.size;
  }

  /** Takes a request in. Whatever board it reaches answers it, or says that another try may be answered. */
  take(request: Request | Administration, via: Via): void {
    const { machines, raft } = this.#settings;
    switch (request.type) {
      case "register":
        this.#propose(request, via, { kind: "register", client: request.client, timeMs: this.#settings.wallMs() });
        return;
      case "command": {
        const wrong = machines.check(request.machine, request.command);
        if (wrong === null) this.#propose(request, via, { ...entryOf(request), timeMs: this.#settings.wallMs() });
        else this.#answer(request, via, { kind: "refused", error: wrong });
        return;
      }
      case "query":
        if (request.mode === "stale") this.#answer(request, via, this.#ask(request));
        else this.#read(request, via);
        return;
      case "transfer":
      case "changeMembers":
        this.#answer(request, via, administer(raft, request));
        return;
      default:
        request satisfies never;
    }
  }

  /** An entry was applied: whoever waits for it gets its answer. */
  applied(entry: Entry, applied: Applied | null): void {
    this.#pending.applied(entry.index, entry.term, applied === null ? null : applied.outcome);
  }

  /** The core has an answer for a read. */
  readDone(read: ReadResult): void {
    if (read.ready) this.#pending.readConfirmed(read.id, read.index);
    else this.#pending.readFailed(read.id, read.reason, this.#settings.raft.leader);
  }

  /** Answers the reads that have waited for what is applied by now. */
  answerReads(): void {
    this.#pending.answerReads(this.#settings.raft.appliedIndex, this.#ask);
  }

  /** This board leads no longer: nobody needs to wait for it. */
  leadershipLost(): void {
    this.#pending.leadershipLost(this.#settings.raft.leader);
  }

  #propose(request: Request, via: Via, command: LogCommand): void {
    if (this.#pending.takeCopy(request, via)) return;
    if (this.#isFull()) {
      this.#retry(request, via, this.#fullness());
      return;
    }
    const proposed = this.#settings.raft.propose(encodeCommand(command));
    if (proposed.ok) this.#pending.addCommand(request, via, proposed.index, proposed.term);
    else this.#retry(request, via, proposed.reason);
  }

  #read(query: Query, via: Via): void {
    if (this.#pending.takeCopy(query, via)) return;
    const read = this.#nextRead;
    this.#nextRead += 1;
    const refused = this.#isFull() ? this.#fullness() : this.#settings.raft.read(read, query.mode === "lease");
    if (refused === null) this.#pending.addRead(read, query, via);
    else this.#retry(query, via, refused);
  }

  #isFull(): boolean {
    return this.#pending.size >= this.#settings.pendingRequestsMax;
  }

  #fullness(): string {
    return `${this.#settings.pendingRequestsMax} requests wait already`;
  }

  readonly #ask = ({ machine, query }: Query): Outcome => {
    const result = this.#settings.machines.query(machine, query);
    return result.ok ? { kind: "ok", value: result.value } : { kind: "refused", error: result.error };
  };

  #retry(request: Request, via: Via, error: string): void {
    this.#answer(request, via, { kind: "retry", error, leader: this.#settings.raft.leader });
  }

  #answer({ client, request }: Request | Administration, via: Via, outcome: Outcome): void {
    this.#settings.reply(via, { client, request, outcome });
  }
}

function entryOf(
  request: Extract<Request, { type: "command" }>,
): Omit<Extract<LogCommand, { kind: "command" }>, "timeMs"> {
  const { client, session, firstPending, machine, command } = request;
  return { kind: "command", client, session, request: request.request, firstPending, machine, command };
}

/** Begins what an operator asks for. The answer says whether it has begun, not whether it is done. */
function administer(raft: Raft, request: Administration): Outcome {
  const refused = request.type === "transfer" ? raft.transfer(request.to) : changeMembers(raft, request);
  if (refused === null) return { kind: "ok", value: true };
  if (raft.role === "leader") return { kind: "refused", error: sentence(refused, request) };
  return { kind: "retry", error: refused, leader: raft.leader };
}

function changeMembers(
  raft: Raft,
  { voters, learners }: Extract<Administration, { type: "changeMembers" }>,
): string | null {
  const changed = raft.changeMembers({ voters, learners });
  return changed.ok ? null : changed.reason;
}

/** A reason of the core as operators read it. Names of members stay as they are. */
function sentence(reason: string, request: Administration): string {
  const members = request.type === "transfer" ? [request.to] : [...request.voters, ...request.learners];
  const startsWithName = members.some((member) => reason.startsWith(`${member} `));
  return `${startsWithName ? reason : reason.charAt(0).toUpperCase() + reason.slice(1)}.`;
}
