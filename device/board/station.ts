/** Everything around a board in one process: its data folder, its disk, the broker on it, its clock, its witnesses. */

import { readFileSync } from "node:fs";
import type { RunningBroker } from "../mqtt/broker.ts";
import type { Keys } from "../mqtt/keys.ts";
import type { BoardStatus } from "../transport/envelope.ts";
import { Board } from "./board.ts";
import { BoardClock } from "./board-clock.ts";
import { type CarrierWatch, watchCarrier } from "./carrier.ts";
import type { BoardConfiguration } from "./configuration.ts";
import { type DataFolder, openDataFolder } from "./disk/data-folder.ts";
import { createFaultyDisk, type FaultyDisk } from "./disk/faulty-disk.ts";
import { type FileDisk, openFileDisk } from "./disk/file-disk.ts";
import { type FlightRecorder, openFlightRecorder } from "./flight-recorder.ts";
import { signalOf } from "./led-patterns.ts";
import { Lights } from "./lights.ts";
import type { Log } from "./log.ts";
import { Measuring } from "./measuring.ts";
import type { MetricsSource } from "./metrics.ts";
import type { Order } from "./orders.ts";
import { SerialConsole } from "./serial-console.ts";
import { SerialLine } from "./serial-line.ts";
import { Supervisor } from "./supervisor.ts";
import { version } from "./version.ts";

/** What a station is made of. */
export type StationSettings = {
  readonly configuration: BoardConfiguration;
  readonly log: Log;
  /** Whether it may be ordered to have a bad disk or a bad clock. */
  readonly takesOrders: boolean;
  /** The board cannot go on: the process has to end, and be started again. */
  readonly stopped: (reason: string) => void;
  /** Says whether and how to tell systemd that the board lives; left out: something else supervises it. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
};

/** How long leaving may take, all in all: a supervisor kills what takes longer. */
const leaveMsMax = 1_500;

/** One boot of a board with all that it stands on. */
export class Station {
  readonly board: Board;
  readonly #settings: StationSettings;
  readonly #parts: Parts;
  /** A process that ends at once takes no time to write: this does, at its very end. */
  readonly #keepLastWords = (): void => this.#parts.flight.writeNow();
  readonly #console: SerialConsole | null;
  readonly #supervisor: Supervisor;
  #broker: RunningBroker | null;
  #isWitnessing = false;

  /** Opens the data folder, starts the broker if one stands here, then the board. @throws what keeps it from starting. */
  static async open(settings: StationSettings): Promise<Station> {
    const { configuration } = settings;
    const keys = configuration.keys === null ? null : readKeyTexts(configuration.keys);
    const folder = await openDataFolder(configuration.data);
    const measuring = new Measuring(configuration.metricsPort);
    const [disk, flight] = await Promise.all([
      openFileDisk(folder.logFolder, { observeFlush: measuring.flushTook }),
      openFlightRecorder({
        folder: folder.flightFolder,
        boot: folder.boot,
        wallUs: () => Date.now() * 1_000,
        monotonicUs: () => Math.floor(performance.now() * 1_000),
      }),
    ]);
    const [broker, lights] = await Promise.all([
      serveBroker(configuration, keys, settings.log),
      Lights.open({
        leds: configuration.leds,
        failed: (reason) => settings.log.warn({ reason }, "an LED does not work"),
      }),
    ]);
    const station = new Station(settings, { folder, disk, flight, keys, measuring, lights }, broker);
    await measuring.begin(station.#metricsSource());
    return station;
  }

  private constructor(settings: StationSettings, parts: Opened, broker: RunningBroker | null) {
    const { configuration, log, takesOrders, stopped } = settings;
    const { folder, disk, flight, keys, measuring, lights } = parts;
    const clock = new BoardClock();
    const faulty = takesOrders ? createFaultyDisk(disk) : null;
    const carrier = watchCarrier({
      interfaces: configuration.interfaces,
      onChange: (name, up, withinUs) =>
        this.board.tell({ kind: "carrier", interface: name, up, ...(withinUs === null ? {} : { withinUs }) }),
    });
    this.#settings = settings;
    this.#parts = { ...parts, clock, faulty, carrier };
    this.#broker = broker;
    this.board = new Board({
      configuration,
      boot: folder.boot,
      keys,
      disk: faulty?.disk ?? disk,
      clock,
      flight,
      carrier: () => carrier.state(),
      blink: (forMs) => lights.identify(forMs),
      handlers: {
        happened: (happening) => {
          log.debug({ happening }, "it happened");
          measuring.happened(happening);
          this.#witnessSoon();
        },
        commitTook: measuring.commitTook,
        unreachable: (name, reason) => log.warn({ broker: name, reason }, "a broker cannot be reached"),
        stopped(reason) {
          lights.leaveBroken();
          stopped(reason);
        },
      },
    });
    this.#console = openConsole(settings, flight, () => this.board.status);
    this.#supervisor = new Supervisor({
      environment: settings.environment ?? {},
      describe: () => describe(this.board.status),
      failed: (reason) => log.warn({ reason }, "systemd does not listen"),
    });
    this.board.tell({ kind: "process", state: "started", version });
    // Why a board ended by itself is what everybody will want to know.
    process.once("exit", this.#keepLastWords);
  }

  /** The number of this start of the board. */
  get boot(): number {
    return this.#parts.folder.boot;
  }

  /** Where Prometheus finds the metrics, if anywhere. */
  get metricsPort(): number | null {
    return this.#parts.measuring.port;
  }

  /** The port of the broker that stands here, if one does and runs. */
  get brokerPort(): number | null {
    return this.#broker?.port ?? null;
  }

  /** Carries out what a bench of local processes orders. */
  async obey(order: Order): Promise<void> {
    const { clock, faulty } = this.#parts;
    switch (order.type) {
      case "setDisk":
        faulty?.setCondition(order.condition);
        return;
      case "setClockDrift":
        clock.setDrift(order.driftPpm);
        this.board.clockChanged();
        return;
      case "jumpClock":
        clock.jump(order.byUs);
        return;
      case "stopBroker":
        await this.#broker?.close();
        this.#broker = null;
        return;
      case "startBroker":
        this.#broker ??= await serveBroker(this.#settings.configuration, this.#parts.keys, this.#settings.log);
        return;
      default:
        order satisfies never;
    }
  }

  /** Hands leadership over, lets what was asked of the disk end, and goes. */
  async leave(): Promise<void> {
    const { carrier, flight, disk, folder, lights, measuring } = this.#parts;
    this.#supervisor.close();
    this.board.tell({ kind: "process", state: "stopping", version });
    await this.board.leave(leaveMsMax);
    carrier.close();
    await Promise.all([lights.close(), this.#console?.close()]);
    await Promise.all([flight.close(), disk.close(), this.#broker?.close(), measuring.close()]);
    await folder.close();
    process.off("exit", this.#keepLastWords);
  }

  /** Whoever sees the board without the network sees what has changed, once all of it has. */
  #witnessSoon(): void {
    if (this.#isWitnessing) return;
    this.#isWitnessing = true;
    setImmediate(() => {
      this.#isWitnessing = false;
      const { board } = this;
      const { role, carrier } = board.status;
      const brokersReached = board.links.state().filter(({ isUp }) => isUp).length;
      this.#parts.lights.show(signalOf({ role, carrier, brokersReached }));
      this.#console?.changed();
      this.#supervisor.changed();
    });
  }

  #metricsSource(): MetricsSource {
    return {
      status: () => this.board.status,
      brokers: () => this.board.links.state(),
      drops: () => this.board.drops.snapshot(),
      pendingRequests: () => this.board.replica.requestsWaiting,
      lostRecords: () => this.#parts.flight.lost,
    };
  }
}

type Opened = {
  readonly folder: DataFolder;
  readonly disk: FileDisk;
  readonly flight: FlightRecorder;
  readonly keys: Keys | null;
  readonly measuring: Measuring;
  readonly lights: Lights;
};

type Parts = Opened & {
  readonly clock: BoardClock;
  readonly faulty: FaultyDisk | null;
  readonly carrier: CarrierWatch;
};

function openConsole(
  { configuration, log }: StationSettings,
  flight: FlightRecorder,
  status: () => BoardStatus,
): SerialConsole | null {
  const { board, console: path } = configuration;
  if (path === null) return null;
  const line = new SerialLine({ path, failed: (reason) => log.warn({ reason }, "the serial console does not work") });
  const { boot } = flight.time();
  return new SerialConsole({ line, board, boot, nowUs: () => flight.time().monotonicUs, status });
}

/** How a board takes part, in a line; `null`: not yet. */
function describe({ role, term, leader, commitIndex }: BoardStatus): string | null {
  if (role === "opening") return null;
  const who = role === "leader" || leader === null ? role : `${role} of ${leader}`;
  return `${who} in term ${term}, committed up to ${commitIndex}`;
}

async function serveBroker(
  { serves, cluster, boards }: BoardConfiguration,
  keys: Keys | null,
  log: Log,
): Promise<RunningBroker | null> {
  if (serves === null) return null;
  // Loaded where it is needed alone: what is not loaded takes no memory.
  const { startBroker } = await import("../mqtt/embedded-broker.ts");
  const { broker: name, host, port, webSocketPort } = serves;
  return await startBroker({
    name,
    host,
    port,
    webSocketPort,
    keys,
    cluster,
    boards: boards.map((board) => board.name),
    tell: (happening) => log.debug({ broker: name }, happening),
  });
}

function readKeyTexts({ authority, certificate, privateKey }: NonNullable<BoardConfiguration["keys"]>): Keys {
  return {
    authority: readFileSync(authority, "utf8"),
    certificate: readFileSync(certificate, "utf8"),
    privateKey: readFileSync(privateKey, "utf8"),
  };
}
