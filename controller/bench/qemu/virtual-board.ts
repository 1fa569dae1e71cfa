/** A board that is a virtual machine: its power, its cables, and what its root can do. */

import { existsSync } from "node:fs";
import { join } from "node:path";
import { BenchFailure } from "../bench.ts";
import { LogFile } from "../local/log-file.ts";
import { type ProcessChange, type ProcessState, SupervisedProcess } from "../local/supervised-process.ts";
import type { Warden } from "../local/warden.ts";
import type { BaseImage } from "./base-image.ts";
import type { Card } from "./card.ts";
import { GuestShell } from "./guest-shell.ts";
import type { PlannedBoard } from "./plan.ts";
import { Qmp } from "./qmp.ts";

/** What a virtual board is made of. */
export type VirtualBoardSettings = {
  readonly planned: PlannedBoard;
  /** Where its sockets and logs are. */
  readonly folder: string;
  readonly image: BaseImage;
  readonly card: Card;
  /** What stands before QEMU's command, so that it runs in the bench's network. */
  readonly command: readonly string[];
  readonly warden: Warden;
  tell(change: ProcessChange): void;
};

const memoryMb = 256;
/** QEMU listens to its sockets soon after its start. */
const socketMsMax = 15_000;
const lookEveryMs = 50;
/** An emulated machine under load takes its time with a command. */
const commandMsMax = 60_000;
const unit = "adrift.service";
/** The kernel ends the machine with the controller, also when somebody has killed the warden before. */
const endWithParent = ["setpriv", "--pdeathsig", "KILL", "--"];

/** See the head of this file. Doing what is so already changes nothing. */
export class VirtualBoard {
  readonly name: string;
  readonly #shell: GuestShell;
  readonly #settings: VirtualBoardSettings;
  readonly #process: SupervisedProcess;
  readonly #pulled = new Set<string>();

  constructor(settings: VirtualBoardSettings) {
    const { planned, folder, warden, tell } = settings;
    this.name = planned.name;
    this.#settings = settings;
    this.#shell = new GuestShell(planned.name, this.#socket("shell"));
    this.#process = new SupervisedProcess({
      command: [...settings.command, ...endWithParent, ...this.#qemu()],
      hasChannel: false,
      log: new LogFile(join(folder, `${planned.name}.qemu.log`)),
      warden,
      greeting: () => [],
      hear: () => undefined,
      tell,
    });
  }

  get state(): ProcessState {
    return this.#process.state;
  }

  /** Whether this cable is plugged in here. */
  has(cable: string): boolean {
    return this.#cardOf(cable) !== -1;
  }

  /** Gives it power; resolves when the machine runs, long before the board on it does. @throws {BenchFailure} */
  async powerOn(): Promise<void> {
    if (this.#process.state === "running") return;
    if (!(await this.#process.start())) throw new BenchFailure(`QEMU did not start for ${this.name}.`);
    for (const cable of this.#pulled) await this.#setLink(cable, false);
  }

  /** Takes its power, at once: what it has not flushed is lost. */
  powerOff(): Promise<void> {
    return this.#process.kill();
  }

  /** Stops the whole machine, whose clock goes on; it does not notice until it is resumed. */
  pause(): void {
    this.#process.pause();
  }

  resume(): void {
    this.#process.resume();
  }

  /** Kills the board's process as a crash would, and keeps systemd from starting it again. @throws {BenchFailure} */
  async killProcess(): Promise<void> {
    await this.#asRoot(`systemctl kill --signal=KILL ${unit}; systemctl stop ${unit}`);
  }

  /** Starts the board's process, if the machine has power. @throws {BenchFailure} */
  async startProcess(): Promise<void> {
    await this.#asRoot(`systemctl start ${unit}`);
  }

  /** Pulls a cable out: the machine sees its carrier go, as a real one would. @throws {BenchFailure} */
  async pull(cable: string): Promise<void> {
    this.#pulled.add(cable);
    if (this.#process.pid !== null) await this.#setLink(cable, false);
  }

  /** Plugs it in again. @throws {BenchFailure} */
  async plugIn(cable: string): Promise<void> {
    this.#pulled.delete(cable);
    if (this.#process.pid !== null) await this.#setLink(cable, true);
  }

  async #asRoot(line: string): Promise<void> {
    const { status, out } = await this.#shell.run(line, commandMsMax);
    if (status !== 0) throw new BenchFailure(`${this.name}: "${line}" failed with ${status}: ${out}`);
  }

  async #setLink(cable: string, up: boolean): Promise<void> {
    const path = this.#socket("qmp");
    for (let waitedMs = 0; !existsSync(path) && waitedMs < socketMsMax; waitedMs += lookEveryMs) {
      await new Promise((resolve) => setTimeout(resolve, lookEveryMs));
    }
    const qmp = await Qmp.connect(path);
    try {
      await qmp.execute("set_link", { name: `eth${this.#cardOf(cable)}`, up });
    } finally {
      qmp.close();
    }
  }

  #cardOf(cable: string): number {
    return this.#settings.planned.cards.findIndex((card) => card.cable === cable);
  }

  #socket(what: "qmp" | "shell"): string {
    return join(this.#settings.folder, `${this.#settings.planned.name}.${what}`);
  }

  #qemu(): readonly string[] {
    const { planned, folder, image, card } = this.#settings;
    const kernel = [
      "root=LABEL=RASPIROOT rw console=ttyAMA0 quiet net.ifnames=0",
      // The console for whoever is root here: guest-shell.ts.
      "systemd.show_status=0 systemd.debug_shell=hvc0",
    ];
    const disk = (file: string, format: "qcow2" | "raw", id: string): readonly string[] => [
      // What the guest flushes has reached this computer's kernel, which outlives QEMU. To wait for the computer's own disk
      // too would only protect against a power cut of the computer.
      ...["-drive", `file=${file},format=${format},if=none,id=${id},cache=unsafe`],
      ...["-device", `virtio-blk-pci,drive=${id}`],
    ];
    return [
      ...["qemu-system-aarch64", "-M", "virt", "-cpu", "cortex-a72", "-smp", "1", "-m", String(memoryMb)],
      ...["-nodefaults", "-display", "none", "-kernel", image.kernel, "-initrd", image.ramdisk],
      ...["-append", kernel.join(" ")],
      ...disk(card.root, "qcow2", "root"),
      ...disk(card.boot, "raw", "boot"),
      ...planned.cards.flatMap(({ tap, mac }, index) => [
        ...["-netdev", `tap,id=${tap},ifname=${tap},script=no,downscript=no`],
        ...["-device", `virtio-net-pci,netdev=${tap},id=eth${index},mac=${mac},romfile=`],
      ]),
      ...[
        "-chardev",
        `file,id=console,path=${join(folder, `${planned.name}.console.log`)}`,
        "-serial",
        "chardev:console",
      ],
      ...[
        "-device",
        "virtio-serial-pci",
        "-chardev",
        `socket,id=shell,path=${this.#socket("shell")},server=on,wait=off`,
      ],
      ...["-device", "virtconsole,chardev=shell"],
      ...["-device", "virtio-rng-pci"],
      ...["-qmp", `unix:${this.#socket("qmp")},server=on,wait=off`],
    ];
  }
}
