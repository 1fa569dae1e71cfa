/** Machines on which commands can be run: this one, one in a network namespace, one behind SSH. */

import { spawn } from "node:child_process";
import { controllerNode, type NodeName } from "../../hardware/bench.ts";
import { CutterFailure } from "./cutter.ts";
import { describePlace } from "./ledger-devices.ts";
import { commandOverSsh, explainSsh, leaveSsh } from "./ssh.ts";
import type { CommandHost, CommandResult, HeldCommand, HostPlace } from "./surroundings.ts";

/** A name of the bench, or an address with a user: what a driver asks a host for. */
export type HostName = NodeName | { readonly host: string; readonly user: string | null };

/**
 * A `hostOf` for surroundings.
 *
 * @param placeOf where the machine of this name is found; `null` if nobody knows
 */
export function hostsBy(placeOf: (name: NodeName) => HostPlace | null): (name: HostName) => CommandHost {
  return (name) => {
    if (typeof name !== "string") return openHost(name.host, { kind: "ssh", ...name });
    const place = name === controllerNode ? ({ kind: "here" } as const) : placeOf(name);
    if (place !== null) return openHost(name, place);
    throw new CutterFailure(
      `Nobody knows where ${name} is found. Give it an address in the bench's file, as in "address: 192.168.7.11".`,
    );
  };
}

/** A machine. What it costs to reach it is paid with the first command. */
export function openHost(name: string, place: HostPlace): CommandHost {
  const where = place.kind === "ssh" ? `ssh ${describePlace(place)}` : describePlace(place);
  const named = place.kind === "here" ? where : `${name} (${where})`;
  return {
    name: named,
    place,
    async run(command, input, withinMs) {
      const result = await runHere(at(place, command), input, withinMs, named);
      const trouble = place.kind === "ssh" ? explainSsh(result, place) : null;
      if (trouble !== null) throw new CutterFailure(`${named}: ${trouble}`);
      return result;
    },
    hold: (command) => holdHere(at(place, command)),
  };
}

/** Ends the connections by SSH that commands have left open for the next ones. */
export async function leaveHosts(hosts: Iterable<CommandHost>): Promise<void> {
  const places = [...hosts].map(({ place }) => place);
  await Promise.all(places.map((place) => (place.kind === "ssh" ? leaveSsh(place) : null)));
}

/** The command as this machine has to be told it. */
function at(place: HostPlace, command: readonly string[]): readonly string[] {
  switch (place.kind) {
    case "here":
      return command;
    case "namespace":
      return ["ip", "netns", "exec", place.namespace, ...command];
    case "ssh":
      return commandOverSsh(place, command);
    default:
      return place satisfies never;
  }
}

function runHere(
  [program = "", ...args]: readonly string[],
  input: string,
  withinMs: number,
  where: string,
): Promise<CommandResult> {
  // In a session of its own: Ctrl-C in the terminal is for the controller, which still has to heal.
  const child = spawn(program, args, { stdio: ["pipe", "pipe", "pipe"], detached: true });
  // A command that reads nothing may have ended before all is written.
  child.stdin.on("error", () => undefined);
  child.stdin.end(input);
  const output = collect(child);
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      child.kill("SIGKILL");
      child.stdout.destroy();
      child.stderr.destroy();
      reject(new CutterFailure(`${where}: "${program}" did not end within ${withinMs} ms. Is the machine there?`));
    }, withinMs);
    child.once("error", (error) => {
      clearTimeout(timer);
      reject(new CutterFailure(`${where}: "${program}" cannot be started (${error.message}). Is it installed?`));
    });
    child.once("close", (code) => {
      clearTimeout(timer);
      resolve({ status: code ?? killedStatus, ...output() });
    });
  });
}

/** What a shell says of a command that a signal has ended. */
const killedStatus = 128;
const endMsMax = 2_000;

function holdHere([program = "", ...args]: readonly string[]): HeldCommand {
  const child = spawn(program, args, { stdio: ["pipe", "pipe", "pipe"], detached: true });
  child.stdin.on("error", () => undefined);
  const output = collect(child);
  const ended = new Promise<CommandResult>((resolve) => {
    child.once("error", (error) => resolve({ status: 127, out: "", err: error.message }));
    child.once("close", (code) => resolve({ status: code ?? killedStatus, ...output() }));
  });
  return {
    ended,
    onOutput: (listener) => void child.stdout.on("data", (text) => listener(String(text))),
    async end() {
      child.stdin.end();
      child.kill("SIGTERM");
      const timer = setTimeout(() => child.kill("SIGKILL"), endMsMax);
      await ended;
      clearTimeout(timer);
    },
  };
}

/** Collects what a command says; what is too much of it is left out. */
function collect({
  stdout,
  stderr,
}: {
  readonly stdout: NodeJS.ReadableStream;
  readonly stderr: NodeJS.ReadableStream;
}) {
  const texts = { out: "", err: "" };
  stdout.setEncoding("utf8").on("data", (text: string) => {
    if (texts.out.length < outputCharsMax) texts.out += text;
  });
  stderr.setEncoding("utf8").on("data", (text: string) => {
    if (texts.err.length < outputCharsMax) texts.err += text;
  });
  return () => texts;
}

const outputCharsMax = 1_000_000;
