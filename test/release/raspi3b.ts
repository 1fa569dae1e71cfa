/**
 * Once per release: the flashable image itself boots on QEMU's Raspberry Pi 3 from its emulated SD card, its board joins
 * two others that run beside it, and a GPIO line that its root drives is seen to move from outside, in the chip's register.
 *
 *   npx tsx test/release/raspi3b.ts
 *
 * It takes 3 to 5 minutes on two cores that have nothing else to do: four emulated cores share one thread. Its emulated
 * network card knows no carrier, so no cable is pulled here; that is tried on the QEMU bench.
 */

import { copyFileSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BoardProcess } from "../../controller/bench/local/board-process.ts";
import { BrokerProcess } from "../../controller/bench/local/broker-process.ts";
import { LogFile } from "../../controller/bench/local/log-file.ts";
import { reservePort } from "../../controller/bench/local/ports.ts";
import { findPrograms } from "../../controller/bench/local/programs.ts";
import { SupervisedProcess } from "../../controller/bench/local/supervised-process.ts";
import { Warden } from "../../controller/bench/local/warden.ts";
import { run } from "../../controller/bench/netns/ip.ts";
import { OverMqtt } from "../../controller/bench/over-mqtt.ts";
import { findBaseImage } from "../../controller/bench/qemu/base-image.ts";
import { keysOnBoard, putOnCard } from "../../controller/bench/qemu/card.ts";
import { emulatedTiming } from "../../controller/bench/qemu/emulation.ts";
import { GuestShell } from "../../controller/bench/qemu/guest-shell.ts";
import { findPartitions } from "../../controller/bench/qemu/partitions.ts";
import { Qmp } from "../../controller/bench/qemu/qmp.ts";
import { isAgreed } from "../../controller/experiment/recovery.ts";
import { realTime, waitUntil } from "../../controller/experiment/time.ts";
import { fillKeyFolder } from "../../controller/keys/key-folder.ts";
import { rosterOf } from "../../controller/keys/roster.ts";
import type { BoardConfiguration } from "../../device/board/configuration.ts";
import { formatBoardConfiguration } from "../../device/board/format-configuration.ts";
import { keyFiles, readKeys } from "../../device/mqtt/read-keys.ts";
import { parseBench } from "../../hardware/bench.ts";

const emulated = "pi-1";
/** QEMU's user network: the board, and this computer as the board sees it. */
const guest = { address: "10.0.2.15", host: "10.0.2.2" };
/** GPLEV0 of the BCM2837, in which line N is bit N (BCM2835 ARM Peripherals, 6.1), and a line on the header of the board. */
const levels = "0x3f200034";
const line = 17;
const bootWithinUs = 1_200_000_000;
const commandMsMax = 60_000;

const bench = parseBench("name: raspi\nboards: 3\n", "raspi.yaml");
const folder = mkdtempSync(join(tmpdir(), "adrift-"));
const warden = new Warden();
warden.remove(folder);
const startedUs = realTime.nowUs();

try {
  await main();
} finally {
  await warden.release();
}

async function main(): Promise<void> {
  const image = await findBaseImage(say);
  const programs = await findPrograms();
  const keys = join(folder, "keys");
  const subjects = rosterOf(bench, { clients: [], hosts: [guest.host] });
  await fillKeyFolder(keys, { authorityName: "a release", subjects, days: 2, now: new Date() });

  const port = await reservePort();
  const broker = new BrokerProcess({
    ...processOf("broker", [process.execPath, programs.broker]),
    broker: {
      ...{ name: "broker", host: "127.0.0.1", port, webSocketPort: null, cluster: bench.cluster },
      ...{ keys: readKeys(keys, "broker"), boards: bench.boards.map(({ name }) => name) },
    },
  });
  await broker.start();
  for (const { name } of bench.boards) {
    if (name === emulated) continue;
    const configuration = join(folder, `${name}.yaml`);
    const described = configurationOf(name, `mqtts://127.0.0.1:${port}`, keyFiles(keys, name), join(folder, name));
    writeFileSync(configuration, formatBoardConfiguration(described));
    await run([process.execPath, programs.board, "--config", configuration, "--provision"]);
    const board = new BoardProcess({ ...processOf(name, [process.execPath, programs.board]), configuration });
    await board.start();
  }

  const card = join(folder, "card.img");
  copyFileSync(image.path, card);
  const [boot] = findPartitions(card);
  if (boot === undefined) throw new Error(`${image.path} has no boot partition.`);
  const there = configurationOf(emulated, `mqtts://${guest.host}:${port}`, keysOnBoard(emulated), "/var/lib/adrift");
  putOnCard(card, boot, {
    ...{ configuration: there, address: guest.address, program: programs.board, keys, founds: true },
  });
  const onBoot = `${card}@@${boot.offset}`;
  const tree = join(folder, "bcm2837-rpi-3-b.dtb");
  await run(["mcopy", "-n", "-i", onBoot, "::/bcm2837-rpi-3-b.dtb", tree]);

  const machine = new SupervisedProcess({
    ...processOf("raspi3b", qemu({ card, tree, kernel: image.kernel, ramdisk: image.ramdisk })),
    ...{ hasChannel: false, greeting: () => [], hear: () => undefined },
  });
  await machine.start();
  say("QEMU's Raspberry Pi 3 boots the image");
  await hasTime();
  await joins(port, keys);
  await switchesLine();
  await machine.kill();
  say("done");
}

/**
 * systemd would give the board up that takes a minute to start, as it does where four cores share a thread of a busy
 * computer. A file under /run, read when the first boot has put the board in place, gives it time.
 */
async function hasTime(): Promise<void> {
  const shell = new GuestShell(emulated, join(folder, "shell"));
  const place = "/run/systemd/system/adrift.service.d";
  const text = "[Service]\\nTimeoutStartSec=15min\\nWatchdogSec=0\\n";
  const line = `mkdir -p ${place} && printf "${text}" >${place}/emulated.conf`;
  for (;;) {
    const result = await shell.run(line, commandMsMax).catch(() => null);
    if (result?.status === 0) return;
    if (realTime.nowUs() - startedUs > bootWithinUs) throw new Error("The image did not boot as far as a shell.");
  }
}

/** Until the emulated board and the two others follow one leader. */
async function joins(port: number, keys: string): Promise<void> {
  const brokers = [`mqtts://127.0.0.1:${port}`];
  const cluster = await OverMqtt.connect({ bench, brokers, keys: readKeys(keys, "controller") });
  try {
    const all = async (): Promise<boolean> => {
      const statuses = await cluster.statuses();
      return statuses.has(emulated) && isAgreed(statuses);
    };
    if (!(await waitUntil(all, bootWithinUs, realTime))) throw new Error(`${emulated} did not join in time.`);
    const status = (await cluster.statuses()).get(emulated);
    say(`${emulated} has joined: ${status?.role} in term ${status?.term}`);
  } finally {
    await cluster.close();
  }
}

/** Root on the board drives a line; the register is read by QEMU's monitor, which knows nothing of the board's software. */
async function switchesLine(): Promise<void> {
  const shell = new GuestShell(emulated, join(folder, "shell"));
  const qmp = await Qmp.connect(join(folder, "qmp"));
  try {
    for (const value of [1, 0, 1]) {
      // A line is driven as long as gpioset lives.
      await shell.run(`gpioset -c gpiochip0 ${line}=${value} & sleep 2`, commandMsMax);
      const seen = await levelOf(qmp);
      await shell.run("kill %% && wait", commandMsMax);
      if (seen !== value) throw new Error(`GPIO ${line} was set to ${value}, but its register says ${seen}.`);
      say(`GPIO ${line} driven to ${value}; GPLEV0 read from outside says ${seen}`);
    }
  } finally {
    qmp.close();
  }
}

async function levelOf(qmp: Qmp): Promise<number> {
  const said = await qmp.execute("human-monitor-command", { "command-line": `xp /1wx ${levels}` });
  const [, word = "0"] = /: 0x([0-9a-f]+)/.exec(String(said)) ?? [];
  return (Number.parseInt(word, 16) >>> line) & 1;
}

type Files = { readonly card: string; readonly tree: string; readonly kernel: string; readonly ramdisk: string };

function qemu({ card, tree, kernel, ramdisk }: Files): readonly string[] {
  const words = [
    "root=LABEL=RASPIROOT rw console=ttyS1,115200 quiet net.ifnames=0 systemd.show_status=0 systemd.debug_shell=ttyS1",
    // QEMU's watchdog does not count: it resets the machine as soon as it is switched on.
    "modprobe.blacklist=bcm2835_wdt",
  ];
  return [
    ...["qemu-system-aarch64", "-M", "raspi3b", "-accel", "tcg,thread=single", "-display", "none"],
    ...["-kernel", kernel, "-initrd", ramdisk, "-dtb", tree, "-append", words.join(" ")],
    ...["-drive", `file=${card},format=raw,if=sd,cache=unsafe`],
    // Loopback of this computer is the user network's host, where the broker listens.
    ...["-netdev", "user,id=cable,restrict=off", "-usb", "-device", "usb-net,netdev=cable,mac=00:e0:4c:ad:21:01"],
    // The first serial port is that of Bluetooth on a real board.
    ...["-serial", "null", "-chardev", `socket,id=shell,path=${join(folder, "shell")},server=on,wait=off`],
    ...["-serial", "chardev:shell", "-qmp", `unix:${join(folder, "qmp")},server=on,wait=off`],
  ];
}

function configurationOf(
  board: string,
  url: string,
  keys: BoardConfiguration["keys"],
  data: string,
): BoardConfiguration {
  return {
    ...{ board, cluster: bench.cluster, data, keys, timing: emulatedTiming },
    boards: bench.boards.map(({ name, inbox }) => ({ name, inbox })),
    founders: bench.boards.map(({ name }) => name),
    brokers: [{ name: "broker", url }],
    serves: null,
    raft: { leaseReads: false, clockDriftPpmMax: null, snapshotAfterEntries: null, trailingEntries: null },
    ...{ rejoinAfterDamage: false, metricsPort: null, logLevel: "info", leds: [], console: null, interfaces: [] },
  };
}

function processOf(name: string, command: readonly string[]) {
  const tell = () => undefined;
  return { name, command, log: new LogFile(join(folder, `${name}.log`)), warden, tell };
}

function say(what: string): void {
  const atSeconds = Math.round((realTime.nowUs() - startedUs) / 1_000_000);
  process.stdout.write(`${String(atSeconds).padStart(5)} s  ${what}\n`);
}
