/** `adrift flash`: the cards of boards, written, verified, and told who they are. */

import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { BenchFailure } from "../../bench/bench.ts";
import { findPrograms } from "../../bench/local/programs.ts";
import { CardFailure } from "../../flash/card-failure.ts";
import { type DriveList, describeDrive, gigabytes, listDrives } from "../../flash/drives.ts";
import { putBoard } from "../../flash/put-board.ts";
import { openDrive, openImageFile, type Target } from "../../flash/target.ts";
import { addFiles, type Card, type CardResult, writeCards } from "../../flash/write-card.ts";
import { readAnswer } from "../answer.ts";
import { createProgressBar } from "../progress.ts";
import { type ExitStatus, exitStatus, type Interruption, type Shell, UsageError } from "../shell.ts";
import { type Destination, type FlashOptions, type FlashPlan, planFlash } from "./flash-plan.ts";

/** What the command has of the machine, so that tests can stand in for its drives. */
export type FlashMachine = {
  readonly listDrives: DriveList;
  readonly openDrive: (path: string) => Promise<Target>;
  readonly now: () => Date;
};

const thisMachine: FlashMachine = { listDrives, openDrive, now: () => new Date() };

/** Writes the boards' cards, each to its drive or file. */
export async function flash(
  shell: Shell,
  boards: readonly string[],
  options: FlashOptions,
  machine: FlashMachine = thisMachine,
): Promise<ExitStatus> {
  const plan = await planFlash(shell.folder, boards, options, machine.listDrives).catch((error: unknown) => {
    if (error instanceof CardFailure || error instanceof BenchFailure) throw new UsageError(error.message);
    throw error;
  });
  showPlan(shell, plan);
  if (options.dryRun === true) {
    shell.out.write("Nothing was written (--dry-run).\n");
    return exitStatus.done;
  }
  if (options.yes !== true && !(await isConfirmed(shell, plan))) {
    shell.err.write("Nothing was written.\n");
    return exitStatus.failed;
  }
  const program = readFileSync((await findPrograms()).board);
  const interruption = shell.noteInterruption();
  const targets: Target[] = [];
  try {
    for (const { destination } of plan.cards) targets.push(await openDestination(destination, machine));
    const results = await write(shell, plan, targets, { program, now: machine.now(), interruption });
    return report(shell, plan, results);
  } catch (error) {
    if (!(error instanceof CardFailure)) throw error;
    const left = plan.cards.map(({ destination }) => whatIsLeft(destination, plan.image !== null)).join("");
    shell.err.write(`${error.message}\n${targets.length < plan.cards.length ? "Nothing was written.\n" : left}`);
    return exitStatus.failed;
  } finally {
    await Promise.all(targets.map((target) => target.close().catch(() => undefined)));
  }
}

function showPlan({ out, err }: Shell, { bench, image, system, cards, node, ssh, founding }: FlashPlan): void {
  const from =
    image === null ? "the system that is on the card" : `${image.name}${system === null ? "" : ` (${system.title})`}`;
  out.write(`Cards of ${bench.name}, from ${from}:\n`);
  for (const { board, destination, founds } of cards) {
    const place = destination.kind === "drive" ? describeDrive(destination.drive) : destination.name;
    const address = board.address ?? "address by DHCP";
    const role = founds
      ? "founds the cluster"
      : image === null
        ? "keeps its log, or joins the cluster without one"
        : "joins the cluster, with an empty log";
    out.write(
      `  ${board.board} → ${place}\n      ${[address, role, ...(board.isSlow ? ["100 Mb/s"] : [])].join(", ")}\n`,
    );
  }
  out.write(`  Node: ${node === null ? "the system's; without it, from its packages by the Internet" : node.name}\n`);
  out.write(`  SSH: ${ssh === null ? "nobody (no public key; give one with --ssh-key)" : `pi, by ${ssh.name}`}\n`);
  if (founding.outdated.length === 0) return;
  err.write(
    `A new cluster needs new cards on all boards: those of ${founding.outdated.join(", ")} become worthless. Switch on none of ` +
      "the boards before all cards are written: a board with an old card would mix the old cluster with the new one.\n",
  );
}

/** Nothing is lost by a new file, so nothing is asked, unless others' cards would be worthless by it. */
async function isConfirmed(shell: Shell, plan: FlashPlan): Promise<boolean> {
  const { image, cards, founding } = plan;
  const drives = cards.flatMap(({ destination }) => (destination.kind === "drive" ? [destination.drive.path] : []));
  const files = cards.flatMap(({ destination }) =>
    destination.kind === "file" && destination.replaces ? [destination.name] : [],
  );
  if (drives.length + files.length === 0 && founding.outdated.length === 0) return true;
  const names = [...drives, ...files].join(" ");
  if (drives.length > 0) {
    shell.err.write(
      image === null ? `The boot files on ${names} will be changed. ` : `All that is on ${names} will be lost. `,
    );
  }
  if (files.length > 0) shell.err.write(`${names} will be replaced. `);
  shell.err.write(names === "" ? 'Type "yes" to go on: ' : `Type "${names}" or "yes" to go on: `);
  const answer = await readAnswer(shell.input);
  if (answer === null) {
    throw new UsageError("\nNobody is there to answer. In a script add --yes, once you are sure of it.");
  }
  return answer === "yes" || (names !== "" && answer === names);
}

function openDestination(destination: Destination, machine: FlashMachine): Promise<Target> {
  return destination.kind === "drive"
    ? machine.openDrive(destination.drive.path)
    : openImageFile(destination.path, destination.name);
}

type Writing = { readonly program: Uint8Array; readonly now: Date; readonly interruption: Interruption };

async function write(
  shell: Shell,
  plan: FlashPlan,
  targets: readonly Target[],
  { program, now, interruption }: Writing,
): Promise<readonly CardResult[]> {
  const { node, ssh, founding, image } = plan;
  const cards = plan.cards.flatMap(({ board, founds }, at): readonly Card[] => {
    const target = targets[at];
    if (target === undefined) return [];
    const settings = { card: board, program, node, founds, sshKey: ssh?.key ?? null, now };
    return [
      {
        target,
        put: (boot) => putBoard(boot, target.name, { ...settings, id: randomBytes(16).toString("hex") }),
        ready: () => founding.note(board.board, now),
      },
    ];
  });
  if (image === null) return await Promise.all(cards.map((card) => addTo(card, now)));
  const bars = {
    write: createProgressBar(shell.err, "writing  "),
    verify: createProgressBar(shell.err, "verifying"),
    files: createProgressBar(shell.err, "files    "),
  };
  const clear = (): void => {
    for (const bar of Object.values(bars)) bar.clear();
  };
  try {
    return await writeCards(cards, image, now, (step, part) => {
      if (interruption.isRequested) throw new CardFailure("Stopped, as you asked.");
      bars[step].show(part, image.sizeBytes === null ? "" : `of ${gigabytes(image.sizeBytes)}`);
    });
  } finally {
    clear();
  }
}

async function addTo(card: Card, now: Date): Promise<CardResult> {
  try {
    await addFiles(card, now);
    return { target: card.target, failure: null };
  } catch (error) {
    if (error instanceof CardFailure) return { target: card.target, failure: error };
    throw error;
  }
}

function report(
  { out, err }: Shell,
  { cards, image, founding }: FlashPlan,
  results: readonly CardResult[],
): ExitStatus {
  let failures = 0;
  for (const [at, { target, failure }] of results.entries()) {
    const board = cards[at]?.board.board ?? "";
    if (failure === null) {
      out.write(`${board}: ${target.name} is written and verified.\n`);
      continue;
    }
    failures += 1;
    err.write(`${board}: ${failure.message}\n`);
    const destination = cards[at]?.destination;
    if (destination !== undefined) err.write(whatIsLeft(destination, image !== null));
  }
  if (failures > 0) return exitStatus.failed;
  const missing = founding.missing();
  if (missing.length > 0) out.write(`Still without a card, of the cluster's first boards: ${missing.join(", ")}.\n`);
  out.write(
    cards.some(({ destination }) => destination.kind === "drive")
      ? "\nPut each card into its board and switch it on. After a few minutes its green LED shows that it takes part.\n"
      : "\nPut each image on its board's card, as it is: it holds that board's keys, so keep it to yourself.\n",
  );
  return exitStatus.done;
}

/** What stands at a place where the writing failed. */
function whatIsLeft(destination: Destination, isWhole: boolean): string {
  switch (destination.kind) {
    case "drive":
      return isWhole ? `${destination.drive.path} is not usable as it is; it can be written again.\n` : "";
    case "file":
      return `${destination.name} ${destination.replaces ? "is as it was" : "was not written"}.\n`;
  }
}
