/**
 * A board: the replica that the simulator runs too, on a real disk, real connections and a real clock.
 *
 * Everything that happens comes in through one of a few doors (a payload, a timer, the end of a disk operation, an order)
 * and what follows leaves at the end of the turn. The process around it stands in `main.ts`.
 */

import { randomBytes } from "node:crypto";
import { createKeyValue } from "../machine/key-value.ts";
import type { Keys } from "../mqtt/keys.ts";
import { createRandom } from "../random.ts";
import type { Via } from "../replica/host.ts";
import { replicaOptionsOf } from "../replica/options.ts";
import { Replica } from "../replica/replica.ts";
import type { Disk } from "../storage/index.ts";
import { DropCounters } from "../transport/drop-counters.ts";
import type { AnyRequest, BoardStatus } from "../transport/envelope.ts";
import type { Outcome, PeerMessage, Reply } from "../transport/protocol.ts";
import type { BoardClock } from "./board-clock.ts";
import type { BoardConfiguration } from "./configuration.ts";
import type { FlightRecorder } from "./flight-recorder.ts";
import type { Happening } from "./happening.ts";
import { Links } from "./links.ts";
import { Telling } from "./telling.ts";
import { Turn } from "./turn.ts";
import { version } from "./version.ts";

/** What a board is made of. */
export type BoardSettings = {
  readonly configuration: BoardConfiguration;
  readonly boot: number;
  readonly keys: Keys | null;
  readonly disk: Disk;
  readonly clock: BoardClock;
  readonly flight: FlightRecorder;
  /** Whether a network interface has its carrier; `null`: nobody can tell. */
  readonly carrier: () => boolean | null;
  /** Blinks for so long; says whether the board has anything to blink with. */
  readonly blink: (forMs: number) => boolean;
  readonly handlers: BoardHandlers;
};

/** What the process around a board hears. */
export type BoardHandlers = {
  happened(happening: Happening): void;
  commitTook(us: number): void;
  unreachable(broker: string, reason: string): void;
  /** The replica found itself in an impossible state, or its disk failed: the process has to end. */
  stopped(reason: string): void;
};

/** How often the status is told even if nothing changed, so that whoever watches sees that the board lives. */
const statusEveryMs = 1_000;
/** How many bytes of the flight recorder go into one answer. */
const flightBytesMax = 128 * 1024;

/** One boot of a board. */
export class Board {
  readonly drops = new DropCounters();
  readonly #settings: BoardSettings;
  readonly #links: Links;
  readonly #replica: Replica;
  readonly #telling: Telling;
  readonly #turn = new Turn((inputs) => this.#take(inputs));
  readonly #statusTimer: NodeJS.Timeout;
  #wake: NodeJS.Timeout | null = null;
  #wakeAtUs = Number.POSITIVE_INFINITY;
  #isClosed = false;

  /** Opens the disk, begins to connect, and takes part as soon as it can. */
  constructor(settings: BoardSettings) {
    const { configuration, boot, keys, clock, handlers } = settings;
    this.#settings = settings;
    this.#telling = new Telling({
      nowUs: () => clock.monotonicUs(),
      tell: (happening) => this.tell(happening),
      commitTook: handlers.commitTook,
    });
    this.#links = new Links({
      configuration,
      boot,
      keys,
      drops: this.drops,
      nowMs: () => performance.now(),
      status: () => this.status,
      handlers: {
        peer: (messages) => this.#turn.input(() => this.#receive(messages)),
        requests: (requests, via) => this.#turn.input(() => this.#answer(requests, via)),
        gone: (board) => this.#turn.input(() => this.#replica.boardGone(board)),
        connection: (broker, up) => this.tell({ kind: "connection", broker, up }),
        failed: handlers.unreachable,
      },
    });
    this.#replica = this.#createReplica();
    this.#statusTimer = setInterval(() => this.#tellRegularly(), statusEveryMs);
    this.#replica.start();
  }

  get replica(): Replica {
    return this.#replica;
  }

  get links(): Pick<Links, "state"> {
    return this.#links;
  }

  /** How the board takes part now, for everybody. */
  get status(): BoardStatus {
    const configuration = this.#replica.raft?.configuration;
    return {
      ...this.#replica.status,
      voters: configuration?.voters ?? [],
      learners: configuration?.learners ?? [],
      version,
      carrier: this.#settings.carrier(),
    };
  }

  /** Something happened: it is recorded, and told to whoever listens. */
  tell(happening: Happening): void {
    const { flight, handlers } = this.#settings;
    handlers.happened(happening);
    const record = flight.record(happening);
    // The constructor's own first words come before there is anybody to hear them.
    this.#links?.publishEvent(record);
    if (happening.kind === "replica" && happening.event.type === "stopped") handlers.stopped(happening.event.reason);
  }

  /** The clock was set wrong, so what it is to wake for is due at another time. */
  clockChanged(): void {
    this.#wakeAtUs = Number.POSITIVE_INFINITY;
    this.#arm();
  }

  /** Hands leadership over, if it has it, and leaves: within `withinMs` whatever happens. */
  async leave(withinMs: number): Promise<void> {
    const untilMs = performance.now() + withinMs;
    await this.#handOver(untilMs - withinMs / 3);
    this.#isClosed = true;
    clearInterval(this.#statusTimer);
    if (this.#wake !== null) clearTimeout(this.#wake);
    await this.#links.close();
  }

  #createReplica(): Replica {
    const { configuration, clock, disk } = this.#settings;
    return new Replica({
      board: configuration.board,
      cluster: configuration.cluster,
      founders: configuration.founders,
      boards: configuration.boards.map(({ name }) => name),
      clock,
      disk: this.#armedDisk(disk),
      wire: {
        send: (board, message) => this.#links.send(board, message),
        reply: (via, reply) => this.#links.reply(via, reply),
        takeRequests: (wanted) => this.#links.takeRequests(wanted),
        publishStatus: () => this.#links.publishStatus(),
      },
      // New numbers at every boot, so that late answers meet nobody.
      random: createRandom(randomBytes(16).toString("hex")),
      options: replicaOptionsOf(configuration),
      machines: () => [createKeyValue()],
      observer: this.#telling,
    });
  }

  /** What the disk has done may change when the replica is next to be woken. */
  #armedDisk(disk: Disk): Disk {
    const armed =
      <Result>(done: (result: Result) => void) =>
      (result: Result): void => {
        if (this.#isClosed) return;
        done(result);
        this.#arm();
      };
    return {
      list: (done) => disk.list(armed(done)),
      read: (file, done) => disk.read(file, armed(done)),
      append: (file, bytes) => disk.append(file, bytes),
      flush: (file, done) => disk.flush(file, armed(done)),
      replace: (file, bytes, done) => disk.replace(file, bytes, armed(done)),
      remove: (file, done) => disk.remove(file, armed(done)),
    };
  }

  #take(inputs: readonly (() => void)[]): void {
    if (this.#isClosed) return;
    this.#replica.together(() => {
      for (const input of inputs) input();
    });
    this.#arm();
  }

  #receive(messages: readonly PeerMessage[]): void {
    for (const message of messages) this.#replica.receive(message);
  }

  #answer(requests: readonly AnyRequest[], via: Via): void {
    for (const request of requests) {
      switch (request.type) {
        case "status":
          this.#reply(via, request, this.status);
          break;
        case "flight":
          this.#reply(via, request, this.#settings.flight.after(request.after, flightBytesMax));
          break;
        case "time":
          this.#reply(via, request, this.#settings.flight.time());
          break;
        case "identify":
          this.#identify(via, request);
          break;
        default:
          this.#replica.request(request, via);
      }
    }
  }

  #identify(via: Via, { client, request, forMs }: Extract<AnyRequest, { readonly type: "identify" }>): void {
    const { blink, configuration } = this.#settings;
    const error = `${configuration.board} has no LED that works: name one under \`leds\` in its board.yaml.`;
    const outcome: Outcome = blink(forMs) ? { kind: "ok", value: true } : { kind: "refused", error };
    this.#links.reply(via, { client, request, outcome });
  }

  #reply(via: Via, { client, request }: AnyRequest, value: object): void {
    // Both values are made of JSON alone.
    const reply = { client, request, outcome: { kind: "ok", value } } as Reply;
    this.#links.reply(via, reply);
  }

  /** Wakes the replica when it next wants to be; an earlier wake-up that is set already will do. */
  #arm(): void {
    const nextUs = this.#replica.nextWakeUs();
    if (nextUs >= this.#wakeAtUs || nextUs === Number.POSITIVE_INFINITY || this.#isClosed) return;
    if (this.#wake !== null) clearTimeout(this.#wake);
    this.#wakeAtUs = nextUs;
    const inMs = Math.ceil((nextUs - this.#settings.clock.monotonicUs()) / 1_000);
    this.#wake = setTimeout(this.#onWake, Math.max(0, inMs));
  }

  readonly #onWake = (): void => {
    this.#wake = null;
    this.#wakeAtUs = Number.POSITIVE_INFINITY;
    this.#replica.wake();
    this.#arm();
  };

  #tellRegularly(): void {
    this.#telling.tellCommit(0);
    this.#links.publishStatus();
  }

  /** Whoever was not heard for some heartbeats is no help now. */
  #heardSinceUs(): number {
    const { clock, configuration } = this.#settings;
    return clock.monotonicUs() - 3 * configuration.timing.heartbeatMs * 1_000;
  }

  /** Asks the follower that has most of the log to take over, and waits until another leads. */
  async #handOver(untilMs: number): Promise<void> {
    while (this.#replica.raft?.role === "leader" && performance.now() < untilMs) {
      const target = nextLeader(this.#replica, this.#heardSinceUs());
      if (target === null) return;
      this.#replica.request({ type: "transfer", client: "", request: 0, to: target }, 0);
      const askAgainMs = Math.min(untilMs, performance.now() + 300);
      while (this.#replica.raft?.role === "leader" && performance.now() < askAgainMs) {
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    }
  }
}

/** The voter that holds most of the log, of those that were heard since then. */
function nextLeader({ raft }: Replica, sinceUs: number): string | null {
  if (raft === null) return null;
  const { voters } = raft.configuration;
  const followers = raft.followers().filter(({ member, lastHeardAt }) => {
    return voters.includes(member) && lastHeardAt >= sinceUs;
  });
  return followers.toSorted((one, other) => other.matchIndex - one.matchIndex)[0]?.member ?? null;
}
